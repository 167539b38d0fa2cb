#include "jinja/value.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "jinja/limits.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/undefined.h"

namespace palette::jinja {

StringObject* StringObject::allocate(std::size_t size) {
  meter_take(size + sizeof(StringObject));
  void* memory = std::malloc(sizeof(StringObject) + size + 1);
  if (memory == nullptr) throw std::bad_alloc();
  auto* text = new (memory) StringObject;
  text->size = size;
  text->data()[size] = '\0';
  return text;
}

std::uint32_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  while (left >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 29;
    at += 8;
    left -= 8;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, at, left);
  hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
  auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
  return folded == 0 ? 1 : folded;
}

std::uint32_t hash_of(const StringObject& text) {
  auto& object = const_cast<StringObject&>(text);
  std::uint32_t hash = object.hash.load(std::memory_order_relaxed);
  if (hash == 0) {
    hash = hash_text(text.view());
    object.hash.store(hash, std::memory_order_relaxed);
  }
  return hash;
}

bool is_ascii_text(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) return false;
  }
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0x80U) != 0) return false;
  }
  return true;
}

bool is_ascii(const StringObject& text) {
  auto& object = const_cast<StringObject&>(text);
  std::uint8_t known = object.ascii.load(std::memory_order_relaxed);
  if (known == 0) {
    known = is_ascii_text(text.view()) ? 1 : 2;
    object.ascii.store(known, std::memory_order_relaxed);
  }
  return known == 1;
}

Value Value::adopt(Kind kind, Object* object, std::uint8_t flags) {
  Value value;
  value.kind_ = kind;
  value.flags_ = flags;
  value.object_ = object;
  return value;
}

Value Value::share(Kind kind, Object* object, std::uint8_t flags) {
  object->references.fetch_add(1, std::memory_order_relaxed);
  return adopt(kind, object, flags);
}

Value Value::undefined_of(Object* name, std::uint16_t detail) {
  Value value;
  if (name != nullptr) name->references.fetch_add(1, std::memory_order_relaxed);
  value.object_ = name;
  value.detail_ = detail;
  return value;
}

Value Value::of(std::string_view text) {
  StringObject* object = StringObject::allocate(text.size());
  if (!text.empty()) std::memcpy(object->data(), text.data(), text.size());
  return adopt(Kind::string, object);
}

Value Value::safe(std::string_view text) {
  Value value = of(text);
  value.mark_safe(true);
  return value;
}

Value make_list(std::vector<Value> items, Kind kind, bool frozen) {
  meter_take(sizeof(ListObject) + items.size() * sizeof(Value));
  auto* object = new ListObject;
  object->items = std::move(items);
  object->frozen = frozen;
  return Value::adopt(kind, object);
}

Value make_dict(bool frozen) {
  meter_take(sizeof(DictObject));
  auto* object = new DictObject;
  object->frozen = frozen;
  return Value::adopt(Kind::dict, object);
}

Value Value::list(std::vector<Value> items) { return make_list(std::move(items), Kind::list, true); }
Value Value::tuple(std::vector<Value> items) { return make_list(std::move(items), Kind::tuple, true); }

Value Value::map(std::vector<std::pair<std::string, Value>> members) {
  Value dict = make_dict(true);
  dict_of(dict).entries.reserve(members.size());
  for (auto& [key, value] : members) dict_of(dict).set_text(key, std::move(value));
  return dict;
}

Value Value::from_json(const JsonObject& json) {
  Value dict = make_dict(true);
  dict_of(dict).entries.reserve(json.size());
  for (const auto& member : json) dict_of(dict).set_text(member.key(), from_json(member.value()));
  return dict;
}

Value Value::from_json(const Json& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      return none();
    case boost::json::kind::bool_:
      return of(json.get_bool());
    case boost::json::kind::int64:
      return of(json.get_int64());
    case boost::json::kind::uint64: {
      std::uint64_t number = json.get_uint64();
      if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return of(static_cast<std::int64_t>(number));
      }
      return of(static_cast<double>(number));
    }
    case boost::json::kind::double_:
      return of(json.get_double());
    case boost::json::kind::string:
      return of(std::string_view(json.get_string().data(), json.get_string().size()));
    case boost::json::kind::array: {
      std::vector<Value> items;
      items.reserve(json.get_array().size());
      for (const Json& item : json.get_array()) items.push_back(from_json(item));
      return list(std::move(items));
    }
    case boost::json::kind::object:
      return from_json(json.get_object());
  }
  return {};
}

std::string_view Value::as_string() const { return string_of(*this).view(); }

std::size_t Value::size() const {
  if (kind_ == Kind::list || kind_ == Kind::tuple) return list_of(*this).items.size();
  if (kind_ == Kind::dict) return dict_of(*this).entries.size();
  return 0;
}

const Value& Value::at(std::size_t position) const { return list_of(*this).items[position]; }

const Value* Value::find(std::string_view key) const {
  if (kind_ != Kind::dict) return nullptr;
  const DictEntry* entry = static_cast<const DictObject&>(dict_of(*this)).find_text(key);
  return entry == nullptr ? nullptr : &entry->value;
}

std::pair<const Value&, const Value&> Value::entry(std::size_t position) const {
  const DictEntry& found = dict_of(*this).entries[position];
  return {found.key, found.value};
}

std::string_view kind_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return "undefined";
    case Kind::none:
      return "none";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::floating:
      return "a float";
    case Kind::string:
      return "a string";
    case Kind::list:
      return "a list";
    case Kind::tuple:
      return "a tuple";
    case Kind::dict:
      return "a dict";
    case Kind::range:
      return "a range";
    case Kind::view:
      return "a view of a dict";
    case Kind::generator:
      return "a generator";
    case Kind::loop:
      return "the loop variable";
    case Kind::macro:
      return "a macro";
    case Kind::function:
      return "a function";
    case Kind::method:
      return "a method";
    case Kind::name_space:
      return "a namespace";
    case Kind::cycler:
      return "a cycler";
    case Kind::joiner:
      return "a joiner";
    case Kind::module:
      return "an imported template";
    case Kind::blocks:
      return "the template's blocks";
  }
  return "a value";
}

std::string_view type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::floating:
      return "float";
    case Kind::string:
      return value.is_safe() ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::range:
      return "range";
    case Kind::view:
      switch (view_of(value).which) {
        case ViewKind::keys:
          return "dict_keys";
        case ViewKind::values:
          return "dict_values";
        case ViewKind::items:
          return "dict_items";
      }
      return "dict_items";
    case Kind::generator:
      return "generator";
    case Kind::loop:
      return "LoopContext";
    case Kind::macro:
      return "Macro";
    case Kind::function:
      return "function";
    case Kind::method:
      return "builtin_function_or_method";
    case Kind::name_space:
      return "Namespace";
    case Kind::cycler:
      return "Cycler";
    case Kind::joiner:
      return "Joiner";
    case Kind::module:
      return "TemplateModule";
    case Kind::blocks:
      return "TemplateReference";
  }
  return "object";
}

}  // namespace palette::jinja
