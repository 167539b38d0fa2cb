#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

bool is_align(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

std::int64_t take_number(std::string_view& spec) {
  std::int64_t number = 0;
  while (!spec.empty() && spec[0] >= '0' && spec[0] <= '9') {
    number = std::min<std::int64_t>(number * 10 + (spec[0] - '0'), INT64_MAX / 100);
    spec.remove_prefix(1);
  }
  return number;
}

// 1234567 as 1,234,567; of a float only what stands before the point.
std::string grouped(const std::string& digits, char separator, std::size_t size) {
  std::size_t whole = digits.find_first_not_of("0123456789abcdefABCDEF");
  if (whole == std::string::npos || size == 3) whole = std::min(whole, digits.find_first_of(".eE"));
  if (whole == std::string::npos) whole = digits.size();
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % size == 0) out.push_back(separator);
    out.push_back(digits[i]);
  }
  return out + digits.substr(whole);
}

std::string print_double(const char* format, int precision, double value) {
  int length = std::snprintf(nullptr, 0, format, precision, value);
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::snprintf(text.data(), text.size(), format, precision, value);
  text.pop_back();
  return text;
}

// With zeros after the sign up to the width, separators included ("{:08,}").
std::string zero_filled(std::string digits, const FormatSpec& spec, std::size_t sign_length) {
  std::size_t group = spec.type == 'x' || spec.type == 'X' || spec.type == 'b' || spec.type == 'o' ? 4 : 3;
  check_operation(static_cast<std::uint64_t>(spec.width), "format");
  std::string best = grouped(digits, spec.grouping, group);
  while (static_cast<std::int64_t>(best.size() + sign_length) < spec.width) {
    digits.insert(digits.begin(), '0');
    std::string next = grouped(digits, spec.grouping, group);
    best = next;
    if (digits.size() > static_cast<std::size_t>(spec.width)) break;
  }
  return best;
}

std::string format_number(const std::string& digits, bool negative, const std::string& prefix, const FormatSpec& spec) {
  std::string sign = negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
  sign += prefix;
  std::string body = digits;
  if (spec.grouping != 0) {
    std::size_t group = spec.type == 'x' || spec.type == 'X' || spec.type == 'b' || spec.type == 'o' ? 4 : 3;
    bool zeros = spec.fill == "0" && (spec.align == '=' || (spec.zero && spec.align == 0));
    body = zeros ? zero_filled(digits, spec, sign.size()) : grouped(digits, spec.grouping, group);
  }
  return padded(sign + body, sign.size(), spec, '>');
}

std::string format_float(double value, const FormatSpec& spec) {
  bool negative = std::signbit(value) && !std::isnan(value);
  double magnitude = std::fabs(value);
  std::string digits;
  if (spec.type == 0 && spec.precision < 0) {
    append_float(digits, magnitude);
  } else if (spec.type == 0) {
    // Like g, but with at least one digit after the point, and the exponent's limits of repr.
    digits = float_digits(magnitude, 'g', std::max<std::int64_t>(spec.precision, 1), spec.alternate);
    if (std::isfinite(magnitude) && digits.find_first_of(".e") == std::string::npos) digits += ".0";
  } else {
    digits = float_digits(magnitude, spec.type, spec.precision, spec.alternate);
  }
  if (spec.no_negative_zero && digits.find_first_of("123456789in") == std::string::npos) negative = false;
  return format_number(digits, negative, "", spec);
}

std::string format_int(const Value& value, const FormatSpec& spec) {
  std::int64_t number = value.as_int();
  switch (spec.type) {
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%':
      return format_float(static_cast<double>(number), spec);
    case 'c': {
      if (number < 0 || number > 0x10FFFF) fault("%c arg not in range(0x110000)");
      std::string text;
      append_point(text, static_cast<char32_t>(number));
      return padded(text, 0, spec, '<');
    }
    case 0:
    case 'd':
    case 'n':
    case 'b':
    case 'o':
    case 'x':
    case 'X':
      break;
    default:
      fault(std::string("Unknown format code '") + spec.type + "' for object of type 'int'");
  }
  if (spec.precision >= 0) fault("Precision not allowed in integer format specifier");
  auto bits = static_cast<std::uint64_t>(number);
  std::string prefix;
  if (spec.alternate && spec.type != 0 && std::string_view("boxX").find(spec.type) != std::string_view::npos) {
    prefix = std::string("0") + spec.type;
  }
  return format_number(int_digits(number < 0 ? 0 - bits : bits, spec.type, false), number < 0, prefix, spec);
}

}  // namespace

