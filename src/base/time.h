// Wall-clock time as milliseconds since 1970, UTC, and its text form "2026-11-23T10:00:00.123Z".
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette {

struct UtcTime {
  std::int64_t unix_ms = 0;
  auto operator<=>(const UtcTime&) const = default;

  std::string to_iso() const;   // 2026-11-23T10:00:00.123Z
  std::string to_date() const;  // 2026-11-23

  // Exactly the forms YYYY-MM-DDTHH:MM:SSZ and with 1-9 digits of a second's fraction (cut to ms).
  static Result<UtcTime> from_iso(std::string_view text);
};

// Where "now" comes from: injected, so that no test sleeps.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UtcTime now() const = 0;
  // Never goes back; for durations and leases.
  virtual std::int64_t monotonic_ms() const = 0;
};

const Clock& system_clock();

}  // namespace palette
