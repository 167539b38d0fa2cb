#include <algorithm>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/markup.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/text.h"

namespace palette::jinja {
namespace {

Value escape(Arguments& arguments) {
  auto given = bind(arguments, {"s"}, 1);
  if (given[0]->is_safe()) return *given[0];
  std::string out;
  append_escaped_value(out, *given[0]);
  check_operation(out.size(), "escape");
  count_steps(out.size() / 16);
  return Value::safe(out);
}

Value force_escape(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  std::string out;
  append_escaped(out, text_of(*given[0]));
  return Value::safe(out);
}

Value safe(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  return Value::safe(text_of(*given[0]));
}

Value strip_tags(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  return Value::of(without_tags(text_of(*given[0])));
}

bool ends_attribute_name(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '/' || c == '>' || c == '='; }

Value xml_attributes(Arguments& arguments) {
  auto given = bind(arguments, {"d", "autospace"}, 1);
  if (!given[0]->is_map()) fault("xmlattr wants a dict, found " + std::string(kind_name(*given[0])));
  std::string out;
  for (const DictEntry& entry : dict_of(*given[0]).entries) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    if (!entry.key.is_string()) fault("xmlattr wants strings as keys, found " + std::string(kind_name(entry.key)));
    std::string_view key = entry.key.as_string();
    if (std::ranges::any_of(key, ends_attribute_name)) {
      fault("Invalid character in attribute name: " + repr_of(entry.key));
    }
    if (!out.empty()) out.push_back(' ');
    append_escaped_value(out, entry.key);
    out += "=\"";
    append_escaped_value(out, entry.value);
    out += "\"";
  }
  if (truth_or(given[1], true) && !out.empty()) out.insert(0, " ");
  return arguments.run.autoescape ? Value::safe(out) : Value::of(out);
}

// urllib.parse.quote: letters, digits, _ . - ~ and `kept` stay.
void append_quoted(std::string& out, std::string_view text, bool query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                 c == '-' || c == '~' || (c == '/' && !query);
    if (plain) {
      out.push_back(c);
    } else if (c == ' ' && query) {
      out.push_back('+');
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 15U]);
    }
  }
}

Value url_encode(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  std::string out;
  if (given[0]->is_string() || !is_iterable(*given[0])) {
    append_quoted(out, text_of(*given[0]), false);
    return Value::of(out);
  }
  auto add = [&](const Value& key, const Value& value) {
    if (!out.empty()) out.push_back('&');
    append_quoted(out, text_of(key), true);
    out.push_back('=');
    append_quoted(out, text_of(value), true);
    check_operation(out.size(), "urlencode");
  };
  if (given[0]->is_map()) {
    for (const DictEntry& entry : dict_of(*given[0]).entries) add(entry.key, entry.value);
    return Value::of(out);
  }
  for (const Value& pair : items_of(*given[0])) {
    std::vector<Value> both = items_of(pair);
    if (both.size() != 2) fault("urlencode wants pairs of a key and a value");
    add(both[0], both[1]);
  }
  return Value::of(out);
}

}  // namespace

void add_markup_filters(Registry& registry) {
  auto add = [&](const char* name, Builtin builtin) { registry.filters[name].builtin = builtin; };
  add("escape", escape);
  add("e", escape);
  add("forceescape", force_escape);
  add("safe", safe);
  add("striptags", strip_tags);
  add("xmlattr", xml_attributes);
  add("urlencode", url_encode);
}

}  // namespace palette::jinja
