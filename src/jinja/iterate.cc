#include "jinja/iterate.h"

#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/run_objects.h"
#include "jinja/undefined.h"
#include "jinja/unicode.h"

namespace palette::jinja {

bool is_iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
    case Kind::view:
    case Kind::generator:
    case Kind::loop:
      return true;
    default:
      return false;
  }
}

ItemSource::ItemSource(Value iterable) : iterable_(std::move(iterable)) {
  if (!is_iterable(iterable_)) {
    fault("'" + std::string(type_name(iterable_)) + "' object is not iterable");
  }
  if (iterable_.is_undefined() && strict_undefined() && (iterable_.detail() & kUndefinedMild) == 0) {
    fail_undefined(iterable_);
  }
  if (iterable_.kind() == Kind::dict) size_before_ = iterable_.size();
  if (iterable_.kind() == Kind::view) size_before_ = view_of(iterable_).dict.size();
}

bool ItemSource::next(Value& item) {
  count_steps();
  switch (iterable_.kind()) {
    case Kind::list:
    case Kind::tuple: {
      const auto& items = list_of(iterable_).items;
      if (position_ >= items.size()) return false;
      item = items[position_++];
      return true;
    }
    case Kind::generator: {
      ListObject& rest = list_of(iterable_);
      if (rest.taken >= rest.items.size()) return false;
      item = std::move(rest.items[rest.taken++]);
      return true;
    }
    case Kind::dict:
    case Kind::view: {
      const Value& dict = iterable_.kind() == Kind::dict ? iterable_ : view_of(iterable_).dict;
      const auto& entries = dict_of(dict).entries;
      if (entries.size() != size_before_) fault("dictionary changed size during iteration");
      if (position_ >= entries.size()) return false;
      const DictEntry& entry = entries[position_++];
      ViewKind which = iterable_.kind() == Kind::dict ? ViewKind::keys : view_of(iterable_).which;
      if (which == ViewKind::keys) {
        item = entry.key;
      } else if (which == ViewKind::values) {
        item = entry.value;
      } else {
        item = make_list({entry.key, entry.value}, Kind::tuple);
      }
      return true;
    }
    case Kind::loop: {  // what is left of the loop, with itself beside
      LoopObject& loop = loop_of(iterable_);
      if (!loop.advance()) return false;
      item = make_list({loop.current, iterable_}, Kind::tuple);
      return true;
    }
    case Kind::range: {
      const RangeObject& range = range_of(iterable_);
      if (static_cast<std::int64_t>(position_) >= range.length()) return false;
      item = Value::of(range.start + range.step * static_cast<std::int64_t>(position_++));
      return true;
    }
    case Kind::string: {
      std::string_view text = iterable_.as_string();
      if (position_ >= text.size()) return false;
      std::size_t begin = position_;
      next_point(text, position_);
      item = Value::of(text.substr(begin, position_ - begin));
      return true;
    }
    default:
      return false;
  }
}

std::vector<Value> items_of(const Value& iterable) {
  if (iterable.kind() == Kind::list || iterable.kind() == Kind::tuple) {
    count_steps(iterable.size());
    return list_of(iterable).items;
  }
  if (iterable.kind() == Kind::range) {
    check_operation(static_cast<std::uint64_t>(range_of(iterable).length()) * sizeof(Value), "a list of this range");
  }
  std::vector<Value> items;
  ItemSource source(iterable);
  Value item;
  while (source.next(item)) items.push_back(std::move(item));
  return items;
}

}  // namespace palette::jinja
