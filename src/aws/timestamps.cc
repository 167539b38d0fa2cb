#include "aws/timestamps.h"

#include <algorithm>
#include <array>
#include <string>

namespace palette::aws {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The minutes of "+02:00", "-0530", "Z" and "UTC" at the end of `text`, and how long that end is.
struct Offset {
  std::int64_t minutes = 0;
  std::size_t bytes = 0;
};

std::optional<Offset> offset_of(std::string_view text) {
  if (text.ends_with("Z")) return Offset{0, 1};
  if (text.ends_with("UTC")) return Offset{0, 3};
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos || sign < std::string_view("2026-11-23T10:00:00").size()) return std::nullopt;
  std::string digits(text.substr(sign + 1));
  std::erase(digits, ':');
  const std::optional<std::int64_t> number = digits.size() == 4 ? parse_digits(digits) : std::nullopt;
  if (!number || *number % 100 > 59) return std::nullopt;
  const std::int64_t minutes = *number / 100 * 60 + *number % 100;
  return Offset{text[sign] == '-' ? -minutes : minutes, text.size() - sign};
}

}  // namespace

Result<UtcTime> parse_expiry(std::string_view text) {
  const std::optional<Offset> offset = offset_of(text);
  Result<UtcTime> time =
      UtcTime::from_iso(std::string(text.substr(0, text.size() - (offset ? offset->bytes : 0))) + "Z");
  if (!offset || !time) {
    return fail(ErrorKind::bad_input,
                "'" + std::string(text.substr(0, 40)) + "' is not a time like 2026-11-23T10:00:00Z");
  }
  time->unix_ms -= offset->minutes * 60'000;
  return time;
}

std::optional<UtcTime> parse_http_date(std::string_view text) {
  // day-name "," SP day SP month SP year SP hour ":" minute ":" second SP "GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const auto number = std::to_string(month - kMonths.begin() + 1);
  const std::string iso = std::string(text.substr(12, 4)) + "-" + (number.size() < 2 ? "0" : "") + number + "-" +
                          std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z";
  const Result<UtcTime> time = UtcTime::from_iso(iso);
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace palette::aws
