// What the render that runs on this thread has used and may use. Outside of a render nothing is counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "jinja/environment.h"
#include "jinja/limits.h"

namespace palette::jinja {

struct Meter {
  Limits limits;
  UndefinedMode undefined = UndefinedMode::normal;
  std::int64_t live_bytes = 0;
  std::uint64_t steps = 0;
  std::uint64_t next_check = 4096;  // the step at which the clock is looked at next
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  const char* stack_top = nullptr;
};

// The meter of the render that runs on this thread, or null.
extern constinit thread_local Meter* current_meter;

// Fails (too_large) when the render would keep more than its limit alive.
void meter_take_slow(std::size_t bytes);
inline void meter_take(std::size_t bytes) {
  Meter* meter = current_meter;
  if (meter == nullptr) return;
  meter->live_bytes += static_cast<std::int64_t>(bytes);
  if (meter->live_bytes > static_cast<std::int64_t>(meter->limits.live_bytes)) meter_take_slow(bytes);
}
inline void meter_give(std::size_t bytes) noexcept {
  if (current_meter != nullptr) current_meter->live_bytes -= static_cast<std::int64_t>(bytes);
}

// Fails when one operation would make more than Limits::operation_bytes. `what` names it: "range", "'x' * n".
void check_operation(std::uint64_t bytes, const char* what);

// Counts work done; fails at the limit of steps and past the deadline.
void steps_crossed(Meter& meter);
inline void count_steps(std::uint64_t steps = 1) {
  Meter* meter = current_meter;
  if (meter == nullptr) return;
  meter->steps += steps;
  if (meter->steps >= meter->next_check) steps_crossed(*meter);
}

// Fails when the C++ stack below the render's start is nearly used up.
void stack_crossed();
inline void check_stack() {
  const Meter* meter = current_meter;
  if (meter == nullptr) return;
  std::ptrdiff_t used = meter->stack_top - static_cast<const char*>(__builtin_frame_address(0));
  if (used > static_cast<std::ptrdiff_t>(meter->limits.stack_bytes)) stack_crossed();
}

// How deep values may nest; checked by whatever walks them.
void check_value_depth(std::uint32_t depth);

bool strict_undefined();
bool chainable_undefined();

// Sets the meter for a scope, and puts the one before back.
class MeterScope {
 public:
  explicit MeterScope(Meter* meter) : before_(current_meter) { current_meter = meter; }
  ~MeterScope() { current_meter = before_; }
  MeterScope(const MeterScope&) = delete;
  MeterScope& operator=(const MeterScope&) = delete;

 private:
  Meter* before_;
};

}  // namespace palette::jinja