FormatSpec parse_format_spec(std::string_view text) {
  FormatSpec spec;
  const std::string whole(text);
  std::size_t first = text.empty() ? 0 : point_offset(text, 1);
  if (first < text.size() && is_align(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    text.remove_prefix(first + 1);
  } else if (!text.empty() && is_align(text[0])) {
    spec.align = text[0];
    text.remove_prefix(1);
  }
  auto take = [&](char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!text.empty() && (text[0] == '+' || text[0] == '-' || text[0] == ' ')) {
    spec.sign = text[0];
    text.remove_prefix(1);
  }
  spec.no_negative_zero = take('z');
  spec.alternate = take('#');
  if (take('0')) {
    spec.zero = true;
    if (spec.align == 0) spec.fill = "0";
  }
  spec.width = take_number(text);
  if (!text.empty() && (text[0] == ',' || text[0] == '_')) {
    spec.grouping = text[0];
    text.remove_prefix(1);
  }
  if (take('.')) {
    if (text.empty() || text[0] < '0' || text[0] > '9') fault("Format specifier missing precision");
    spec.precision = take_number(text);
  }
  if (!text.empty()) {
    spec.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty()) fault("Invalid format specifier '" + whole + "'");
  return spec;
}

std::string float_digits(double magnitude, char type, std::int64_t precision, bool alternate) {
  bool upper = type == 'E' || type == 'F' || type == 'G';
  if (std::isnan(magnitude) || std::isinf(magnitude)) {
    std::string text = std::isnan(magnitude) ? "nan" : "inf";
    if (upper) text = to_upper(text);
    return type == '%' ? text + "%" : text;
  }
  if (precision < 0) precision = 6;
  check_operation(static_cast<std::uint64_t>(precision) + 400, "format");
  bool percent = type == '%';
  char code = percent ? 'f' : type == 'n' ? 'g' : type;
  if (std::string_view("eEfFgG").find(code) == std::string_view::npos) {
    fault(std::string("Unknown format code '") + type + "' for object of type 'float'");
  }
  std::string format = std::string("%") + (alternate ? "#" : "") + ".*" + code;
  std::string text = print_double(format.c_str(), static_cast<int>(precision), percent ? magnitude * 100 : magnitude);
  return percent ? text + "%" : text;
}

std::string int_digits(std::uint64_t magnitude, char type, bool alternate) {
  unsigned base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
  std::string_view names = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string digits;
  do {
    digits.push_back(names[magnitude % base]);
    magnitude /= base;
  } while (magnitude > 0);
  std::ranges::reverse(digits);
  if (alternate && base != 10) digits.insert(0, std::string("0") + type);
  return digits;
}

std::string padded(std::string text, std::size_t sign_length, const FormatSpec& spec, char default_align) {
  auto length = static_cast<std::int64_t>(count_points(text));
  if (spec.width <= length) return text;
  std::int64_t missing = spec.width - length;
  check_operation(static_cast<std::uint64_t>(missing) * spec.fill.size() + text.size(), "format");
  char align = spec.align != 0 ? spec.align : spec.zero && default_align == '>' ? '=' : default_align;
  std::int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string before;
  std::string after;
  for (std::int64_t i = 0; i < left; ++i) before += spec.fill;
  for (std::int64_t i = left; i < missing; ++i) after += spec.fill;
  if (align == '=') return text.substr(0, sign_length) + before + text.substr(sign_length);
  return before + text + after;
}

std::string format_value(const Value& value, std::string_view text) {
  if (text.empty()) return text_of(value);
  if (!value.is_string() && !value.is_number()) {
    fault("unsupported format string passed to " + std::string(type_name(value)) + ".__format__");
  }
  FormatSpec spec = parse_format_spec(text);
  if (value.is_string()) {
    if (spec.type != 0 && spec.type != 's') {
      fault(std::string("Unknown format code '") + spec.type + "' for object of type 'str'");
    }
    if (spec.align == '=') fault("'=' alignment not allowed in string format specifier");
    if (spec.sign != '-' || spec.alternate || spec.grouping != 0) fault("Invalid format specifier for a string");
    std::string_view shown = value.as_string();
    if (spec.precision >= 0) shown = point_range(shown, 0, static_cast<std::size_t>(spec.precision));
    return padded(std::string(shown), 0, spec, '<');
  }
  if (value.is_double()) return format_float(value.as_double(), spec);
  return format_int(value, spec);
}

}  // namespace palette::jinja
