// Decimal numbers in any form (dynamo_attribute.h).
#include <algorithm>
#include <charconv>
#include <string>

#include "aws/dynamo_attribute.h"

namespace palette::aws {
namespace {

// DynamoDB's own limits: 38 significant digits, magnitudes from 1E-130 to 9.9…E+125.
constexpr std::size_t kDigitsMax = 38;
constexpr int kExponentMax = 125, kExponentMin = -130;

// 0.DIGITS * 10^point, without zeros at either end; no digits: zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  int point = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::unexpected<Error> no_number(std::string_view text, std::string_view why) {
  return fail(ErrorKind::corrupt, "'" + std::string(text.substr(0, 100)) + "' is no number: " + std::string(why));
}

// [sign] digits [. digits] [e [sign] digits], at least one digit before or after the point.
Result<Decimal> read_decimal(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) out.negative = text[at++] == '-';
  bool any_digit = false, after_point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !after_point)); ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    any_digit = true;
    const bool leading_zero = out.digits.empty() && text[at] == '0';
    if (!leading_zero) out.digits += text[at];
    if (after_point && leading_zero) --out.point;
    if (!after_point && !leading_zero) ++out.point;
  }
  if (!any_digit) return no_number(text, "there are no digits");
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at + 1 < text.size() && text[at] == '+' && is_digit(text[at + 1])) ++at;
    int exponent = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (error != std::errc{} || std::abs(exponent) > 10'000) return no_number(text, "its exponent cannot be read");
    at = static_cast<std::size_t>(end - text.data());
    out.point += exponent;
  }
  if (at != text.size()) return no_number(text, "digits, one decimal point and an exponent are expected");
  out.digits.erase(out.digits.find_last_not_of('0') + 1);
  if (out.digits.size() > kDigitsMax) return no_number(text, "it has over 38 digits");
  if (!out.digits.empty() && (out.point - 1 > kExponentMax || out.point - 1 < kExponentMin))
    return no_number(text, "it is outside 1E-130 to 9.9E+125");
  return out;
}

}  // namespace

Result<std::string> plain_decimal(std::string_view number) {
  const Result<Decimal> decimal = read_decimal(number);
  if (!decimal) return std::unexpected(decimal.error());
  if (decimal->digits.empty()) return "0";
  std::string out = decimal->negative ? "-" : "";
  const auto size = static_cast<int>(decimal->digits.size());
  if (decimal->point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-decimal->point), '0') + decimal->digits;
  } else if (decimal->point >= size) {
    out += decimal->digits + std::string(static_cast<std::size_t>(decimal->point - size), '0');
  } else {
    const auto whole = static_cast<std::size_t>(decimal->point);
    out += decimal->digits.substr(0, whole) + "." + decimal->digits.substr(whole);
  }
  return out;
}

}  // namespace palette::aws
