#include <charconv>
#include <string>

#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

class BraceFormatter {
 public:
  BraceFormatter(std::span<const Value> positional, std::span<const Keyword> keywords, const Value* mapping, Run& run,
                 bool safe)
      : positional_(positional), keywords_(keywords), mapping_(mapping), run_(run), safe_(safe) {}

  std::string format(std::string_view text, int depth) {
    if (depth > 2) fault("Max string recursion exceeded");
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
      std::size_t brace = text.find_first_of("{}", at);
      out += text.substr(at, brace - at);
      if (brace == std::string_view::npos) break;
      at = brace + 1;
      if (at < text.size() && text[at] == text[brace]) {
        out.push_back(text[brace]);
        ++at;
        continue;
      }
      if (text[brace] == '}') fault("Single '}' encountered in format string");
      std::size_t end = field_end(text, at);
      out += field(text.substr(at, end - at), depth);
      at = end + 1;
      check_operation(out.size(), "format");
    }
    return out;
  }

 private:
  static std::size_t field_end(std::string_view text, std::size_t at) {
    if (at >= text.size()) fault("Single '{' encountered in format string");
    int open = 1;
    bool bracket = false;
    for (; at < text.size(); ++at) {
      if (text[at] == '[') bracket = true;
      if (text[at] == ']') bracket = false;
      if (bracket) continue;
      if (text[at] == '{') ++open;
      if (text[at] == '}' && --open == 0) return at;
    }
    fault("expected '}' before end of string");
  }

  std::string field(std::string_view text, int depth) {
    std::size_t name_end = 0;
    bool bracket = false;
    while (name_end < text.size() && (bracket || (text[name_end] != ':' && text[name_end] != '!'))) {
      if (text[name_end] == '[') bracket = true;
      if (text[name_end] == ']') bracket = false;
      ++name_end;
    }
    std::string_view name = text.substr(0, name_end);
    std::string_view rest = text.substr(name_end);
    char conversion = 0;
    if (rest.starts_with('!')) {
      if (rest.size() < 2) fault("end of string while looking for conversion specifier");
      conversion = rest[1];
      rest.remove_prefix(2);
      if (!rest.empty() && rest[0] != ':') fault("expected ':' after conversion specifier");
    }
    if (!rest.empty()) rest.remove_prefix(1);
    Value value = look_up(name);
    if (conversion == 'r' || conversion == 'a') {
      value = Value::of(repr_of(value));
    } else if (conversion == 's') {
      value = Value::of(text_of(value));
    } else if (conversion != 0) {
      fault(std::string("Unknown conversion specifier '") + conversion + "'");
    }
    std::string spec = format(rest, depth + 1);
    if (!safe_) return format_value(value, spec);
    std::string out;
    if (value.is_safe()) {
      if (!spec.empty()) fault("Format specifier " + spec + " given, but Markup does not define one");
      append_text(out, value);
    } else {
      append_escaped(out, format_value(value, spec));
    }
    return out;
  }

  Value look_up(std::string_view name) {
    std::size_t end = name.find_first_of(".[");
    std::string_view first = name.substr(0, end);
    Value value = argument(first);
    std::string_view rest = end == std::string_view::npos ? std::string_view() : name.substr(end);
    while (!rest.empty()) {
      if (rest[0] == '.') {
        std::size_t stop = std::min(rest.find_first_of(".[", 1), rest.size());
        std::string_view attribute = rest.substr(1, stop - 1);
        if (attribute.empty()) fault("Empty attribute in format string");
        value = attribute_of(value, attribute);
        rest.remove_prefix(stop);
      } else if (rest[0] == '[') {
        std::size_t stop = rest.find(']');
        if (stop == std::string_view::npos) fault("Missing ']' in format string");
        value = item_of(value, rest.substr(1, stop - 1));
        rest.remove_prefix(stop + 1);
      } else {
        fault("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  // As Jinja's sandbox has it: an item where there is no attribute, and nothing of Python's inside.
  Value attribute_of(const Value& value, std::string_view attribute) {
    if (is_hidden_attribute(attribute)) return {};
    Value found = get_attribute(run_, value, Value::of(attribute), method_named(attribute));
    if (found.is_undefined()) {
      fault("'" + std::string(type_name(value)) + "' object has no attribute " + repr_text(attribute));
    }
    return found;
  }

  Value item_of(const Value& value, std::string_view key) {
    std::int64_t index = 0;
    auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), index);
    bool number = problem == std::errc() && end == key.data() + key.size() && key[0] != '-';
    if (value.kind() != Kind::dict && !number) fault("format: the index " + repr_text(key) + " is not an integer");
    Value wanted = number ? Value::of(index) : Value::of(key);
    Value found = get_item(run_, value, wanted);
    if (found.is_undefined()) fault("format: there is no item " + repr_of(wanted));
    return found;
  }

  Value argument(std::string_view name) {
    bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
    if (name.empty() || number) {
      if (mapping_ != nullptr) fault("Format string contains positional fields");
      std::size_t position = 0;
      if (number) {
        if (automatic_ > 0) fault("cannot switch from automatic field numbering to manual field specification");
        manual_ = true;
        auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), position);
        if (problem != std::errc()) fault("Too many decimal digits in format string");
      } else {
        if (manual_) fault("cannot switch from manual field specification to automatic field numbering");
        position = automatic_++;
      }
      if (position >= positional_.size()) {
        fault("Replacement index " + std::to_string(position) + " out of range for positional args tuple");
      }
      return positional_[position];
    }
    if (mapping_ != nullptr) {
      Value found = get_item(run_, *mapping_, Value::of(name));
      if (found.is_undefined()) fault("the format has no value for the key " + repr_text(name));
      return found;
    }
    for (const Keyword& keyword : keywords_) {
      if (keyword.name == name) return keyword.value;
    }
    fault("the format has no value for the key " + repr_text(name));
  }

  std::span<const Value> positional_;
  std::span<const Keyword> keywords_;
  const Value* mapping_;
  Run& run_;
  bool safe_;
  std::size_t automatic_ = 0;
  bool manual_ = false;
};

}  // namespace

Value format_braces(const Value& format, std::span<const Value> positional, std::span<const Keyword> keywords,
                    const Value* mapping, Run& run) {
  std::string out = BraceFormatter(positional, keywords, mapping, run, format.is_safe()).format(format.as_string(), 0);
  return format.is_safe() ? Value::safe(out) : Value::of(out);
}

}  // namespace palette::jinja
