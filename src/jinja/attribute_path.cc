#include "jinja/attribute_path.h"

#include <charconv>

#include "jinja/object.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {

AttributePath::AttributePath(Run& run, const Value& attribute) : run_(run) {
  if (attribute.is_none()) return;
  if (!attribute.is_string()) {
    parts_.push_back(attribute);
    return;
  }
  for (std::string_view part : split_at(attribute.as_string(), ".", -1)) {
    std::int64_t index = 0;
    auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), index);
    bool number = !part.empty() && part[0] != '-' && problem == std::errc() && end == part.data() + part.size();
    parts_.push_back(number ? Value::of(index) : Value::of(part));
  }
}

Value AttributePath::get(const Value& item) const {
  Value value = item;
  for (const Value& part : parts_) {
    value = get_item(run_, value, part);
    if (value.is_undefined() && !default_.is_undefined()) value = default_;
  }
  return value;
}

SortKey::SortKey(Run& run, const Value* attribute, bool case_sensitive) : case_sensitive_(case_sensitive) {
  if (attribute == nullptr || !attribute->is_string()) {
    paths_.emplace_back(run, attribute == nullptr ? Value::none() : *attribute);
    return;
  }
  for (std::string_view one : split_at(attribute->as_string(), ",", -1)) paths_.emplace_back(run, Value::of(one));
}

Value SortKey::get(const Value& item) const {
  auto key = [&](const AttributePath& path) {
    Value value = path.get(item);
    return case_sensitive_ ? value : without_case(value);
  };
  if (paths_.size() == 1) return key(paths_[0]);
  std::vector<Value> keys;
  for (const AttributePath& path : paths_) keys.push_back(key(path));
  return make_list(std::move(keys));
}

Value without_case(const Value& value) { return value.is_string() ? Value::of(to_lower(value.as_string())) : value; }

}  // namespace palette::jinja
