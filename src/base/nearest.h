// "Did you mean …": the known name nearest to an unknown one.
#pragma once

#include <span>
#include <string_view>

namespace palette {

// The candidate with the smallest edit distance (swaps count once), if it is at most a third of the name's
// length (at least 1); empty when none is that near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace palette
