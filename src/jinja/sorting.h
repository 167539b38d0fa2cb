// Python's sorted().
#pragma once

#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

// Sorts `items` by `keys` (one each), stably, as Python does also when reversed. `keys` may be `items` itself. With
// `as_lists` the keys compare as lists of one: what is equal needs no order.
void sort_by_keys(std::vector<Value>& items, const std::vector<Value>& keys, bool reverse, bool as_lists = false);

}  // namespace palette::jinja
