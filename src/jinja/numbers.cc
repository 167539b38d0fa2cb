#include "jinja/numbers.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "jinja/fault.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

// Any script's decimal digits as ASCII ones; other characters stay.
std::string ascii_digits(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    int digit = decimal_value(next_point(text, at));
    if (digit >= 0) {
      out.push_back(static_cast<char>('0' + digit));
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return out;
}

// Takes out underscores that stand between digits; false when one stands elsewhere.
bool drop_underscores(std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
      continue;
    }
    auto solid = [&](std::size_t at) { return std::isalnum(static_cast<unsigned char>(text[at])) != 0; };
    if (i == 0 || i + 1 == text.size() || !solid(i - 1) || !solid(i + 1)) return false;
  }
  text = out;
  return true;
}

}  // namespace

std::optional<Value> parse_int(std::string_view source, int base) {
  if (base != 0 && (base < 2 || base > 36)) fault("int() base must be >= 2 and <= 36, or 0");
  std::string text = ascii_digits(strip_space(source, Side::both));
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text.size() > 2 && text[0] == '0') {
    char mark = static_cast<char>(text[1] | 0x20);
    int named = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (named != 0 && (base == named || base == 0)) {
      base = named;
      text.erase(0, 2);
      if (text.starts_with('_')) text.erase(0, 1);
    }
  }
  if (base == 0) {
    base = 10;
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string::npos) return std::nullopt;
  }
  if (!drop_underscores(text) || text.empty()) return std::nullopt;
  if (text[0] == '-' || text[0] == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (problem == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (problem == std::errc::result_out_of_range || magnitude > kMost + (negative ? 1 : 0)) {
    fault("the integer '" + std::string(source.substr(0, 40)) + "' does not fit in 64 bits");
  }
  return Value::of(static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude));
}

std::optional<double> parse_float(std::string_view source) {
  std::string text = ascii_digits(strip_space(source, Side::both));
  if (!drop_underscores(text) || text.empty()) return std::nullopt;
  std::string lower = to_lower(text);
  std::string_view bare = lower;
  bool negative = bare.starts_with('-');
  if (negative || bare.starts_with('+')) bare.remove_prefix(1);
  if (bare == "inf" || bare == "infinity") return negative ? -HUGE_VAL : HUGE_VAL;
  if (bare == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (bare.empty() || !(bare[0] == '.' || (bare[0] >= '0' && bare[0] <= '9'))) return std::nullopt;
  double value = 0;
  auto [end, problem] = std::from_chars(bare.data(), bare.data() + bare.size(), value);
  if (end != bare.data() + bare.size() || problem == std::errc::invalid_argument) return std::nullopt;
  if (problem == std::errc::result_out_of_range) value = std::strtod(std::string(bare).c_str(), nullptr);
  return negative ? -value : value;
}

}  // namespace palette::jinja
