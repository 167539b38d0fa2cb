#include <algorithm>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/methods.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

Value bound_method(const Value& self, MethodId method) {
  auto* object = new MethodObject;
  object->self = self;
  object->method = method;
  return Value::adopt(Kind::method, object);
}

// loop.index and the like; unset when there is none of that name.
Value loop_attribute(LoopObject& loop, std::string_view name) {
  if (name == "index") return Value::of(loop.index0 + 1);
  if (name == "index0") return Value::of(loop.index0);
  if (name == "first") return Value::of(loop.index0 == 0);
  if (name == "last") return Value::of(loop.peek() == nullptr);
  if (name == "length") return Value::of(loop.length());
  if (name == "revindex") return Value::of(loop.length() - loop.index0);
  if (name == "revindex0") return Value::of(loop.length() - loop.index0 - 1);
  if (name == "depth") return Value::of(loop.depth0 + 1);
  if (name == "depth0") return Value::of(loop.depth0);
  if (name == "previtem") {
    return loop.index0 == 0 ? undefined_hint("there is no previous item") : loop.previous;
  }
  if (name == "nextitem") {
    const Value* next = loop.peek();
    return next == nullptr ? undefined_hint("there is no next item") : *next;
  }
  return unset();
}

Value macro_attribute(const MacroObject& macro, std::string_view name) {
  const MacroBody& body = *macro.macro;
  if (name == "name") return body.name == nullptr ? Value::none() : *body.name;
  if (name == "caller") return Value::of(body.takes_caller || body.explicit_caller);
  if (name == "catch_kwargs") return Value::of(body.takes_kwargs);
  if (name == "catch_varargs") return Value::of(body.takes_varargs);
  if (name == "arguments") {
    std::vector<Value> names;
    for (const MacroParameter& parameter : body.parameters) names.push_back(*parameter.name->name);
    return make_list(std::move(names), Kind::tuple);
  }
  return unset();
}

Value blocks_attribute(Run& run, const Value& object, std::string_view name) {
  const BlocksObject& blocks = blocks_of(object);
  if (blocks.run_number != run.number) return unset();
  auto reference = [&](const Value& block, std::size_t depth) {
    auto* next = new BlocksObject;
    next->context = blocks.context;
    next->run_number = run.number;
    next->block = block;
    next->depth = depth;
    return Value::adopt(Kind::blocks, next);
  };
  if (blocks.context->blocks == nullptr) return unset();
  for (const BlockStack& stack : *blocks.context->blocks) {
    if (blocks.block.is_undefined() && stack.name->as_string() == name) return reference(*stack.name, 0);
    if (!blocks.block.is_undefined() && name == "super" && stack.name->as_string() == blocks.block.as_string()) {
      if (blocks.depth + 1 < stack.functions.size()) return reference(blocks.block, blocks.depth + 1);
      return undefined_hint("there is no parent block called " + repr_of(blocks.block) + ".");
    }
  }
  return unset();
}

Value range_attribute(const RangeObject& range, std::string_view name) {
  if (name == "start") return Value::of(range.start);
  if (name == "stop") return Value::of(range.stop);
  if (name == "step") return Value::of(range.step);
  return unset();
}

Value number_attribute(const Value& number, std::string_view name) {
  if (name == "real") return number.is_bool() ? Value::of(number.as_int()) : number;
  if (name == "imag") return number.is_double() ? Value::of(0.0) : Value::of(0);
  if (name == "numerator" && !number.is_double()) return Value::of(number.as_int());
  if (name == "denominator" && !number.is_double()) return Value::of(1);
  return unset();
}

