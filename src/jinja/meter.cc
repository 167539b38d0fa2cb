#include "jinja/meter.h"

#include <algorithm>
#include <string>

#include "jinja/fault.h"

namespace palette::jinja {
namespace {

constexpr std::uint64_t kStepsBetweenClockLooks = 4096;

}  // namespace

constinit thread_local Meter* current_meter = nullptr;

void meter_take_slow(std::size_t bytes) {
  Meter& meter = *current_meter;
  meter.live_bytes -= static_cast<std::int64_t>(bytes);
  fault_limit("the values of this render take more than the limit of " + std::to_string(meter.limits.live_bytes) +
              " bytes (live_bytes)");
}

void check_operation(std::uint64_t bytes, const char* what) {
  std::uint64_t most = current_meter == nullptr ? Limits{}.operation_bytes : current_meter->limits.operation_bytes;
  if (bytes <= most) return;
  fault_limit(std::string(what) + " would make " + std::to_string(bytes) + " bytes; the limit for one operation is " +
              std::to_string(most) + " (operation_bytes)");
}

void steps_crossed(Meter& meter) {
  if (meter.steps > meter.limits.steps) {
    fault_limit("the template takes more than the limit of " + std::to_string(meter.limits.steps) + " steps (steps)");
  }
  if (std::chrono::steady_clock::now() > meter.deadline) {
    throw Fault(ErrorKind::timeout, "the template takes longer than the limit of " +
                                        std::to_string(meter.limits.deadline_ms) + " ms (deadline_ms)");
  }
  meter.next_check = std::min(meter.steps + kStepsBetweenClockLooks, meter.limits.steps + 1);
}

void stack_crossed() {
  fault_limit("calls, includes or expressions nest too deep for the limit of " +
              std::to_string(current_meter->limits.stack_bytes) + " bytes of stack (stack_bytes)");
}

void check_value_depth(std::uint32_t depth) {
  std::uint32_t most = current_meter == nullptr ? Limits{}.value_depth : current_meter->limits.value_depth;
  if (depth > most) {
    fault_limit("lists and dicts nest deeper than the limit of " + std::to_string(most) + " (value_depth)");
  }
}

bool strict_undefined() { return current_meter != nullptr && current_meter->undefined == UndefinedMode::strict; }
bool chainable_undefined() { return current_meter != nullptr && current_meter->undefined == UndefinedMode::chainable; }

}  // namespace palette::jinja
