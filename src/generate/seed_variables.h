// Which columns the seed rows have, held against what the templates read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace palette::generate {

// How often a dotted path is missing in the rows that were looked at.
struct PathPresence {
  std::vector<std::string> path;
  std::uint64_t missing = 0;
  std::uint64_t first_missing_row = 0;  // from 0

  // Is there a value at the path? A path may end in a value that is no object: what follows are attributes and methods
  // of the template language ({{ name.upper() }}). With `exact` every step must be the key of an object.
  static bool is_in(const JsonObject& row, const std::vector<std::string>& path, bool exact);
};

}  // namespace palette::generate
