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
#include <memory>
#include <optional>

#include "async/turn_queue.h"
#include "base/limits.h"
#include "base/time.h"

namespace palette::model {

struct CallLimits {
  std::int64_t concurrency = limits::kConcurrencyDefault;
  std::optional<std::int64_t> requests_per_minute, tokens_per_minute;
};

// A rate "so many a minute" as a bucket: what started within any 60 s is never more than was allowed.
class MinuteRate {
 public:
  explicit MinuteRate(std::int64_t per_minute) : per_minute_(static_cast<double>(per_minute)), level_(burst()) {}

  // A call of more than a minute's share is let through when the bucket is full.
  bool fits(double wanted, std::int64_t now_ms);
  void take(double wanted) { level_ -= wanted; }
  void give_back(double unused) { level_ += unused; }
  // From now until `wanted` fits.
  std::int64_t wait_ms(double wanted, std::int64_t now_ms);

 private:
  // The bucket holds a second's share, and refills so that bucket and 60 s of refilling make up the minute's.
  double burst() const { return std::max(1.0, per_minute_ / 60); }
  double per_ms() const { return std::max(per_minute_ - burst(), per_minute_ / 2) / 60'000; }
  double needed(double wanted) const { return std::min(wanted, burst()); }
  void refill(std::int64_t now_ms);

  double per_minute_;
  double level_;
  std::optional<std::int64_t> refilled_ms_;
};

// How many calls may be in flight. Starts at 8 and doubles each round trip until the first throttle; from then on it
// grows by one a round trip, and shrinks once a round trip at most. Never below 1.
class AdaptiveWindow {
 public:
  explicit AdaptiveWindow(std::int64_t most) : most_(static_cast<double>(most)), size_(std::min(kStart, most_)) {}

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

struct CallSlot {
  std::int64_t started_ms = 0;
  std::int64_t tokens = 0;  // reserved of tokens_per_minute
};

// Lives on the loop, longer than every call.
class CallLimiter {
 public:
  CallLimiter(boost::asio::any_io_executor executor, CallLimits limits, std::shared_ptr<async::StopFlag> stop,
              const Clock& clock);

  // Waits for a turn; `cancelled` once the stop flag is raised. `tokens`: what the provider reserves of a minute's
  // tokens at admission.
  async::Task<Result<CallSlot>> enter(async::TurnKey key, std::int64_t tokens);
  // The tokens that were reserved and not used are given back.
  void leave(const CallSlot& slot, CallEnd end, std::int64_t tokens_used);

  std::int64_t in_flight() const { return in_flight_; }
  std::int64_t window() const { return window_.size(); }
  std::size_t waiting() const { return queue_.size(); }

 private:
  bool fits(std::int64_t tokens);
  void take(std::int64_t tokens);
  void admit_waiting();
  void wake_when_rates_allow(std::int64_t tokens);

  const Clock& clock_;
  AdaptiveWindow window_;
  std::optional<MinuteRate> requests_, tokens_;
  std::int64_t in_flight_ = 0;
  async::TurnQueue<std::int64_t> queue_;
  std::shared_ptr<boost::asio::steady_timer> refill_;
};

}  // namespace palette::model
