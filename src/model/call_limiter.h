// How many calls of one model may be in flight, and how fast they may start: an adaptive window under the user's
// concurrency, requests a minute and tokens a minute. Older records go first.
//
//   Result<CallSlot> slot = co_await limiter.enter({record, step}, tokens);
//   … the call …
//   limiter.leave(*slot, CallEnd::answered, tokens_used);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "async/turn_queue.h"
#include "base/limits.h"
#include "base/time.h"
#include "model/minute_rate.h"

namespace palette::model {

struct CallLimits {
  std::int64_t concurrency = limits::kConcurrencyDefault;
  std::optional<std::int64_t> requests_per_minute = {}, tokens_per_minute = {};
};

// How many calls may be in flight. Starts at 8 and doubles each round trip until the first throttle; from then on it
// grows by one a round trip, and shrinks once a round trip at most. Never below 1.
class AdaptiveWindow {
 public:
  explicit AdaptiveWindow(std::int64_t most)
      : most_(std::max(1.0, static_cast<double>(most))), size_(std::min(kStart, most_)) {}

  std::int64_t size() const { return static_cast<std::int64_t>(size_); }
  // `was_full`: as many calls were in flight as may be; a window that is not used does not grow.
  void on_answer(bool was_full);
  // Of a call that started at `started_ms`.
  void on_throttle(std::int64_t started_ms, std::int64_t now_ms);

 private:
  static constexpr double kStart = 8;
  static constexpr double kDecrease = 0.7;

  double most_;
  double size_;
  bool throttled_before_ = false;
  std::int64_t shrunk_ms_ = INT64_MIN;
};

enum class CallEnd : std::uint8_t { answered, throttled, failed };

// A call in flight. Overdue: far slower than the others, it may hang; then it no longer takes a place in the window.
struct RunningCall {
  std::int64_t started_ms = 0;
  bool overdue = false;
};

struct CallSlot {
  std::int64_t started_ms = 0;
  std::int64_t tokens = 0;  // reserved of tokens_per_minute
  std::list<RunningCall>::iterator running = {};
};

// Lives on the loop, longer than every call.
class CallLimiter {
 public:
  CallLimiter(boost::asio::any_io_executor executor, CallLimits limits, std::shared_ptr<async::StopFlag> stop,
              const Clock& clock);

  // Waits for a turn; `cancelled` once the stop flag is raised. `tokens`: what the provider reserves of a minute's
  // tokens at admission.
  async::Task<Result<CallSlot>> enter(async::TurnKey key, std::int64_t tokens);
  // What was reserved and not used is given back, what was used beyond it taken.
  void leave(const CallSlot& slot, CallEnd end, std::int64_t tokens_used);

  // Calls that take longer than this count no more. At first there is no such time.
  void set_overdue_after(std::int64_t overdue_ms) { overdue_ms_ = overdue_ms; }

  std::int64_t in_flight() const { return static_cast<std::int64_t>(running_.size()); }
  std::int64_t window() const { return window_.size(); }
  std::size_t waiting() const { return queue_.size(); }

 private:
  // In flight, without those that are overdue.
  std::int64_t counted() const { return in_flight() - overdue_; }
  bool fits(std::int64_t tokens);
  void take(CallSlot& slot);
  void admit_waiting();
  void wake_when_rates_allow(std::int64_t tokens);
  void mark_overdue();
  void wake_when_overdue();

  const Clock& clock_;
  AdaptiveWindow window_;
  std::optional<MinuteRate> requests_, tokens_;
  std::list<RunningCall> running_;                           // by start
  std::list<RunningCall>::iterator young_ = running_.end();  // the first that is not overdue
  std::int64_t overdue_ = 0;
  std::int64_t overdue_ms_ = INT64_MAX;
  bool watching_overdue_ = false;
  async::TurnQueue<CallSlot*> queue_;
  std::shared_ptr<boost::asio::steady_timer> refill_, overdue_timer_;
};

}  // namespace palette::model
