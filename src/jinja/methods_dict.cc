#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/update.h"

namespace palette::jinja {
namespace {

Value view(const Value& self, ViewKind which, const Arguments& arguments) {
  bind_parameters(arguments, {}, 0, {});
  auto* object = new ViewObject;
  object->dict = self;
  object->which = which;
  return Value::adopt(Kind::view, object);
}

Value get(DictObject& dict, const Arguments& arguments) {
  auto given = bind(arguments, {"key", "default"}, 1);
  const DictEntry* entry = dict.find(*given[0], hash_value(*given[0]));
  if (entry != nullptr) return entry->value;
  return given[1] == nullptr ? Value::none() : *given[1];
}

Value pop(DictObject& dict, const Arguments& arguments) {
  auto given = bind(arguments, {"key", "default"}, 1);
  std::uint32_t hash = hash_value(*given[0]);
  const DictEntry* entry = dict.find(*given[0], hash);
  if (entry == nullptr) {
    if (given[1] == nullptr) fault("there is no key " + repr_of(*given[0]) + " to pop");
    return *given[1];
  }
  Value value = entry->value;
  count_steps(dict.entries.size() / 4);
  dict.erase(*given[0], hash);
  return value;
}

Value pop_item(DictObject& dict) {
  if (dict.entries.empty()) fault("popitem(): dictionary is empty");
  DictEntry last = dict.entries.back();
  count_steps(dict.entries.size() / 16);
  dict.erase(last.key, last.hash);
  return make_list({last.key, last.value}, Kind::tuple);
}

Value set_default(const Value& self, const Arguments& arguments) {
  auto given = bind(arguments, {"key", "default"}, 1);
  DictObject& dict = dict_of(self);
  std::uint32_t hash = hash_value(*given[0]);
  if (const DictEntry* entry = dict.find(*given[0], hash); entry != nullptr) return entry->value;
  Value value = given[1] == nullptr ? Value::none() : *given[1];
  if (value.kind() >= Kind::list) arguments.run.changed.push_back(self);
  dict.set(*given[0], hash, value);
  return value;
}

}  // namespace

void update_dict(const Value& target, const Value& source) {
  DictObject& dict = dict_of(target);
  if (source.is_map()) {
    if (source.object() == target.object()) return;
    count_steps(source.size());
    for (const DictEntry& entry : dict_of(source).entries) dict.set(entry.key, entry.hash, entry.value);
    return;
  }
  ItemSource pairs(source);
  Value pair;
  std::size_t position = 0;
  while (pairs.next(pair)) {
    if (!is_iterable(pair)) {
      fault("cannot convert dictionary update sequence element #" + std::to_string(position) + " to a sequence");
    }
    std::vector<Value> both = items_of(pair);
    if (both.size() != 2) {
      fault("dictionary update sequence element #" + std::to_string(position) + " has length " +
            std::to_string(both.size()) + "; 2 is required");
    }
    dict.set(both[0], hash_value(both[0]), both[1]);
    ++position;
  }
}

Value call_dict_method(const Value& self, MethodId method, Arguments& arguments) {
  DictObject& dict = dict_of(self);
  switch (method) {
    case MethodId::get:
      return get(dict, arguments);
    case MethodId::items:
      return view(self, ViewKind::items, arguments);
    case MethodId::keys:
      return view(self, ViewKind::keys, arguments);
    case MethodId::values:
      return view(self, ViewKind::values, arguments);
    case MethodId::copy: {
      count_steps(dict.entries.size());
      Value copy = make_dict();
      update_dict(copy, self);
      return copy;
    }
    case MethodId::pop:
      return pop(dict, arguments);
    case MethodId::popitem:
      return pop_item(dict);
    case MethodId::setdefault:
      return set_default(self, arguments);
    case MethodId::clear:
      dict.clear();
      return Value::none();
    case MethodId::update:
      if (arguments.positional.size() > 1) fault("update expected at most 1 argument");
      if (!arguments.positional.empty()) update_dict(self, arguments.positional[0]);
      for (const Keyword& keyword : arguments.keywords) dict.set_text(keyword.name, keyword.value);
      arguments.run.changed.push_back(self);
      return Value::none();
    default:
      fault("the dict method " + repr_text(name_of(method)) + " is not supported");
  }
}

}  // namespace palette::jinja