// What the object has by itself, no item: unset when there is no such attribute.
Value own_attribute(Run& run, const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::loop:
      return loop_attribute(loop_of(object), name);
    case Kind::macro:
      return macro_attribute(macro_of(object), name);
    case Kind::blocks:
      return blocks_attribute(run, object, name);
    case Kind::range:
      return range_attribute(range_of(object), name);
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
      return number_attribute(object, name);
    case Kind::cycler:
      if (name == "current") return cycler_of(object).items[cycler_of(object).position];
      if (name == "pos") return Value::of(static_cast<std::int64_t>(cycler_of(object).position));
      return unset();
    case Kind::joiner:
      if (name == "sep") return joiner_of(object).separator;
      if (name == "used") return Value::of(joiner_of(object).used);
      return unset();
    case Kind::module:
      if (const Value* found = module_of(object).exported.find(name); found != nullptr) return *found;
      return unset();
    case Kind::name_space:
      if (const Value* found = namespace_of(object).attributes.find(name); found != nullptr) return *found;
      return unset();
    case Kind::tuple:
      if (list_of(object).group && name == "grouper") return list_of(object).items[0];
      if (list_of(object).group && name == "list") return list_of(object).items[1];
      return unset();
    default:
      return unset();
  }
}

[[noreturn]] void fail_hidden(const Value& object, std::string_view name) {
  fault("templates have no access to the attribute " + repr_text(name) + " of " + std::string(kind_name(object)));
}

std::int64_t index_of(const Value& key) { return key.as_int(); }

const Value* sequence_item(const std::vector<Value>& items, std::int64_t index) {
  auto size = static_cast<std::int64_t>(items.size());
  if (index < 0) index += size;
  return index < 0 || index >= size ? nullptr : &items[static_cast<std::size_t>(index)];
}

Value string_item(const Value& object, std::int64_t index) {
  std::string_view text = object.as_string();
  auto size = static_cast<std::int64_t>(code_points(object));
  if (index < 0) index += size;
  if (index < 0 || index >= size) return unset();
  auto position = static_cast<std::size_t>(index);
  if (!is_ascii(string_of(object))) count_steps(text.size() / 32);
  Value item = Value::of(point_range(text, position, position + 1));
  item.mark_safe(object.is_safe());
  return item;
}

// object[key] itself; unset when there is no such item.
Value own_item(const Value& object, const Value& key) {
  bool index = key.is_int() || key.is_bool();
  switch (object.kind()) {
    case Kind::dict: {
      const DictEntry* entry = dict_of(object).find(key, hash_value(key));
      return entry == nullptr ? unset() : entry->value;
    }
    case Kind::list:
    case Kind::tuple: {
      const Value* item = index ? sequence_item(list_of(object).items, index_of(key)) : nullptr;
      return item == nullptr ? unset() : *item;
    }
    case Kind::string:
      return index ? string_item(object, index_of(key)) : unset();
    case Kind::range: {
      const RangeObject& range = range_of(object);
      if (!index) return unset();
      std::int64_t at = index_of(key) < 0 ? index_of(key) + range.length() : index_of(key);
      return at < 0 || at >= range.length() ? unset() : Value::of(range.start + at * range.step);
    }
    case Kind::blocks:
      return unset();
    default:
      return unset();
  }
}

bool is_hashable(const Value& key) { return key.kind() != Kind::list && key.kind() != Kind::dict; }

struct Bounds {
  std::int64_t start = 0, stop = 0, step = 1, count = 0;
};

std::int64_t bound_of(const Value& value) {
  if (value.is_int() || value.is_bool()) return value.as_int();
  if (value.is_undefined()) fail_undefined(value);
  fault("slice indices must be integers or None, not " + std::string(type_name(value)));
}

// slice.indices of Python.
Bounds slice_bounds(const Value* start, const Value* stop, const Value* step, std::int64_t size) {
  auto given = [](const Value* value) { return value != nullptr && !value->is_none(); };
  Bounds bounds;
  if (given(step)) bounds.step = bound_of(*step);
  if (bounds.step == 0) fault("slice step cannot be zero");
  bool back = bounds.step < 0;
  std::int64_t low = back ? -1 : 0;
  std::int64_t high = back ? size - 1 : size;
  auto clamp = [&](std::int64_t at) {
    if (at < 0) at = at < -size ? low : std::max(at + size, low);
    return std::min(at, high);
  };
  bounds.start = given(start) ? clamp(bound_of(*start)) : (back ? high : low);
  bounds.stop = given(stop) ? clamp(bound_of(*stop)) : (back ? low : high);
  __int128 span =
      back ? static_cast<__int128>(bounds.start) - bounds.stop : static_cast<__int128>(bounds.stop) - bounds.start;
  __int128 stride = back ? -static_cast<__int128>(bounds.step) : static_cast<__int128>(bounds.step);
  bounds.count = span <= 0 ? 0 : static_cast<std::int64_t>((span + stride - 1) / stride);
  return bounds;
}

