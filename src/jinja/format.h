// Python's two ways to format: 'x %s' % y, and 'x {}'.format(y).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "jinja/environment.h"
#include "jinja/value.h"

namespace palette::jinja {

struct Run;

// `format` % `values`: a tuple, a dict, or one value.
Value format_percent(const Value& format, const Value& values);

// `format`.format(…); with `mapping`, format_map.
Value format_braces(const Value& format, std::span<const Value> positional, std::span<const Keyword> keywords,
                    const Value* mapping, Run& run);

// format(value, spec) of Python.
std::string format_value(const Value& value, std::string_view spec);

// [[fill]align][sign][z][#][0][width][grouping][.precision][type]
struct FormatSpec {
  std::string fill = " ";
  char align = 0;  // < > = ^
  char sign = '-';
  bool no_negative_zero = false;
  bool alternate = false;
  bool zero = false;
  std::int64_t width = 0;
  char grouping = 0;
  std::int64_t precision = -1;
  char type = 0;
};

FormatSpec parse_format_spec(std::string_view spec);

// Digits of the number without its sign, as `type` (e f g % …) wants them.
std::string float_digits(double magnitude, char type, std::int64_t precision, bool alternate);
std::string int_digits(std::uint64_t magnitude, char type, bool alternate);

// Fills up to the spec's width (in code points); `sign_length` bytes at the front stay there with align '='.
std::string padded(std::string text, std::size_t sign_length, const FormatSpec& spec, char default_align);

}  // namespace palette::jinja
