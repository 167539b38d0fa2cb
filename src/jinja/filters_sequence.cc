#include <algorithm>
#include <optional>
#include <string>

#include "jinja/attribute_path.h"
#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/sorting.h"
#include "jinja/text.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

Value generator(std::vector<Value> items) { return make_list(std::move(items), Kind::generator); }

Value length(Arguments& arguments) {
  auto given = bind(arguments, {"obj"}, 1);
  std::int64_t size = length_of(*given[0]);
  if (size < 0) fault("object of type '" + std::string(type_name(*given[0])) + "' has no len()");
  return Value::of(size);
}

Value first(Arguments& arguments) {
  auto given = bind(arguments, {"seq"}, 1);
  ItemSource source(*given[0]);
  Value item;
  return source.next(item) ? item : undefined_hint("No first item, sequence was empty.");
}

Value last(Arguments& arguments) {
  auto given = bind(arguments, {"seq"}, 1);
  const Value& value = *given[0];
  if (value.kind() == Kind::generator || value.is_undefined() || !is_iterable(value)) {
    if (value.is_undefined() && strict_undefined()) fail_undefined(value);
    if (value.is_undefined()) return undefined_hint("No last item, sequence was empty.");
    fault("'" + std::string(type_name(value)) + "' object is not reversible");
  }
  if (value.is_list() && value.size() > 0) return value.at(value.size() - 1);
  std::vector<Value> items = items_of(value);
  return items.empty() ? undefined_hint("No last item, sequence was empty.") : items.back();
}

Value list(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  return make_list(items_of(*given[0]));
}

Value reverse(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  const Value& value = *given[0];
  if (!is_iterable(value)) fault("argument must be iterable");
  std::vector<Value> items = items_of(value);
  if (value.is_string()) {
    std::string text;
    for (std::size_t i = items.size(); i > 0; --i) text += items[i - 1].as_string();
    return value.is_safe() ? Value::safe(text) : Value::of(text);
  }
  std::ranges::reverse(items);
  bool listed = value.kind() == Kind::generator;  // has no __reversed__: Jinja makes a list
  return listed ? make_list(std::move(items)) : generator(std::move(items));
}

Value sort(Arguments& arguments) {
  auto given = bind(arguments, {"value", "reverse", "case_sensitive", "attribute"}, 1);
  SortKey key(arguments.run, given[3], truth_or(given[2], false));
  std::vector<Value> items = items_of(*given[0]);
  std::vector<Value> keys;
  keys.reserve(items.size());
  for (const Value& item : items) keys.push_back(key.get(item));
  sort_by_keys(items, keys, truth_or(given[1], false), true);
  return make_list(std::move(items));
}

Value dict_sort(Arguments& arguments) {
  auto given = bind(arguments, {"value", "case_sensitive", "by", "reverse"}, 1);
  std::string by = text_or(given[2], "key");
  if (by != "key" && by != "value") fault("You can only sort by either \"key\" or \"value\"");
  if (!given[0]->is_map()) {
    if (given[0]->is_undefined()) fail_undefined(*given[0]);
    fault("dictsort wants a dict, found " + std::string(kind_name(*given[0])));
  }
  std::vector<Value> items;
  std::vector<Value> keys;
  for (const DictEntry& entry : dict_of(*given[0]).entries) {
    count_steps();
    items.push_back(make_list({entry.key, entry.value}, Kind::tuple));
    const Value& key = by == "key" ? entry.key : entry.value;
    keys.push_back(truth_or(given[1], false) ? key : without_case(key));
  }
  sort_by_keys(items, keys, truth_or(given[3], false));
  return make_list(std::move(items));
}

Value items(Arguments& arguments) {
  auto given = bind(arguments, {"value"}, 1);
  if (given[0]->is_undefined()) return generator({});
  if (!given[0]->is_map()) fault("Can only get item pairs from a mapping.");
  std::vector<Value> pairs;
  for (const DictEntry& entry : dict_of(*given[0]).entries) {
    count_steps();
    pairs.push_back(make_list({entry.key, entry.value}, Kind::tuple));
  }
  return generator(std::move(pairs));
}

Value unique(Arguments& arguments) {
  auto given = bind(arguments, {"value", "case_sensitive", "attribute"}, 1);
  bool sensitive = truth_or(given[1], false);
  AttributePath path(arguments.run, given[2] == nullptr ? Value::none() : *given[2]);
  Value seen = make_dict();
  std::vector<Value> kept;
  ItemSource source(*given[0]);
  Value item;
  while (source.next(item)) {
    Value key = path.get(item);
    if (!sensitive) key = without_case(key);
    std::uint32_t hash = hash_value(key);
    if (dict_of(seen).find(key, hash) != nullptr) continue;
    dict_of(seen).set(key, hash, Value::none());
    kept.push_back(item);
  }
  return generator(std::move(kept));
}

Value extreme(Arguments& arguments, bool largest) {
  auto given = bind(arguments, {"value", "case_sensitive", "attribute"}, 1);
  bool sensitive = truth_or(given[1], false);
  AttributePath path(arguments.run, given[2] == nullptr ? Value::none() : *given[2]);
  auto key_of = [&](const Value& item) {
    Value key = path.get(item);
    return sensitive ? key : without_case(key);
  };
  ItemSource source(*given[0]);
  Value best;
  if (!source.next(best)) return undefined_hint("No aggregated item, sequence was empty.");
  Value best_key = key_of(best);
  Value item;
  while (source.next(item)) {
    Value key = key_of(item);
    bool better = largest ? compare(key, best_key, ">") == 1 : compare(key, best_key, "<") == -1;
    if (!better) continue;
    best = item;
    best_key = std::move(key);
  }
  return best;
}

