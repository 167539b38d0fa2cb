// make_attrgetter of Jinja: 'a.b.0' walks members and items.
#pragma once

#include <string>
#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

struct Run;

class AttributePath {
 public:
  // None or undefined text parts: the item itself. Numbers in a dotted text are indexes.
  AttributePath(Run& run, const Value& attribute);
  void set_default(Value value) { default_ = std::move(value); }
  Value get(const Value& item) const;
  bool empty() const { return parts_.empty(); }

 private:
  Run& run_;
  std::vector<Value> parts_;
  Value default_;  // undefined: none
};

// Several with commas between ('a,b'): the key to sort by.
class SortKey {
 public:
  SortKey(Run& run, const Value* attribute, bool case_sensitive);
  Value get(const Value& item) const;

 private:
  std::vector<AttributePath> paths_;
  bool case_sensitive_;
};

// Lower case for strings, the rest as it is.
Value without_case(const Value& value);

}  // namespace palette::jinja
