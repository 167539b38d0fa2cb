// What one render may use. Every default is far above what a real prompt needs; crossing one is an error of
// kind too_large (or timeout) that names the limit and its value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace palette::jinja {

struct Limits {
  std::uint64_t steps = 2'000'000;                // statements, loop turns, calls and items that filters touch
  std::size_t output_bytes = 8 * 1024 * 1024;     // the finished text, and all text being captured at once
  std::size_t operation_bytes = 8 * 1024 * 1024;  // what one operation (repeat, pad, join, range, …) may make
  std::size_t live_bytes = 24 * 1024 * 1024;      // strings and containers alive at once in this render
  std::uint32_t call_depth = 200;                 // macros, includes and recursive loops inside each other
  std::uint32_t value_depth = 200;                // lists and dicts inside each other, when printed or compared
  std::size_t stack_bytes = 2 * 1024 * 1024;      // of the C++ stack below render(); a net under the two above
  std::uint64_t deadline_ms = 10'000;             // wall time; 0 = none
};

// Holds while a template is compiled (no real template comes near).
inline constexpr std::size_t kTemplateBytesMax = 4 * 1024 * 1024;
inline constexpr std::uint32_t kParseDepthMax = 120;       // brackets and blocks inside each other
inline constexpr std::size_t kNamesMax = 1000;             // different names of variables, attributes and blocks
inline constexpr std::uint32_t kExpressionDepthMax = 600;  // of an expression's tree: also of a + b + c + …

}  // namespace palette::jinja
