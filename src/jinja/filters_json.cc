#include <algorithm>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/pretty.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"

namespace palette::jinja {
namespace {

void set_indent(JsonStyle& style, const Value* indent, const Arguments& arguments) {
  if (indent == nullptr || indent->is_none()) return;
  style.item_separator = ",";
  if (indent->is_string()) {
    style.indent = 0;
    style.indent_text = indent->as_string();
    return;
  }
  std::int64_t width = integer_or(indent, 0, arguments, "indent");
  if (width > 0) check_operation(static_cast<std::uint64_t>(width), "tojson");
  style.indent = static_cast<int>(std::max<std::int64_t>(width, 0));
}

std::string html_safe(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json) {
    switch (c) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      case '\'':
        out += "\\u0027";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

// As Hugging Face gives it to chat templates: json.dumps with its own arguments.
Value plain_json(Arguments& arguments) {
  auto given = bind(arguments, {"x", "ensure_ascii", "indent", "separators", "sort_keys"}, 1);
  JsonStyle style;
  style.ascii = truth_or(given[1], false);
  style.sort_keys = truth_or(given[4], false);
  set_indent(style, given[2], arguments);
  if (given[3] != nullptr && !given[3]->is_none()) {
    bool pair = (given[3]->kind() == Kind::list || given[3]->kind() == Kind::tuple) && given[3]->size() == 2 &&
                given[3]->at(0).is_string() && given[3]->at(1).is_string();
    if (!pair) fault("tojson wants two strings as separators");
    style.item_separator = given[3]->at(0).as_string();
    style.key_separator = given[3]->at(1).as_string();
  }
  return Value::of(json_of(*given[0], style));
}

Value to_json_filter(Arguments& arguments) {
  if (arguments.run.settings.json_plain) return plain_json(arguments);
  auto given = bind(arguments, {"value", "indent"}, 1);
  JsonStyle style;
  style.sort_keys = true;
  set_indent(style, given[1], arguments);
  return Value::safe(html_safe(json_of(*given[0], style)));
}

Value pretty(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  return Value::of(pretty_text(*given[0]));
}

}  // namespace

void add_json_filters(Registry& registry) {
  registry.filters["tojson"].builtin = to_json_filter;
  registry.filters["pprint"].builtin = pretty;
}

}  // namespace palette::jinja
