#include "model/openai_retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "aws/timestamps.h"

namespace palette::model {
namespace {

constexpr double kDayMs = 86'400'000;

// A number from the front of the text, which loses it; nothing when none is there.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (ec != std::errc{} || !std::isfinite(value) || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// The milliseconds of a unit from the front of the text, which loses it.
std::optional<double> take_unit_ms(std::string_view& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", kDayMs}}};
  for (const auto& [name, ms] : kUnits) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return ms;
  }
  return std::nullopt;
}

// Rounded up: a wait that ends a little early is thrown away.
std::int64_t whole_ms(double ms) { return static_cast<std::int64_t>(std::ceil(std::min(ms, kDayMs))); }

std::optional<std::int64_t> seconds_ms(std::string_view text, double ms_each) {
  const std::optional<double> number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  return whole_ms(*number * ms_each);
}

std::int64_t reset_ms(std::string_view remaining, std::string_view reset) {
  return remaining == "0" ? duration_ms(reset).value_or(0) : 0;
}

}  // namespace

std::optional<std::int64_t> duration_ms(std::string_view text) {
  if (const std::optional<std::int64_t> plain = seconds_ms(text, 1'000)) return plain;
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    const std::optional<double> unit = number ? take_unit_ms(text) : std::nullopt;
    if (!unit) return std::nullopt;
    total += *number * *unit;
  }
  return whole_ms(total);
}

std::int64_t wait_ms(const WaitHeaders& headers, std::int64_t now_unix_ms) {
  if (const auto exact = seconds_ms(headers.retry_after_ms, 1)) return *exact;
  if (const auto seconds = seconds_ms(headers.retry_after, 1'000)) return *seconds;
  if (const auto date = aws::parse_http_date(headers.retry_after)) {
    return std::clamp<std::int64_t>(date->unix_ms - now_unix_ms, 0, static_cast<std::int64_t>(kDayMs));
  }
  return std::max(reset_ms(headers.remaining_requests, headers.reset_requests),
                  reset_ms(headers.remaining_tokens, headers.reset_tokens));
}

}  // namespace palette::model
