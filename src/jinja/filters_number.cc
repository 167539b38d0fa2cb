#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "jinja/attribute_path.h"
#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/numbers.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

Value from_double(double value) {
  if (!(std::fabs(value) < 9223372036854775808.0)) fault("the integer does not fit in 64 bits");
  return Value::of(static_cast<std::int64_t>(value));
}

Value to_int(Arguments& arguments) {
  auto given = bind(arguments, {"value", "default", "base"}, 1);
  const Value& value = *given[0];
  Value fallback = given[1] == nullptr ? Value::of(0) : *given[1];
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_int() || value.is_bool()) return Value::of(value.as_int());
  if (value.is_double()) {
    if (std::isfinite(value.as_double())) return from_double(std::trunc(value.as_double()));
    return std::isnan(value.as_double()) ? fallback : (fault("cannot convert float infinity to integer"), Value());
  }
  if (!value.is_string()) return fallback;
  std::int64_t base = integer_or(given[2], 10, arguments, "base");
  if (std::optional<Value> whole = parse_int(value.as_string(), static_cast<int>(base)); whole) return *whole;
  // "42.23"|int gives 42.
  std::optional<double> real = parse_float(value.as_string());
  if (!real || !std::isfinite(*real)) return fallback;
  return from_double(std::trunc(*real));
}

Value to_float(Arguments& arguments) {
  auto given = bind(arguments, {"value", "default"}, 1);
  const Value& value = *given[0];
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_number()) return Value::of(value.as_double());
  std::optional<double> real = value.is_string() ? parse_float(value.as_string()) : std::nullopt;
  if (real) return Value::of(*real);
  return given[1] == nullptr ? Value::of(0.0) : *given[1];
}

Value absolute(Arguments& arguments) {
  auto given = bind(arguments, {"x"}, 1);
  const Value& value = *given[0];
  if (value.is_double()) return Value::of(std::fabs(value.as_double()));
  if (value.is_number()) return value.as_int() < 0 ? negated(value) : Value::of(value.as_int());
  if (value.is_undefined()) fail_undefined(value);
  fault("bad operand type for abs(): '" + std::string(type_name(value)) + "'");
}

// round() of Python: to even, and by the decimal digits of the double.
double round_double(double value, std::int64_t digits) {
  if (!std::isfinite(value) || digits > 323) return value;
  if (digits < -308) return std::copysign(0.0, value);
  if (digits >= 0) {
    std::string text = float_digits(std::fabs(value), 'f', digits, false);
    double rounded = 0;
    std::from_chars(text.data(), text.data() + text.size(), rounded);
    return std::copysign(rounded, value);
  }
  double scale = std::pow(10.0, static_cast<double>(-digits));
  return std::nearbyint(value / scale) * scale;
}

Value round_int(std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return Value::of(value);
  if (digits < -18) return Value::of(0);
  std::int64_t scale = 1;
  for (std::int64_t i = 0; i < -digits; ++i) scale *= 10;
  std::int64_t rest = value % scale;
  std::int64_t down = value - rest;
  std::int64_t twice = std::abs(rest) - (scale - std::abs(rest));
  bool up = twice > 0 || (twice == 0 && (down / scale) % 2 != 0);
  std::int64_t result = down;
  if (up && __builtin_add_overflow(down, value < 0 ? -scale : scale, &result)) {
    fault("the rounded number does not fit in a 64-bit integer");
  }
  return Value::of(result);
}

Value round(Arguments& arguments) {
  auto given = bind(arguments, {"value", "precision", "method"}, 1);
  const Value& value = *given[0];
  std::int64_t digits = integer_or(given[1], 0, arguments, "precision");
  std::string method = text_or(given[2], "common");
  if (method != "common" && method != "ceil" && method != "floor") fault("method must be common, ceil or floor");
  if (!value.is_number()) {
    if (value.is_undefined()) fail_undefined(value);
    fault("type " + std::string(type_name(value)) + " doesn't define __round__ method");
  }
  if (method == "common") {
    if (!value.is_double()) return round_int(value.as_int(), digits);
    return Value::of(round_double(value.as_double(), digits));
  }
  if (std::abs(digits) > 308) fault("the precision is out of range");
  // func(value * 10**precision) / 10**precision, where a negative power of ten is a float.
  double scale =
      digits >= 0 ? std::pow(10.0, static_cast<double>(digits)) : 1.0 / std::pow(10.0, static_cast<double>(-digits));
  double scaled = value.as_double() * scale;
  if (!std::isfinite(scaled)) fault("cannot convert float infinity or NaN to integer");
  // The rounded number is an integer in Python: it has no negative zero.
  return Value::of(((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0) / scale);
}

Value file_size(Arguments& arguments) {
  auto given = bind(arguments, {"value", "binary"}, 1);
  std::optional<double> bytes;
  if (given[0]->is_number()) bytes = given[0]->as_double();
  if (given[0]->is_string()) bytes = parse_float(given[0]->as_string());
  if (!bytes) fault("filesizeformat wants a number, found " + std::string(kind_name(*given[0])));
  bool binary_units = truth_or(given[1], false);
  double base = binary_units ? 1024 : 1000;
  constexpr std::string_view kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  constexpr std::string_view kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  if (*bytes == 1) return Value::of("1 Byte");
  if (*bytes < base) {
    double whole = std::trunc(*bytes) + 0.0;
    return Value::of((whole < 0 ? "-" : "") + float_digits(std::fabs(whole), 'f', 0, false) + " Bytes");
  }
  long double unit = base;  // powers of ten up to 10^27 are exact in its 64 bits, as in Python's integers
  std::string_view name;
  for (std::size_t i = 0; i < std::size(kDecimal); ++i) {
    unit *= base;
    name = binary_units ? kBinary[i] : kDecimal[i];
    if (*bytes < unit) break;
  }
  return Value::of(float_digits(base * *bytes / static_cast<double>(unit), 'f', 1, false) + " " + std::string(name));
}

Value sum(Arguments& arguments) {
  auto given = bind(arguments, {"iterable", "attribute", "start"}, 1);
  Value total = given[2] == nullptr ? Value::of(0) : *given[2];
  if (total.is_string()) fault("sum() can't sum strings; use join instead");
  std::optional<AttributePath> path;
  if (given[1] != nullptr && !given[1]->is_none()) path.emplace(arguments.run, *given[1]);
  ItemSource source(*given[0]);
  Value item;
  while (source.next(item)) total = binary(BinaryOp::add, total, path ? path->get(item) : item);
  return total;
}

}  // namespace

void add_number_filters(Registry& registry) {
  auto add = [&](const char* name, Builtin builtin) { registry.filters[name].builtin = builtin; };
  add("int", to_int);
  add("float", to_float);
  add("abs", absolute);
  add("round", round);
  add("filesizeformat", file_size);
  add("sum", sum);
}

}  // namespace palette::jinja
