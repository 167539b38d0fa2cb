// textwrap.wrap of Python, as the filter wordwrap uses it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palette::jinja {

struct WrapOptions {
  std::int64_t width = 79;
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

std::vector<std::string> wrapped(std::string_view line, const WrapOptions& options);

}  // namespace palette::jinja
