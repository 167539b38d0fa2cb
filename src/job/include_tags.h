// The tags of a template that name other templates: `{% include 'style' %}`, `{% include ['a', 'b'] ignore missing %}`,
// import, from and extends. The engine reads an include that is not there as nothing until it is rendered; a job is
// checked before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palette::job {

struct IncludeTag {
  std::string keyword;             // "include", "import", "from", "extends"
  std::vector<std::string> names;  // constant ones; of a list the first that exists is taken
  bool ignore_missing = false;
  std::uint32_t line = 0, column = 0;  // of the first name
};

// Tags whose names are all constants, in order; not those in comments and raw blocks.
std::vector<IncludeTag> include_tags(std::string_view text);

}  // namespace palette::job