Value min(Arguments& arguments) { return extreme(arguments, false); }
Value max(Arguments& arguments) { return extreme(arguments, true); }

Value batch(Arguments& arguments) {
  auto given = bind(arguments, {"value", "linecount", "fill_with"}, 2);
  std::int64_t count = integer_or(given[1], 1, arguments, "linecount");
  bool fill = given[2] != nullptr && !given[2]->is_none();
  std::vector<Value> batches;
  std::vector<Value> now;
  ItemSource source(*given[0]);
  Value item;
  while (source.next(item)) {
    if (static_cast<std::int64_t>(now.size()) == count) batches.push_back(make_list(std::exchange(now, {})));
    now.push_back(item);
  }
  if (!now.empty()) {
    auto size = static_cast<std::int64_t>(now.size());
    if (fill && size < count) {
      check_operation(static_cast<std::uint64_t>(std::min<std::int64_t>(count, INT64_MAX / 32)) * sizeof(Value),
                      "batch");
      now.resize(static_cast<std::size_t>(count), *given[2]);
    }
    batches.push_back(make_list(std::move(now)));
  }
  return generator(std::move(batches));
}

Value slice(Arguments& arguments) {
  auto given = bind(arguments, {"value", "slices", "fill_with"}, 2);
  std::int64_t slices = integer_or(given[1], 1, arguments, "slices");
  std::vector<Value> all = items_of(*given[0]);
  if (slices == 0) fault("integer division or modulo by zero");
  if (slices < 0) return generator({});
  check_operation(static_cast<std::uint64_t>(std::min<std::int64_t>(slices, INT64_MAX / 128)) *
                      (sizeof(Value) + sizeof(ListObject)),
                  "slice");
  auto size = static_cast<std::int64_t>(all.size());
  std::int64_t each = size / slices;
  std::int64_t extra = size % slices;
  std::int64_t offset = 0;
  bool fill = given[2] != nullptr && !given[2]->is_none();
  std::vector<Value> parts;
  for (std::int64_t i = 0; i < slices; ++i) {
    count_steps();
    std::int64_t start = offset + i * each;
    if (i < extra) ++offset;
    std::int64_t stop = offset + (i + 1) * each;
    std::vector<Value> part(all.begin() + start, all.begin() + stop);
    if (fill && i >= extra) part.push_back(*given[2]);
    parts.push_back(make_list(std::move(part)));
  }
  return generator(std::move(parts));
}

Value group_by(Arguments& arguments) {
  auto given = bind(arguments, {"value", "attribute", "default", "case_sensitive"}, 2);
  bool sensitive = truth_or(given[3], false);
  AttributePath path(arguments.run, *given[1]);
  if (given[2] != nullptr && !given[2]->is_none()) path.set_default(*given[2]);
  std::vector<Value> all = items_of(*given[0]);
  std::vector<Value> keys;
  for (const Value& item : all) {
    Value key = path.get(item);
    keys.push_back(sensitive ? key : without_case(key));
  }
  std::vector<Value> sorted_keys = keys;
  sort_by_keys(sorted_keys, keys, false);
  sort_by_keys(all, keys, false);
  std::vector<Value> groups;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && equal(sorted_keys[end], sorted_keys[begin])) ++end;
    Value members = make_list(std::vector<Value>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 all.begin() + static_cast<std::ptrdiff_t>(end)));
    Value key = sensitive ? sorted_keys[begin] : path.get(all[begin]);
    Value group = make_list({key, members}, Kind::tuple);
    list_of(group).group = true;
    groups.push_back(std::move(group));
    begin = end;
  }
  return make_list(std::move(groups));
}

Value random(Arguments& arguments) {
  auto given = bind(arguments, {"seq"}, 1);
  const Value& seq = *given[0];
  std::int64_t size = length_of(seq);
  if (size < 0 || seq.is_map() || seq.kind() == Kind::view) {
    fault("random wants a list or a string, found " + std::string(kind_name(seq)));
  }
  if (size == 0) return undefined_hint("No random item, sequence was empty.");
  std::uint64_t pick = arguments.run.drawer.draw(text_of(seq), static_cast<std::uint64_t>(size));
  return get_item(arguments.run, seq, Value::of(static_cast<std::int64_t>(pick)));
}

Value fallback(Arguments& arguments) {
  auto given = bind(arguments, {"value", "default_value", "boolean"}, 1);
  bool absent = given[0]->is_undefined() || (truth_or(given[2], false) && !truth(*given[0]));
  if (!absent) return *given[0];
  return given[1] == nullptr ? Value::of("") : *given[1];
}

}  // namespace

void add_sequence_filters(Registry& registry) {
  auto add = [&](const char* name, Builtin builtin) { registry.filters[name].builtin = builtin; };
  add("length", length);
  add("count", length);
  add("first", first);
  add("last", last);
  add("list", list);
  add("reverse", reverse);
  add("sort", sort);
  add("dictsort", dict_sort);
  add("items", items);
  add("unique", unique);
  add("min", min);
  add("max", max);
  add("batch", batch);
  add("slice", slice);
  add("groupby", group_by);
  add("random", random);
  add("default", fallback);
  add("d", fallback);
}

}  // namespace palette::jinja
