#include "jinja/compare.h"

#include <bit>
#include <cmath>
#include <string>

#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/run_objects.h"
#include "jinja/text.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

bool strict(const Value& value) {
  return value.is_undefined() && strict_undefined() && (value.detail() & kUndefinedMild) == 0;
}

// Exact also for integers that a double cannot hold: the 64 bits of a long double's mantissa suffice.
int compare_numbers(const Value& left, const Value& right) {
  if (left.kind() != Kind::floating && right.kind() != Kind::floating) {
    return left.as_int() < right.as_int() ? -1 : left.as_int() > right.as_int() ? 1 : 0;
  }
  auto wide = [](const Value& value) {
    return value.is_double() ? static_cast<long double>(value.as_double()) : static_cast<long double>(value.as_int());
  };
  long double a = wide(left);
  long double b = wide(right);
  if (std::isnan(a) || std::isnan(b)) return 2;
  return a < b ? -1 : a > b ? 1 : 0;
}

bool equal_deep(const Value& left, const Value& right, std::uint32_t depth);

bool equal_items(const std::vector<Value>& left, const std::vector<Value>& right, std::uint32_t depth) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    count_steps();
    if (!equal_deep(left[i], right[i], depth + 1)) return false;
  }
  return true;
}

bool equal_dicts(DictObject& left, DictObject& right, std::uint32_t depth) {
  if (left.entries.size() != right.entries.size()) return false;
  for (const DictEntry& entry : left.entries) {
    count_steps();
    const DictEntry* other = right.find(entry.key, entry.hash);
    if (other == nullptr || !equal_deep(entry.value, other->value, depth + 1)) return false;
  }
  return true;
}

bool equal_ranges(const RangeObject& left, const RangeObject& right) {
  if (left.length() != right.length()) return false;
  if (left.length() == 0) return true;
  return left.start == right.start && (left.length() == 1 || left.step == right.step);
}

bool equal_views(const ViewObject& left, const ViewObject& right, std::uint32_t depth) {
  if (left.which != right.which || left.which == ViewKind::values) return &left == &right;
  DictObject& a = dict_of(left.dict);
  DictObject& b = dict_of(right.dict);
  if (left.which == ViewKind::items) return equal_dicts(a, b, depth);
  if (a.entries.size() != b.entries.size()) return false;
  for (const DictEntry& entry : a.entries) {
    if (b.find(entry.key, entry.hash) == nullptr) return false;
  }
  return true;
}

bool equal_deep(const Value& left, const Value& right, std::uint32_t depth) {
  check_value_depth(depth);
  if (left.is_number() && right.is_number()) return compare_numbers(left, right) == 0;
  if (strict(left)) fail_undefined(left);
  if (strict(right)) fail_undefined(right);
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::string:
      if (left.object() == right.object()) return true;
      if (string_of(left).size != string_of(right).size) return false;
      count_steps(string_of(left).size / 64);
      return string_of(left).view() == string_of(right).view();
    case Kind::list:
    case Kind::tuple:
      return left.object() == right.object() || equal_items(list_of(left).items, list_of(right).items, depth);
    case Kind::dict:
      return left.object() == right.object() || equal_dicts(dict_of(left), dict_of(right), depth);
    case Kind::range:
      return equal_ranges(range_of(left), range_of(right));
    case Kind::view:
      return equal_views(view_of(left), view_of(right), depth);
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
    case Kind::generator:
    case Kind::loop:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::name_space:
    case Kind::cycler:
    case Kind::joiner:
    case Kind::module:
    case Kind::blocks:
      return left.object() == right.object();
  }
  return false;
}

[[noreturn]] void fail_order(const Value& left, const Value& right, const char* sign) {
  if (left.is_undefined()) fail_undefined(left);
  if (right.is_undefined()) fail_undefined(right);
  fault("'" + std::string(sign) + "' not supported between instances of '" + std::string(type_name(left)) + "' and '" +
        std::string(type_name(right)) + "'");
}

int compare_deep(const Value& left, const Value& right, const char* sign, std::uint32_t depth) {
  check_value_depth(depth);
  if (left.is_number() && right.is_number()) return compare_numbers(left, right);
  if (left.is_string() && right.is_string()) {
    int order = string_of(left).view().compare(string_of(right).view());
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  bool lists = left.kind() == right.kind() && (left.kind() == Kind::list || left.kind() == Kind::tuple);
  if (!lists) fail_order(left, right, sign);
  const auto& a = list_of(left).items;
  const auto& b = list_of(right).items;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    count_steps();
    if (!equal_deep(a[i], b[i], depth + 1)) return compare_deep(a[i], b[i], sign, depth + 1);
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

std::uint32_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 31)) * 0x7fb5d329728ea185U;
  return static_cast<std::uint32_t>(bits ^ (bits >> 32));
}