Value string_slice(const Value& object, const Bounds& bounds) {
  std::string_view text = object.as_string();
  std::string out;
  if (bounds.step == 1) {
    out = point_range(text, static_cast<std::size_t>(bounds.start),
                      static_cast<std::size_t>(bounds.start + bounds.count));
  } else if (is_ascii(string_of(object))) {
    for (std::int64_t i = 0; i < bounds.count; ++i) {
      out.push_back(text[static_cast<std::size_t>(bounds.start + i * bounds.step)]);
    }
  } else {
    std::vector<std::size_t> offsets;
    for (std::size_t at = 0; at < text.size(); at += point_offset(text.substr(at), 1)) offsets.push_back(at);
    offsets.push_back(text.size());
    for (std::int64_t i = 0; i < bounds.count; ++i) {
      auto point = static_cast<std::size_t>(bounds.start + i * bounds.step);
      out += text.substr(offsets[point], offsets[point + 1] - offsets[point]);
    }
  }
  return object.is_safe() ? Value::safe(out) : Value::of(out);
}

}  // namespace

Value get_attribute(Run& run, const Value& object, const Value& name, MethodId method) {
  if (object.is_undefined()) {
    if (chainable_undefined()) return object;
    fail_undefined(object);
  }
  if (method != MethodId::none && has_method(object, method)) return bound_method(object, method);
  std::string_view text = name.as_string();
  Value own = own_attribute(run, object, text);
  if (!is_unset(own)) return own;
  if (object.is_map()) {
    const DictEntry* entry = dict_of(object).find_text(text, hash_of(string_of(name)));
    if (entry != nullptr) return entry->value;
  }
  if (is_hidden_attribute(text)) fail_hidden(object, text);
  return undefined_attribute(object, name);
}

Value get_item(Run& run, const Value& object, const Value& key) {
  if (object.is_undefined()) {
    if (chainable_undefined()) return object;
    fail_undefined(object);
  }
  if (is_hashable(key)) {
    Value item = own_item(object, key);
    if (!is_unset(item)) return item;
  }
  if (key.is_string()) {
    std::string_view text = key.as_string();
    MethodId method = method_named(text);
    if (method != MethodId::none && has_method(object, method)) return bound_method(object, method);
    Value own = own_attribute(run, object, text);
    if (!is_unset(own)) return own;
    if (is_hidden_attribute(text)) fail_hidden(object, text);
    return undefined_attribute(object, key);
  }
  if (key.is_undefined() && strict_undefined()) fail_undefined(key);
  return undefined_element(object, key);
}

Value get_slice(const Value& object, const Value* start, const Value* stop, const Value* step) {
  if (object.is_string()) {
    count_steps(string_of(object).size / 32);
    return string_slice(object, slice_bounds(start, stop, step, static_cast<std::int64_t>(code_points(object))));
  }
  if (object.kind() == Kind::range) {
    const RangeObject& range = range_of(object);
    Bounds bounds = slice_bounds(start, stop, step, range.length());
    auto* slice = new RangeObject;
    slice->start = range.start + bounds.start * range.step;
    slice->step = range.step * bounds.step;
    slice->stop = range.start + bounds.stop * range.step;
    return Value::adopt(Kind::range, slice);
  }
  if (object.kind() != Kind::list && object.kind() != Kind::tuple) {
    if (object.is_map()) fault("unhashable type: 'slice'");
    fault("'" + std::string(type_name(object)) + "' object is not subscriptable");
  }
  const auto& items = list_of(object).items;
  Bounds bounds = slice_bounds(start, stop, step, static_cast<std::int64_t>(items.size()));
  count_steps(static_cast<std::uint64_t>(bounds.count));
  std::vector<Value> slice;
  slice.reserve(static_cast<std::size_t>(bounds.count));
  for (std::int64_t i = 0; i < bounds.count; ++i) {
    slice.push_back(items[static_cast<std::size_t>(bounds.start + i * bounds.step)]);
  }
  return make_list(std::move(slice), object.kind());
}

}  // namespace palette::jinja
