#include "base/money.h"

#include <charconv>
#include <limits>

namespace palette {
namespace {

constexpr std::int64_t kPicoPerDollar = 1'000'000'000'000;
constexpr int kDigits = 12;

Error not_money(std::string_view text, std::string_view why) {
  return Error{ErrorKind::bad_input, "'" + std::string(text) + "' is not an amount of US dollars: " + std::string(why)};
}

}  // namespace

std::string Money::to_decimal() const {
  const bool negative = pico < 0;
  const std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(pico) : static_cast<std::uint64_t>(pico);
  std::string out = std::to_string(magnitude / kPicoPerDollar);
  if (std::uint64_t rest = magnitude % kPicoPerDollar; rest != 0) {
    std::string digits = std::to_string(rest);
    digits.insert(0, kDigits - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    out += "." + digits;
  }
  return negative ? "-" + out : out;
}

Result<Money> Money::from_decimal(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);

  std::string digits;  // all digits, without the point
  int point = -1;      // how many digits stand before the point
  std::size_t i = 0;
  for (; i < rest.size() && rest[i] != 'e' && rest[i] != 'E'; ++i) {
    if (rest[i] == '.' && point < 0) {
      point = static_cast<int>(digits.size());
    } else if (rest[i] >= '0' && rest[i] <= '9' && digits.size() < 64) {
      digits += rest[i];
    } else {
      return std::unexpected(not_money(text, "digits and one decimal point are expected"));
    }
  }
  if (digits.empty()) return std::unexpected(not_money(text, "there are no digits"));
  if (point < 0) point = static_cast<int>(digits.size());

  int exponent = 0;
  if (i < rest.size()) {
    std::string_view e = rest.substr(i + 1);
    if (e.starts_with('+') && !e.starts_with("+-")) e.remove_prefix(1);
    auto [end, ec] = std::from_chars(e.data(), e.data() + e.size(), exponent);
    if (ec != std::errc{} || end != e.data() + e.size() || exponent > 100 || exponent < -100) {
      return std::unexpected(not_money(text, "the exponent cannot be read"));
    }
  }

  // value = digits * 10^(point + exponent - digits.size()); scaled to pico.
  int scale = point + exponent - static_cast<int>(digits.size()) + kDigits;
  while (scale < 0 && !digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++scale;
  }
  if (digits.empty()) return Money{0};
  if (scale < 0) return std::unexpected(not_money(text, "at most 12 digits after the point are kept"));
  std::int64_t pico = 0;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  auto push = [&](int digit) {
    if (pico > (kMax - digit) / 10) return false;
    pico = pico * 10 + digit;
    return true;
  };
  for (char c : digits) {
    if (!push(c - '0')) return std::unexpected(not_money(text, "it is too large"));
  }
  for (int k = 0; k < scale && pico != 0; ++k) {
    if (!push(0)) return std::unexpected(not_money(text, "it is too large"));
  }
  return Money{negative ? -pico : pico};
}

}  // namespace palette
