#include "jinja/run_objects.h"

#include <cstdlib>

#include "jinja/meter.h"

namespace palette::jinja {

bool LoopObject::pull(Value& item) {
  if (is_drained) {
    if (drained_taken >= drained.size()) return false;
    item = drained[drained_taken++];
    return true;
  }
  while (source.next(item)) {
    if (filter == nullptr || filter->passes(item)) return true;
  }
  return false;
}

bool LoopObject::advance() {
  Value item;
  if (has_after) {
    item = std::move(after);
    has_after = false;
  } else if (!pull(item)) {
    return false;
  }
  ++index0;
  previous = std::move(current);
  current = std::move(item);
  return true;
}

const Value* LoopObject::peek() {
  if (!has_after) has_after = pull(after);
  return has_after ? &after : nullptr;
}

std::int64_t LoopObject::length() {
  if (known_length >= 0) return known_length;
  Kind kind = source.iterable().kind();
  if (filter == nullptr && kind != Kind::generator) {
    known_length = kind == Kind::range    ? range_of(source.iterable()).length()
                   : kind == Kind::view   ? static_cast<std::int64_t>(view_of(source.iterable()).dict.size())
                   : kind == Kind::string ? static_cast<std::int64_t>(items_of(source.iterable()).size())
                                          : static_cast<std::int64_t>(source.iterable().size());
    return known_length;
  }
  std::vector<Value> rest;
  Value item;
  while (pull(item)) rest.push_back(std::move(item));
  drained = std::move(rest);
  drained_taken = 0;
  is_drained = true;
  known_length = static_cast<std::int64_t>(drained.size()) + index0 + 1 + (has_after ? 1 : 0);
  return known_length;
}

Value make_function(std::string name, std::string shown, Builtin builtin, HostFunction host) {
  auto* object = new FunctionObject;
  object->name = std::move(name);
  object->shown = std::move(shown);
  object->builtin = builtin;
  object->host = std::move(host);
  return Value::adopt(Kind::function, object);
}

namespace {

void free_string(StringObject* text) {
  meter_give(text->size + sizeof(StringObject));
  text->~StringObject();
  std::free(text);
}

void free_object(Kind kind, Object* object) {
  switch (kind) {
    case Kind::undefined:
    case Kind::string:
      return free_string(static_cast<StringObject*>(object));
    case Kind::list:
    case Kind::tuple:
    case Kind::generator:
      meter_give(sizeof(ListObject) + static_cast<ListObject*>(object)->items.size() * sizeof(Value));
      delete static_cast<ListObject*>(object);
      return;
    case Kind::dict:
      meter_give(sizeof(DictObject) + static_cast<DictObject*>(object)->entries.size() * sizeof(DictEntry));
      delete static_cast<DictObject*>(object);
      return;
    case Kind::range:
      delete static_cast<RangeObject*>(object);
      return;
    case Kind::view:
      delete static_cast<ViewObject*>(object);
      return;
    case Kind::loop:
      delete static_cast<LoopObject*>(object);
      return;
    case Kind::macro:
      meter_give(sizeof(MacroObject));
      delete static_cast<MacroObject*>(object);
      return;
    case Kind::function:
      delete static_cast<FunctionObject*>(object);
      return;
    case Kind::method:
      delete static_cast<MethodObject*>(object);
      return;
    case Kind::name_space:
      delete static_cast<NamespaceObject*>(object);
      return;
    case Kind::cycler:
      delete static_cast<CyclerObject*>(object);
      return;
    case Kind::joiner:
      delete static_cast<JoinerObject*>(object);
      return;
    case Kind::module:
      delete static_cast<ModuleObject*>(object);
      return;
    case Kind::blocks:
      delete static_cast<BlocksObject*>(object);
      return;
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
      return;
  }
}

struct Doomed {
  Kind kind;
  Object* object;
};

constexpr int kFreeDepthMax = 64;
thread_local int free_depth = 0;
thread_local std::vector<Doomed>* doomed = nullptr;

}  // namespace

// Containers nested without end (a list put into a list, a million times) are freed in rounds, not by recursion.
void destroy_object(Kind kind, Object* object) noexcept {
  if (kind == Kind::string) return free_string(static_cast<StringObject*>(object));
  if (free_depth >= kFreeDepthMax) {
    doomed->push_back({kind, object});
    return;
  }
  std::vector<Doomed> mine;
  std::vector<Doomed>* before = doomed;
  if (free_depth == 0) doomed = &mine;
  ++free_depth;
  free_object(kind, object);
  if (free_depth == 1) {
    while (!mine.empty()) {
      Doomed next = mine.back();
      mine.pop_back();
      free_object(next.kind, next.object);
    }
    doomed = before;
  }
  --free_depth;
}

}  // namespace palette::jinja
