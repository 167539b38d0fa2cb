#include "jinja/sorting.h"

#include <algorithm>
#include <numeric>

#include "jinja/compare.h"
#include "jinja/meter.h"

namespace palette::jinja {

void sort_by_keys(std::vector<Value>& items, const std::vector<Value>& keys, bool reverse, bool as_lists) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    count_steps();
    const Value& left = keys[reverse ? b : a];
    const Value& right = keys[reverse ? a : b];
    return !(as_lists && equal(left, right)) && less(left, right);
  });
  std::vector<Value> sorted;
  sorted.reserve(items.size());
  for (std::size_t position : order) sorted.push_back(items[position]);
  items = std::move(sorted);
}

}  // namespace palette::jinja
