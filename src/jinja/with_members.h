// A dict like another one but for some members: for hosts that render many templates over nearly the same variables.
//
//   const Value kName = Value::of("name");
//   Value context = with_members(row, {{kName, Value::of("Ada")}});
#pragma once

#include <initializer_list>
#include <utility>

#include "jinja/value.h"

namespace palette::jinja {

// The members of `dict`, keys and values shared with it, then those given, which replace what has their key. Same as
// Value::map of all of them, without a copy of a text. Keys are strings; made once, they are hashed once.
Value with_members(const Value& dict, std::initializer_list<std::pair<Value, Value>> members);

}  // namespace palette::jinja
