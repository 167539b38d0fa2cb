#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

std::string_view text_argument(const Value& value, const Arguments& arguments) {
  if (value.is_string()) return value.as_string();
  if (value.is_undefined()) fail_undefined(value);
  fault(std::string(arguments.name) + "() wants a string, found " + std::string(kind_name(value)));
}

Value same_kind(const Value& self, std::string_view text) {
  return self.is_safe() ? Value::safe(text) : Value::of(text);
}

Value parts_list(const Value& self, const std::vector<std::string_view>& parts, Kind kind = Kind::list) {
  check_operation(parts.size() * (sizeof(Value) + sizeof(StringObject)), "split");
  count_steps(parts.size());
  std::vector<Value> items;
  items.reserve(parts.size());
  for (std::string_view part : parts) items.push_back(same_kind(self, part));
  return make_list(std::move(items), kind);
}

Value split(const Value& self, bool right, const Arguments& arguments) {
  auto given = bind(arguments, {"sep", "maxsplit"}, 0);
  std::int64_t most = integer_or(given[1], -1, arguments, "maxsplit");
  std::string_view text = self.as_string();
  if (given[0] == nullptr || given[0]->is_none()) {
    return parts_list(self, right ? split_space_right(text, most) : split_space(text, most));
  }
  std::string_view separator = text_argument(*given[0], arguments);
  if (separator.empty()) fault("empty separator");
  return parts_list(self, right ? split_at_right(text, separator, most) : split_at(text, separator, most));
}

Value partition(const Value& self, bool right, const Arguments& arguments) {
  auto given = bind(arguments, {"sep"}, 1);
  std::string_view separator = text_argument(*given[0], arguments);
  if (separator.empty()) fault("empty separator");
  std::string_view text = self.as_string();
  std::size_t at = right ? text.rfind(separator) : find_text(text, separator);
  if (at == std::string_view::npos) {
    return parts_list(self,
                      right ? std::vector<std::string_view>{"", "", text} : std::vector<std::string_view>{text, "", ""},
                      Kind::tuple);
  }
  return parts_list(self, {text.substr(0, at), separator, text.substr(at + separator.size())}, Kind::tuple);
}

Value strip(const Value& self, Side side, const Arguments& arguments) {
  auto given = bind(arguments, {"chars"}, 0);
  bool chars = given[0] != nullptr && !given[0]->is_none();
  std::string_view text = self.as_string();
  return same_kind(self,
                   chars ? strip_chars(text, text_argument(*given[0], arguments), side) : strip_space(text, side));
}

Value join(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"iterable"}, 1);
  std::string out;
  ItemSource source(*given[0]);
  Value item;
  bool first = true;
  std::size_t position = 0;
  while (source.next(item)) {
    if (!first) out += self.as_string();
    first = false;
    if (self.is_safe()) {
      append_escaped_value(out, item);
    } else if (!item.is_string()) {
      fault("sequence item " + std::to_string(position) + ": expected str instance, " + std::string(type_name(item)) +
            " found");
    } else {
      out += item.as_string();
    }
    ++position;
    check_operation(out.size(), "join");
  }
  return same_kind(self, out);
}

Value replace(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"old", "new", "count"}, 2);
  std::string_view from = text_argument(*given[0], arguments);
  std::string_view to = text_argument(*given[1], arguments);
  std::int64_t most = integer_or(given[2], -1, arguments, "count");
  count_steps(self.as_string().size() / 32);
  if (!self.is_safe()) return Value::of(replace_text(self.as_string(), from, to, most));
  std::string escaped_from;
  std::string escaped_to;
  append_escaped_value(escaped_from, *given[0]);
  append_escaped_value(escaped_to, *given[1]);
  return Value::safe(replace_text(self.as_string(), escaped_from, escaped_to, most));
}

// center, ljust and rjust of Python.
Value pad(const Value& self, MethodId method, const Arguments& arguments) {
  auto given = bind(arguments, {"width", "fillchar"}, 1);
  std::int64_t width = integer_or(given[0], 0, arguments, "width");
  std::string_view fill = given[1] == nullptr ? " " : text_argument(*given[1], arguments);
  if (count_points(fill) != 1) fault("The fill character must be exactly one character long");
  auto length = static_cast<std::int64_t>(code_points(self));
  if (width <= length) return self;
  std::int64_t missing = width - length;
  if (missing > INT64_MAX / 8) missing = INT64_MAX / 8;
  check_operation(static_cast<std::uint64_t>(missing) * fill.size(), "padding");
  // str.center puts the odd one to the left when the width is odd.
  std::int64_t left = method == MethodId::rjust   ? missing
                      : method == MethodId::ljust ? 0
                                                  : missing / 2 + (missing & width & 1);
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += fill;
  out += self.as_string();
  for (std::int64_t i = left; i < missing; ++i) out += fill;
  return same_kind(self, out);
}

Value zfill(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"width"}, 1);
  std::int64_t width = integer_or(given[0], 0, arguments, "width");
  auto length = static_cast<std::int64_t>(code_points(self));
  if (width <= length) return self;
  check_operation(static_cast<std::uint64_t>(width), "zfill");
  std::string_view text = self.as_string();
  std::string out;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    out.push_back(text[0]);
    text.remove_prefix(1);
  }
  out.append(static_cast<std::size_t>(width - length), '0');
  out += text;
  return same_kind(self, out);
}

