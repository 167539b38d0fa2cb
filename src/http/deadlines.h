// Deadlines of many connections by one timer: thousands of waits would otherwise each cost a timer of its own. A
// deadline may come up to kTick_ms late.
//
//   struct Call : Timed { void on_deadline() override { socket.cancel(); } };
//   sweep->add(call); sweep->arm(call, coarse_now_ms() + 5'000); … sweep->remove(call);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <limits>
#include <memory>

namespace palette::http {

inline constexpr std::int64_t kTick_ms = 50;
inline constexpr std::int64_t kNever_ms = std::numeric_limits<std::int64_t>::max();

// A monotonic clock of a few ms resolution that costs no system call.
std::int64_t coarse_now_ms();

// `wait_ms` from now; never, when it is 0.
std::int64_t due_in(std::int64_t wait_ms);

// Something with a deadline; a node of the sweep's list.
class Timed {
 public:
  Timed() = default;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

  // The deadline has passed; it is off until it is armed again. It may take itself out of the sweep, and
  // nothing else.
  virtual void on_deadline() = 0;

 protected:
  ~Timed() = default;

 private:
  friend class DeadlineSweep;
  std::int64_t due_ms_ = kNever_ms;
  Timed* before_ = nullptr;
  Timed* after_ = nullptr;
};

class DeadlineSweep : public std::enable_shared_from_this<DeadlineSweep> {
 public:
  explicit DeadlineSweep(const boost::asio::any_io_executor& executor) : timer_(executor) {}
  DeadlineSweep(const DeadlineSweep&) = delete;
  DeadlineSweep& operator=(const DeadlineSweep&) = delete;

  // A Timed is removed before it is destroyed. The loop has work while anything is watched.
  void add(Timed& timed);
  void remove(Timed& timed);
  // From now on that deadline, as coarse_now_ms() counts; kNever_ms: none.
  void arm(Timed& timed, std::int64_t due_ms) {
    timed.due_ms_ = due_ms;
    if (due_ms < earliest_ms_) earliest_ms_ = due_ms;
  }

 private:
  void start_tick();
  void sweep();

  boost::asio::steady_timer timer_;
  bool ticking_ = false;
  // No deadline is before this one, so that most ticks look at nothing.
  std::int64_t earliest_ms_ = kNever_ms;
  Timed* first_ = nullptr;
};

}  // namespace palette::http
