#include <algorithm>
#include <cmath>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/limits.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  void write(const Value& value, std::uint32_t depth) {
    check_value_depth(depth);
    check_operation(out.size(), "tojson");
    count_steps();
    switch (value.kind()) {
      case Kind::none:
        out += "null";
        return;
      case Kind::boolean:
        out += value.as_bool() ? "true" : "false";
        return;
      case Kind::integer:
        return append_text(out, value);
      case Kind::floating:
        return write_float(value.as_double());
      case Kind::string:
        return write_text(value.as_string());
      case Kind::list:
      case Kind::tuple:
        return write_items(list_of(value).items, depth);
      case Kind::dict:
        return write_dict(dict_of(value), depth);
      default:
        if (value.is_undefined() && strict_undefined()) fail_undefined(value);
        fault("an object of type " + std::string(type_name(value)) + " cannot be written as JSON");
    }
  }

  std::string out;

 private:
  void write_float(double value) {
    if (std::isnan(value)) {
      out += "NaN";
    } else if (std::isinf(value)) {
      out += value < 0 ? "-Infinity" : "Infinity";
    } else {
      append_float(out, value);
    }
  }

  void write_unit(std::uint32_t unit) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHex[(unit >> shift) & 0xF]);
  }

  void write_point(char32_t point, std::string_view bytes) {
    constexpr std::string_view kFrom = "\"\\\b\f\n\r\t";
    constexpr std::string_view kTo = "\"\\bfnrt";
    std::size_t escape = point < 0x80 ? kFrom.find(static_cast<char>(point)) : std::string_view::npos;
    if (escape != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kTo[escape]);
    } else if (point < 0x20 || (style_.ascii && point > 0x7E && point < 0x10000)) {
      write_unit(point);
    } else if (style_.ascii && point >= 0x10000) {
      write_unit(0xD800 + ((point - 0x10000) >> 10U));
      write_unit(0xDC00 + ((point - 0x10000) & 0x3FFU));
    } else {
      out += bytes;
    }
  }

  void write_text(std::string_view text) {
    out.push_back('"');
    for (std::size_t at = 0; at < text.size();) {
      std::size_t begin = at;
      char32_t point = next_point(text, at);
      write_point(point, text.substr(begin, at - begin));
    }
    out.push_back('"');
  }

  bool pretty() const { return style_.indent >= 0 || !style_.indent_text.empty(); }

  void new_line(std::uint32_t depth) {
    out.push_back('\n');
    for (std::uint32_t i = 0; i < depth; ++i) {
      if (style_.indent_text.empty()) {
        out.append(static_cast<std::size_t>(style_.indent), ' ');
      } else {
        out += style_.indent_text;
      }
    }
  }

  void write_items(const std::vector<Value>& items, std::uint32_t depth) {
    out.push_back('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += style_.item_separator;
      if (pretty()) new_line(depth + 1);
      write(items[i], depth + 1);
    }
    if (pretty() && !items.empty()) new_line(depth);
    out.push_back(']');
  }

  void write_key(const Value& key) {
    switch (key.kind()) {
      case Kind::string:
        return write_text(key.as_string());
      case Kind::integer:
      case Kind::floating:
      case Kind::boolean:
      case Kind::none:
        out.push_back('"');
        write(key, 0);
        out.push_back('"');
        return;
      default:
        fault("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  void write_dict(const DictObject& dict, std::uint32_t depth) {
    std::vector<const DictEntry*> entries;
    entries.reserve(dict.entries.size());
    for (const DictEntry& entry : dict.entries) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::ranges::stable_sort(entries, [](const DictEntry* a, const DictEntry* b) { return less(a->key, b->key); });
    }
    out.push_back('{');
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out += style_.item_separator;
      if (pretty()) new_line(depth + 1);
      write_key(entries[i]->key);
      out += style_.key_separator;
      write(entries[i]->value, depth + 1);
    }
    if (pretty() && !entries.empty()) new_line(depth);
    out.push_back('}');
  }

  const JsonStyle& style_;
};

Json json_deep(const Value& value, std::uint32_t depth) {
  if (depth > Limits{}.value_depth) return Json("…");
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::none:
      return Json(nullptr);
    case Kind::boolean:
      return Json(value.as_bool());
    case Kind::integer:
      return Json(value.as_int());
    case Kind::floating:
      return Json(value.as_double());
    case Kind::string:
      return Json(value.as_string());
    case Kind::list:
    case Kind::tuple: {
      JsonArray array;
      for (const Value& item : list_of(value).items) array.push_back(json_deep(item, depth + 1));
      return array;
    }
    case Kind::dict: {
      JsonObject object;
      for (const DictEntry& entry : dict_of(value).entries) {
        object[entry.key.to_text()] = json_deep(entry.value, depth + 1);
      }
      return object;
    }
    case Kind::range: {
      JsonArray array;
      const RangeObject& range = range_of(value);
      std::int64_t most = static_cast<std::int64_t>(Limits{}.operation_bytes / sizeof(Value));
      if (range.length() > most) return Json(value.to_text());
      for (std::int64_t i = 0; i < range.length(); ++i) array.push_back(range.start + i * range.step);
      return array;
    }
    default:
      return Json(value.to_text());
  }
}

}  // namespace

std::string json_of(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  writer.write(value, 0);
  return std::move(writer.out);
}

Json Value::to_json() const { return json_deep(*this, 0); }

}  // namespace palette::jinja