Value expand_tabs(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"tabsize"}, 0);
  std::int64_t size = integer_or(given[0], 8, arguments, "tabsize");
  std::string out;
  std::int64_t column = 0;
  std::string_view text = self.as_string();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    if (point == '\t') {
      std::int64_t blanks = size > 0 ? size - column % size : 0;
      check_operation(out.size() + static_cast<std::uint64_t>(blanks), "expandtabs");
      out.append(static_cast<std::size_t>(blanks), ' ');
      column += blanks;
    } else {
      out += text.substr(begin, at - begin);
      column = point == '\n' || point == '\r' ? 0 : column + 1;
    }
  }
  return same_kind(self, out);
}

bool all_points(std::string_view text, bool (*is)(char32_t), bool when_empty) {
  if (text.empty()) return when_empty;
  for (std::size_t at = 0; at < text.size();) {
    if (!is(next_point(text, at))) return false;
  }
  return true;
}

// islower and isupper: a cased letter, and none of the other case.
bool is_case(std::string_view text, bool (*is)(char32_t), bool (*other)(char32_t)) {
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = next_point(text, at);
    if (other(point) || is_title_point(point)) return false;
    any |= is(point);
  }
  return any;
}

bool is_title_text(std::string_view text) {
  bool any = false;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = next_point(text, at);
    if (is_upper_point(point) || is_title_point(point)) {
      if (inside) return false;
      inside = any = true;
    } else if (is_lower_point(point)) {
      if (!inside) return false;
      any = true;
    } else {
      inside = false;
    }
  }
  return any;
}

bool is_identifier_text(std::string_view text) {
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = next_point(text, at);
    if (point != '_' && !(first ? is_name_start(point) : is_name_part(point))) return false;
    first = false;
  }
  return !first;
}

Value remove_affix(const Value& self, bool prefix, const Arguments& arguments) {
  auto given = bind(arguments, {"affix"}, 1);
  std::string_view affix = text_argument(*given[0], arguments);
  std::string_view text = self.as_string();
  if (affix.empty()) return self;
  if (prefix && text.starts_with(affix)) return same_kind(self, text.substr(affix.size()));
  if (!prefix && text.ends_with(affix)) return same_kind(self, text.substr(0, text.size() - affix.size()));
  return self;
}

}  // namespace

Value call_string_method(const Value& self, MethodId method, Arguments& arguments) {
  std::string_view text = self.as_string();
  count_steps(text.size() / 32);
  auto bare = [&] { bind_parameters(arguments, {}, 0, {}); };
  switch (method) {
    case MethodId::upper:
      bare();
      return same_kind(self, to_upper(text));
    case MethodId::lower:
      bare();
      return same_kind(self, to_lower(text));
    case MethodId::title:
      bare();
      return same_kind(self, to_title(text));
    case MethodId::capitalize:
      bare();
      return same_kind(self, to_capitalized(text));
    case MethodId::swapcase:
      bare();
      return same_kind(self, to_swapped(text));
    case MethodId::casefold:
      bare();
      if (is_ascii(string_of(self))) return same_kind(self, to_lower(text));
      fault("casefold() of text that is not ASCII is not supported; use lower()");
    case MethodId::strip:
      return strip(self, Side::both, arguments);
    case MethodId::lstrip:
      return strip(self, Side::left, arguments);
    case MethodId::rstrip:
      return strip(self, Side::right, arguments);
    case MethodId::split:
      return split(self, false, arguments);
    case MethodId::rsplit:
      return split(self, true, arguments);
    case MethodId::splitlines: {
      auto given = bind(arguments, {"keepends"}, 0);
      return parts_list(self, split_lines(text, truth_or(given[0], false)));
    }
    case MethodId::partition:
      return partition(self, false, arguments);
    case MethodId::rpartition:
      return partition(self, true, arguments);
    case MethodId::join:
      return join(self, arguments);
    case MethodId::replace:
      return replace(self, arguments);
    case MethodId::center:
    case MethodId::ljust:
    case MethodId::rjust:
      return pad(self, method, arguments);
    case MethodId::zfill:
      return zfill(self, arguments);
    case MethodId::expandtabs:
      return expand_tabs(self, arguments);
    case MethodId::removeprefix:
      return remove_affix(self, true, arguments);
    case MethodId::removesuffix:
      return remove_affix(self, false, arguments);
    case MethodId::format:
      return format_braces(self, arguments.positional, arguments.keywords, nullptr, arguments.run);
    case MethodId::format_map: {
      auto given = bind(arguments, {"mapping"}, 1);
      return format_braces(self, {}, {}, given[0], arguments.run);
    }
    case MethodId::isalnum:
      return Value::of(all_points(
          text,
          [](char32_t point) {
            return is_alpha_point(point) || is_decimal_point(point) || is_digit_point(point) || is_numeric_point(point);
          },
          false));
    case MethodId::isalpha:
      return Value::of(all_points(text, is_alpha_point, false));
    case MethodId::isascii:
      return Value::of(is_ascii(string_of(self)));
    case MethodId::isdecimal:
      return Value::of(all_points(text, is_decimal_point, false));
    case MethodId::isdigit:
      return Value::of(all_points(text, is_digit_point, false));
    case MethodId::isnumeric:
      return Value::of(all_points(text, is_numeric_point, false));
    case MethodId::isprintable:
      return Value::of(all_points(text, is_printable_point, true));
    case MethodId::isspace:
      return Value::of(is_space_text(text));
    case MethodId::isidentifier:
      return Value::of(is_identifier_text(text));
    case MethodId::islower:
      return Value::of(is_case(text, is_lower_point, is_upper_point));
    case MethodId::isupper:
      return Value::of(is_case(text, is_upper_point, is_lower_point));
    case MethodId::istitle:
      return Value::of(is_title_text(text));
    default:
      return call_string_search_method(self, method, arguments);
  }
}

}  // namespace palette::jinja
