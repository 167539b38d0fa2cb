// The forms of time that AWS, its tools and HTTP write.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace palette::aws {

// When credentials end: ISO 8601 with "Z", "UTC" (older AWS CLIs) or an offset (Python's isoformat), with or without
// fractions. bad_input otherwise.
Result<UtcTime> parse_expiry(std::string_view text);

// "Tue, 24 Nov 2026 11:26:25 GMT" (RFC 9110 section 5.6.7, IMF-fixdate; the two obsolete forms are not sent by AWS).
std::optional<UtcTime> parse_http_date(std::string_view text);

// Whole digits, at most 15 of them; none for anything else.
std::optional<std::int64_t> parse_digits(std::string_view text);

}  // namespace palette::aws