std::uint32_t hash_deep(const Value& value, std::uint32_t depth) {
  check_value_depth(depth);
  count_steps();
  switch (value.kind()) {
    case Kind::undefined:
      if (strict(value)) fail_undefined(value);
      return 7;
    case Kind::none:
      return 11;
    case Kind::boolean:
    case Kind::integer:
      return mix(static_cast<std::uint64_t>(value.as_int()));
    case Kind::floating: {
      double number = value.as_double();
      bool whole = number >= -9.2e18 && number <= 9.2e18 && number == std::floor(number);
      if (whole) return mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
      return mix(std::bit_cast<std::uint64_t>(number));
    }
    case Kind::string:
      return hash_of(string_of(value));
    case Kind::tuple: {
      std::uint32_t hash = 0x345678;
      for (const Value& item : list_of(value).items) hash = mix(hash * 31ULL + hash_deep(item, depth + 1));
      return hash;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      fault("unhashable type: '" + std::string(type_name(value)) + "'");
    case Kind::range:
    case Kind::generator:
    case Kind::loop:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::name_space:
    case Kind::cycler:
    case Kind::joiner:
    case Kind::module:
    case Kind::blocks:
      return mix(std::bit_cast<std::uint64_t>(value.object()));
  }
  return 0;
}

bool range_contains(const RangeObject& range, const Value& item) {
  if (!item.is_number()) return false;
  double number = item.as_double();
  if (item.is_double() && number != std::floor(number)) return false;
  std::int64_t wanted = item.is_double() ? static_cast<std::int64_t>(number) : item.as_int();
  if (range.step > 0 ? wanted < range.start || wanted >= range.stop : wanted > range.start || wanted <= range.stop) {
    return false;
  }
  return (static_cast<__int128>(wanted) - range.start) % range.step == 0;
}

bool any_equal(const Value& container, const Value& item) {
  ItemSource source(container);
  Value candidate;
  while (source.next(candidate)) {
    if (same_object(candidate, item) || equal(candidate, item)) return true;
  }
  return false;
}

}  // namespace

void fail_undefined(const Value& value) { fault(undefined_message(value)); }

bool equal(const Value& left, const Value& right) { return equal_deep(left, right, 0); }

bool same_key(const Value& left, const Value& right) {
  if (left.is_string() && right.is_string()) {
    return left.object() == right.object() || string_of(left).view() == string_of(right).view();
  }
  return equal_deep(left, right, 0);
}

int compare(const Value& left, const Value& right, const char* sign) { return compare_deep(left, right, sign, 0); }

bool less(const Value& left, const Value& right) { return compare_deep(left, right, "<", 0) == -1; }

std::uint32_t hash_value(const Value& value) {
  if (value.is_string()) return hash_of(string_of(value));
  return hash_deep(value, 0);
}

bool contains(const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::string: {
      if (!item.is_string()) {
        if (item.is_undefined() && strict_undefined()) fail_undefined(item);
        fault("'in <string>' requires string as left operand, not " + std::string(type_name(item)));
      }
      std::string_view text = container.as_string();
      count_steps(text.size() / 32);
      return find_text(text, item.as_string()) != std::string_view::npos;
    }
    case Kind::dict:
      return dict_of(container).find(item, hash_value(item)) != nullptr;
    case Kind::range:
      return range_contains(range_of(container), item);
    case Kind::view:
      if (view_of(container).which == ViewKind::keys) return contains(view_of(container).dict, item);
      return any_equal(container, item);
    case Kind::undefined:
      if (strict(container)) fail_undefined(container);
      return false;
    case Kind::list:
    case Kind::tuple:
      for (const Value& candidate : list_of(container).items) {
        count_steps();
        if (equal(candidate, item)) return true;
      }
      return false;
    case Kind::generator:
    case Kind::loop:
      return any_equal(container, item);
    default:
      fault("argument of type '" + std::string(type_name(container)) + "' is not iterable");
  }
}

bool truth(const Value& value) {
  if (strict(value)) fail_undefined(value);
  return value.truthy();
}

bool Value::truthy() const {
  switch (kind_) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return integer_ != 0;
    case Kind::floating:
      return floating_ != 0;
    case Kind::string:
      return string_of(*this).size != 0;
    case Kind::list:
    case Kind::tuple:
      return !list_of(*this).items.empty();
    case Kind::dict:
      return !dict_of(*this).entries.empty();
    case Kind::range:
      return range_of(*this).length() != 0;
    case Kind::view:
      return view_of(*this).dict.truthy();
    case Kind::loop:
      return length_of(*this) != 0;
    case Kind::generator:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::name_space:
    case Kind::cycler:
    case Kind::joiner:
    case Kind::module:
    case Kind::blocks:
      return true;
  }
  return false;
}

bool Value::equals(const Value& other) const {
  try {
    return equal(*this, other);
  } catch (const Fault&) {  // nested deeper than anything compares
    return false;
  }
}

bool same_object(const Value& left, const Value& right) {
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::none:
      return true;
    case Kind::boolean:
    case Kind::integer:
      return left.as_int() == right.as_int();
    case Kind::floating:
      return left.as_double() == right.as_double();
    case Kind::string:
      return left.object() == right.object() || left.as_string() == right.as_string();
    default:
      return left.object() == right.object();
  }
}

std::int64_t RangeObject::length() const {
  __int128 span = step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  if (span <= 0) return 0;
  __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  __int128 length = (span + stride - 1) / stride;
  constexpr __int128 kMost = INT64_MAX;
  return static_cast<std::int64_t>(length > kMost ? kMost : length);
}

std::int64_t length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      if (strict(value)) fail_undefined(value);
      return 0;
    case Kind::string:
      count_steps(string_of(value).size / 64);
      return static_cast<std::int64_t>(code_points(value));
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
      return static_cast<std::int64_t>(value.size());
    case Kind::range:
      return range_of(value).length();
    case Kind::view:
      return static_cast<std::int64_t>(view_of(value).dict.size());
    case Kind::loop:
      return loop_of(value).length();
    default:
      return -1;
  }
}

}  // namespace palette::jinja
