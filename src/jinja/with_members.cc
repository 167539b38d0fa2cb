#include "jinja/with_members.h"

#include "jinja/object.h"

namespace palette::jinja {

Value with_members(const Value& dict, std::initializer_list<std::pair<Value, Value>> members) {
  const DictObject& from = dict_of(dict);
  Value result = make_dict(true);
  DictObject& to = dict_of(result);
  to.entries.reserve(from.entries.size() + members.size());
  to.entries.insert(to.entries.end(), from.entries.begin(), from.entries.end());
  to.index = from.index;
  for (const auto& [key, value] : members) to.set(key, hash_of(string_of(key)), value);
  return result;
}

}  // namespace palette::jinja
