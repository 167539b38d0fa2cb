// Walking through the items of a value, as Python's for does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

class ItemSource {
 public:
  ItemSource() = default;
  // Fails for what Python does not iterate: "'int' object is not iterable".
  explicit ItemSource(Value iterable);

  // The next item; false at the end. Counts a step.
  bool next(Value& item);
  const Value& iterable() const { return iterable_; }

 private:
  Value iterable_;
  std::size_t position_ = 0;     // of strings in bytes
  std::size_t size_before_ = 0;  // of dicts: they may not change size meanwhile
};

// All items at once.
std::vector<Value> items_of(const Value& iterable);
bool is_iterable(const Value& value);

// Decides which items a loop takes ({% for x in y if … %}).
class ItemFilter {
 public:
  virtual ~ItemFilter() = default;
  virtual bool passes(const Value& item) = 0;
};

}  // namespace palette::jinja
