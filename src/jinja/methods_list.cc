#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/sorting.h"

namespace palette::jinja {
namespace {

void note_container(const Value& self, const Value& item, Run& run) {
  if (item.kind() >= Kind::list) run.changed.push_back(self);
}

std::int64_t clamped(std::int64_t index, std::int64_t size) {
  if (index < 0) index += size;
  return std::clamp<std::int64_t>(index, 0, size);
}

Value pop(ListObject& list, const Arguments& arguments) {
  auto given = bind(arguments, {"index"}, 0);
  auto size = static_cast<std::int64_t>(list.items.size());
  if (size == 0) fault("pop from empty list");
  std::int64_t index = integer_or(given[0], -1, arguments, "index");
  if (index < 0) index += size;
  if (index < 0 || index >= size) fault("pop index out of range");
  Value item = std::move(list.items[static_cast<std::size_t>(index)]);
  list.items.erase(list.items.begin() + index);
  count_steps(static_cast<std::uint64_t>(size - index) / 64);
  meter_give(sizeof(Value));
  return item;
}

Value index_of(const std::vector<Value>& items, const Arguments& arguments) {
  auto given = bind(arguments, {"value", "start", "stop"}, 1);
  auto size = static_cast<std::int64_t>(items.size());
  std::int64_t start = clamped(integer_or(given[1], 0, arguments, "start"), size);
  std::int64_t stop = clamped(integer_or(given[2], size, arguments, "stop"), size);
  for (std::int64_t i = start; i < stop; ++i) {
    count_steps();
    if (equal(items[static_cast<std::size_t>(i)], *given[0])) return Value::of(i);
  }
  fault(repr_of(*given[0]) + " is not in list");
}

Value count_of(const std::vector<Value>& items, const Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  std::int64_t found = 0;
  for (const Value& item : items) {
    count_steps();
    found += equal(item, *given[0]) ? 1 : 0;
  }
  return Value::of(found);
}

Value remove(ListObject& list, const Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    count_steps();
    if (!equal(list.items[i], *given[0])) continue;
    list.items.erase(list.items.begin() + static_cast<std::ptrdiff_t>(i));
    meter_give(sizeof(Value));
    return Value::none();
  }
  fault("list.remove(x): x not in list");
}

Value sort_in_place(ListObject& list, const Arguments& arguments) {
  if (!arguments.positional.empty()) fault("sort() takes no positional arguments");
  bool reverse = false;
  for (const Keyword& keyword : arguments.keywords) {
    if (keyword.name == "key" && keyword.value.is_none()) continue;
    if (keyword.name != "reverse") fault("sort() does not support the argument " + repr_text(keyword.name));
    reverse = truth(keyword.value);
  }
  sort_by_keys(list.items, list.items, reverse);
  return Value::none();
}

}  // namespace

Value call_list_method(const Value& self, MethodId method, Arguments& arguments) {
  ListObject& list = list_of(self);
  switch (method) {
    case MethodId::append: {
      auto given = bind(arguments, {"object"}, 1);
      meter_take(sizeof(Value));
      list.items.push_back(*given[0]);
      note_container(self, *given[0], arguments.run);
      return Value::none();
    }
    case MethodId::insert: {
      auto given = bind(arguments, {"index", "object"}, 2);
      auto size = static_cast<std::int64_t>(list.items.size());
      std::int64_t index = clamped(integer_or(given[0], 0, arguments, "index"), size);
      meter_take(sizeof(Value));
      count_steps(static_cast<std::uint64_t>(size - index) / 64);
      list.items.insert(list.items.begin() + index, *given[1]);
      note_container(self, *given[1], arguments.run);
      return Value::none();
    }
    case MethodId::extend: {
      auto given = bind(arguments, {"iterable"}, 1);
      std::vector<Value> more = items_of(*given[0]);
      meter_take(sizeof(Value) * more.size());
      for (Value& item : more) {
        note_container(self, item, arguments.run);
        list.items.push_back(std::move(item));
      }
      return Value::none();
    }
    case MethodId::pop:
      return pop(list, arguments);
    case MethodId::remove:
      return remove(list, arguments);
    case MethodId::clear:
      meter_give(sizeof(Value) * list.items.size());
      list.items.clear();
      return Value::none();
    case MethodId::copy:
      count_steps(list.items.size());
      return make_list(list.items);
    case MethodId::reverse:
      count_steps(list.items.size());
      std::ranges::reverse(list.items);
      return Value::none();
    case MethodId::sort:
      return sort_in_place(list, arguments);
    case MethodId::index:
      return index_of(list.items, arguments);
    case MethodId::count:
      return count_of(list.items, arguments);
    default:
      fault("the list method " + repr_text(name_of(method)) + " is not supported");
  }
}

Value call_tuple_method(const Value& self, MethodId method, Arguments& arguments) {
  std::vector<Value> items = items_of(self);
  return method == MethodId::index ? index_of(items, arguments) : count_of(items, arguments);
}

Value call_number_method(const Value& self, MethodId method, Arguments& arguments) {
  bind_parameters(arguments, {}, 0, {});
  auto magnitude = [&] {
    auto bits = static_cast<std::uint64_t>(self.as_int());
    return self.as_int() < 0 ? 0 - bits : bits;
  };
  switch (method) {
    case MethodId::conjugate:
      return self.is_bool() ? Value::of(self.as_int()) : self;
    case MethodId::is_integer:
      return Value::of(std::isfinite(self.as_double()) && self.as_double() == std::floor(self.as_double()));
    case MethodId::bit_length:
      return Value::of(static_cast<std::int64_t>(std::bit_width(magnitude())));
    case MethodId::bit_count:
      return Value::of(static_cast<std::int64_t>(std::popcount(magnitude())));
    default:
      fault("the number method " + repr_text(name_of(method)) + " is not supported");
  }
}

}  // namespace palette::jinja
