#include <algorithm>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/markup.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/text.h"

namespace palette::jinja {
namespace {

// The part of the text that optional start and end (code points, negative from the end) leave.
struct Window {
  std::string_view text;
  std::int64_t first_point = 0;
  bool empty = false;  // the window lies outside: nothing matches there, not even ""
};

Window window_of(const Value& self, const Value* start, const Value* end, const Arguments& arguments) {
  auto size = static_cast<std::int64_t>(code_points(self));
  auto place = [&](const Value* value, std::int64_t fallback, std::string_view name) {
    if (value == nullptr || value->is_none()) return fallback;
    std::int64_t at = integer_or(value, fallback, arguments, name);
    if (at < 0) at = std::max<std::int64_t>(at + size, 0);
    return at;
  };
  std::int64_t from = place(start, 0, "start");
  std::int64_t to = std::min(place(end, size, "end"), size);
  Window window;
  window.first_point = from;
  window.empty = from > size || from > to;
  if (!window.empty) {
    window.text = point_range(self.as_string(), static_cast<std::size_t>(from), static_cast<std::size_t>(to));
  }
  return window;
}

std::string_view needle_of(const Value& value, const Arguments& arguments) {
  if (value.is_string()) return value.as_string();
  if (value.is_undefined()) fail_undefined(value);
  fault(std::string(arguments.name) + "() wants a string, found " + std::string(kind_name(value)));
}

Value find(const Value& self, bool last, bool must, const Arguments& arguments) {
  auto given = bind(arguments, {"sub", "start", "end"}, 1);
  std::string_view needle = needle_of(*given[0], arguments);
  Window window = window_of(self, given[1], given[2], arguments);
  if (last) count_steps(window.text.size() / 64 * (needle.size() / 64 + 1));  // rfind has no linear form
  std::size_t at = window.empty ? std::string_view::npos
                   : last       ? window.text.rfind(needle)
                                : find_text(window.text, needle);
  if (at != std::string_view::npos) {
    return Value::of(window.first_point + static_cast<std::int64_t>(count_points(window.text.substr(0, at))));
  }
  if (must) fault("substring not found");
  return Value::of(-1);
}

Value count(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"sub", "start", "end"}, 1);
  std::string_view needle = needle_of(*given[0], arguments);
  Window window = window_of(self, given[1], given[2], arguments);
  if (window.empty) return Value::of(0);
  if (needle.empty()) return Value::of(static_cast<std::int64_t>(count_points(window.text)) + 1);
  std::int64_t found = 0;
  for (std::size_t at = find_text(window.text, needle); at != std::string_view::npos;
       at = find_text(window.text, needle, at + needle.size())) {
    ++found;
  }
  return Value::of(found);
}

Value affix(const Value& self, bool start, const Arguments& arguments) {
  auto given = bind(arguments, {"affix", "start", "end"}, 1);
  Window window = window_of(self, given[1], given[2], arguments);
  auto matches = [&](const Value& one) {
    if (!one.is_string()) {
      if (one.is_undefined()) fail_undefined(one);
      fault(std::string(arguments.name) + " first arg must be str or a tuple of str, not " +
            std::string(type_name(one)));
    }
    if (window.empty) return false;
    return start ? window.text.starts_with(one.as_string()) : window.text.ends_with(one.as_string());
  };
  if (given[0]->kind() != Kind::tuple) return Value::of(matches(*given[0]));
  const auto& items = list_of(*given[0]).items;
  return Value::of(std::any_of(items.begin(), items.end(), matches));
}

}  // namespace

Value call_string_search_method(const Value& self, MethodId method, Arguments& arguments) {
  switch (method) {
    case MethodId::find:
      return find(self, false, false, arguments);
    case MethodId::index:
      return find(self, false, true, arguments);
    case MethodId::rfind:
      return find(self, true, false, arguments);
    case MethodId::rindex:
      return find(self, true, true, arguments);
    case MethodId::count:
      return count(self, arguments);
    case MethodId::startswith:
      return affix(self, true, arguments);
    case MethodId::endswith:
      return affix(self, false, arguments);
    case MethodId::unescape:
      return Value::of(unescape_entities(self.as_string()));
    case MethodId::striptags:
      return Value::of(without_tags(self.as_string()));
    default:
      fault("the string method " + repr_text(name_of(method)) + " is not supported");
  }
}

}  // namespace palette::jinja
