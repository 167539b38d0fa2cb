#include "http/deadlines.h"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace palette::http {

std::int64_t coarse_now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

std::int64_t due_in(std::int64_t wait_ms) {
  if (wait_ms <= 0) return kNever_ms;
  const std::int64_t now = coarse_now_ms();
  return wait_ms > kNever_ms - now ? kNever_ms : now + wait_ms;
}

void DeadlineSweep::add(Timed& timed) {
  timed.before_ = nullptr;
  timed.after_ = first_;
  if (first_ != nullptr) first_->before_ = &timed;
  first_ = &timed;
  if (!ticking_) start_tick();
}

void DeadlineSweep::remove(Timed& timed) {
  if (timed.before_ != nullptr) timed.before_->after_ = timed.after_;
  if (timed.after_ != nullptr) timed.after_->before_ = timed.before_;
  if (first_ == &timed) first_ = timed.after_;
  timed.before_ = timed.after_ = nullptr;
}

void DeadlineSweep::start_tick() {
  ticking_ = true;
  timer_.expires_after(std::chrono::milliseconds(kTick_ms));
  // A weak pointer: an expiry that is already queued outlives the sweep.
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->ticking_ = false;
    self->sweep();
    if (self->first_ != nullptr) self->start_tick();
  });
}

void DeadlineSweep::sweep() {
  const std::int64_t now = coarse_now_ms();
  if (now < earliest_ms_) return;
  earliest_ms_ = kNever_ms;
  for (Timed* timed = first_; timed != nullptr;) {
    Timed* const after = timed->after_;
    if (timed->due_ms_ <= now) {
      timed->due_ms_ = kNever_ms;
      timed->on_deadline();
    } else {
      earliest_ms_ = std::min(earliest_ms_, timed->due_ms_);
    }
    timed = after;
  }
}

}  // namespace palette::http
