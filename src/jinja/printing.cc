#include "jinja/printing.h"

#include <array>
#include <charconv>
#include <cmath>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/run_objects.h"
#include "jinja/text.h"
#include "jinja/undefined.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

void append_int(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_hex(std::string& out, char32_t point, int digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out.push_back(kHex[(point >> shift) & 0xF]);
}

void append_repr_text(std::string& out, std::string_view text) {
  bool single = text.find('\'') != std::string_view::npos;
  bool doubled = text.find('"') != std::string_view::npos;
  char quote = single && !doubled ? '"' : '\'';
  out.push_back(quote);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    if (point == static_cast<char32_t>(quote) || point == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(point));
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\r') {
      out += "\\r";
    } else if (point == '\t') {
      out += "\\t";
    } else if (is_printable_point(point)) {
      out += text.substr(begin, at - begin);
    } else if (point < 0x100) {
      out += "\\x";
      append_hex(out, point, 2);
    } else if (point < 0x10000) {
      out += "\\u";
      append_hex(out, point, 4);
    } else {
      out += "\\U";
      append_hex(out, point, 8);
    }
  }
  out.push_back(quote);
}

void append_repr_deep(std::string& out, const Value& value, std::uint32_t depth);

void append_items(std::string& out, const std::vector<Value>& items, std::uint32_t depth) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr_deep(out, items[i], depth + 1);
  }
}

void append_dict(std::string& out, const DictObject& dict, std::uint32_t depth) {
  out.push_back('{');
  bool first = true;
  for (const DictEntry& entry : dict.entries) {
    if (!first) out += ", ";
    first = false;
    append_repr_deep(out, entry.key, depth + 1);
    out += ": ";
    append_repr_deep(out, entry.value, depth + 1);
  }
  out.push_back('}');
}

void append_view(std::string& out, const ViewObject& view, std::uint32_t depth) {
  out += view.which == ViewKind::keys     ? "dict_keys(["
         : view.which == ViewKind::values ? "dict_values(["
                                          : "dict_items([";
  bool first = true;
  for (const DictEntry& entry : dict_of(view.dict).entries) {
    if (!first) out += ", ";
    first = false;
    if (view.which == ViewKind::items) {
      out.push_back('(');
      append_repr_deep(out, entry.key, depth + 1);
      out += ", ";
      append_repr_deep(out, entry.value, depth + 1);
      out.push_back(')');
    } else {
      append_repr_deep(out, view.which == ViewKind::keys ? entry.key : entry.value, depth + 1);
    }
  }
  out += "])";
}

void append_range(std::string& out, const RangeObject& range) {
  out += "range(";
  append_int(out, range.start);
  out += ", ";
  append_int(out, range.stop);
  if (range.step != 1) {
    out += ", ";
    append_int(out, range.step);
  }
  out += ")";
}

void append_object(std::string& out, const Value& value, std::uint32_t depth) {
  switch (value.kind()) {
    case Kind::loop:
      out += "<LoopContext ";
      append_int(out, loop_of(value).index0 + 1);
      out += "/";
      append_int(out, loop_of(value).length());
      out += ">";
      return;
    case Kind::macro:
      out += "<Macro ";
      if (macro_of(value).macro->name == nullptr) {
        out += "anonymous";
      } else {
        append_repr_text(out, macro_of(value).macro->name->as_string());
      }
      out += ">";
      return;
    case Kind::function:
      if (!function_of(value).shown.empty()) {
        out += function_of(value).shown;
        return;
      }
      break;
    case Kind::name_space:
      out += "<Namespace ";
      append_repr_deep(out, namespace_of(value).attributes, depth + 1);
      out += ">";
      return;
    case Kind::module:
      out += "<TemplateModule ";
      append_repr_text(out, module_of(value).name);
      out += ">";
      return;
    default:
      break;
  }
  fault(std::string(kind_name(value)) + " has no text of its own" +
        (value.kind() == Kind::generator ? ": add |list or |join" : ""));
}

void append_repr_deep(std::string& out, const Value& value, std::uint32_t depth) {
  check_value_depth(depth);
  check_operation(out.size(), "printing a value");
  count_steps();
  switch (value.kind()) {
    case Kind::undefined:
      out += "Undefined";
      return;
    case Kind::none:
      out += "None";
      return;
    case Kind::boolean:
      out += value.as_bool() ? "True" : "False";
      return;
    case Kind::integer:
      return append_int(out, value.as_int());
    case Kind::floating:
      return append_float(out, value.as_double());
    case Kind::string:
      if (value.is_safe()) out += "Markup(";
      append_repr_text(out, value.as_string());
      if (value.is_safe()) out += ")";
      return;
    case Kind::list:
      out.push_back('[');
      append_items(out, list_of(value).items, depth);
      out.push_back(']');
      return;
    case Kind::tuple:
      out.push_back('(');
      append_items(out, list_of(value).items, depth);
      out += value.size() == 1 ? ",)" : ")";
      return;
    case Kind::dict:
      return append_dict(out, dict_of(value), depth);
    case Kind::range:
      return append_range(out, range_of(value));
    case Kind::view:
      return append_view(out, view_of(value), depth);
    case Kind::generator:
    case Kind::loop:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::name_space:
    case Kind::cycler:
    case Kind::joiner:
    case Kind::module:
    case Kind::blocks:
      return append_object(out, value, depth);
  }
}

}  // namespace

// float.__repr__: the shortest digits that read back the same; an exponent below 1e-4 and from 1e16 on.
void append_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return;
  }
  std::array<char, 40> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::scientific).ptr;
  std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  int exponent = 0;
  std::size_t mark = text.find('e');
  std::string_view power = text.substr(mark + 1);
  if (power[0] == '+') power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (exponent < -4 || exponent >= 16) {
    out += text;
    return;
  }
  end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed).ptr;
  std::string_view fixed(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += fixed;
  if (fixed.find('.') == std::string_view::npos) out += ".0";
}

void append_text(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::string:
      out += string_of(value).view();
      return;
    case Kind::integer:
      return append_int(out, value.as_int());
    case Kind::undefined: {
      if (current_meter == nullptr || (value.detail() & kUndefinedMild) != 0) return;
      if (current_meter->undefined == UndefinedMode::strict) fail_undefined(value);
      if (current_meter->undefined == UndefinedMode::debug) out += undefined_debug_text(value);
      return;
    }
    case Kind::module:
      return append_text(out, module_of(value).body);
    default:
      return append_repr_deep(out, value, 0);
  }
}

std::string text_of(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

void append_escaped_value(std::string& out, const Value& value) {
  if (value.is_safe() || value.kind() == Kind::module) return append_text(out, value);
  if (value.is_string()) return append_escaped(out, value.as_string());
  append_escaped(out, text_of(value));
}

void append_repr(std::string& out, const Value& value) { append_repr_deep(out, value, 0); }

std::string repr_of(const Value& value) {
  std::string out;
  append_repr(out, value);
  return out;
}

std::string repr_text(std::string_view text) {
  std::string out;
  append_repr_text(out, text);
  return out;
}

std::string Value::to_text() const {
  std::string out;
  try {
    append_text(out, *this);
  } catch (const Fault&) {
    out = "<" + std::string(type_name(*this)) + ">";  // generators and the like; values nested too deep
  }
  return out;
}

}  // namespace palette::jinja
