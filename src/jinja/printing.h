// Values as text, exactly as Python 3 prints them.
#pragma once

#include <string>
#include <string_view>

#include "jinja/value.h"

namespace palette::jinja {

// str(value). Undefined follows the render's mode. Fails for a generator, which prints as an address in Python.
void append_text(std::string& out, const Value& value);
std::string text_of(const Value& value);

// What autoescape makes of it: escaped unless it is safe.
void append_escaped_value(std::string& out, const Value& value);

void append_repr(std::string& out, const Value& value);
std::string repr_of(const Value& value);
std::string repr_text(std::string_view text);  // of a str
void append_float(std::string& out, double value);

// json.dumps of Python: `indent` < 0 for one line with ", " and ": ".
struct JsonStyle {
  int indent = -1;
  std::string indent_text = {};  // when the indent was given as text
  bool ascii = true;             // non-ASCII as \uXXXX
  bool sort_keys = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
std::string json_of(const Value& value, const JsonStyle& style);

}  // namespace palette::jinja
