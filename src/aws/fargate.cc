#include "aws/fargate.h"

#include <array>
#include <optional>
#include <string>

namespace palette::aws {
namespace {

struct Sizes {
  std::int64_t cpu_units, memory_mib_min, memory_mib_max, step_mib;
};

// By cpu, then by memory. 256 has two rows: its steps are uneven.
constexpr auto kSizes = std::to_array<Sizes>({{256, 512, 1'024, 512},
                                              {256, 2'048, 2'048, 1'024},
                                              {512, 1'024, 4'096, 1'024},
                                              {1'024, 2'048, 8'192, 1'024},
                                              {2'048, 4'096, 16'384, 1'024},
                                              {4'096, 8'192, 30'720, 1'024},
                                              {8'192, 16'384, 61'440, 4'096},
                                              {16'384, 32'768, 122'880, 8'192}});

struct Size {
  std::int64_t cpu_units, memory_mib;
  bool operator==(const Size&) const = default;
};

// The smallest that has at least as much of both.
std::optional<Size> nearest_above(Size wanted) {
  for (const Sizes& row : kSizes) {
    if (row.cpu_units < wanted.cpu_units || row.memory_mib_max < wanted.memory_mib) continue;
    if (wanted.memory_mib <= row.memory_mib_min) return Size{row.cpu_units, row.memory_mib_min};
    const std::int64_t steps = (wanted.memory_mib - row.memory_mib_min + row.step_mib - 1) / row.step_mib;
    return Size{row.cpu_units, row.memory_mib_min + steps * row.step_mib};
  }
  return {};
}

// The largest that has at most as much of both.
std::optional<Size> nearest_below(Size wanted) {
  for (auto row = kSizes.rbegin(); row != kSizes.rend(); ++row) {
    if (row->cpu_units > wanted.cpu_units || row->memory_mib_min > wanted.memory_mib) continue;
    if (wanted.memory_mib >= row->memory_mib_max) return Size{row->cpu_units, row->memory_mib_max};
    const std::int64_t steps = (wanted.memory_mib - row->memory_mib_min) / row->step_mib;
    return Size{row->cpu_units, row->memory_mib_min + steps * row->step_mib};
  }
  return {};
}

std::string text_of(Size size) {
  return "cpu " + std::to_string(size.cpu_units) + " with memory " + std::to_string(size.memory_mib);
}

}  // namespace

Status check_fargate_size(std::int64_t cpu_units, std::int64_t memory_mib) {
  const Size wanted{cpu_units, memory_mib};
  const std::optional<Size> below = nearest_below(wanted), above = nearest_above(wanted);
  if (below == wanted) return {};
  std::string nearest = below ? text_of(*below) : "";
  if (above) nearest += (nearest.empty() ? "" : " and ") + text_of(*above);
  return fail(ErrorKind::bad_input,
              "Fargate has no tasks of " + text_of(wanted) + " MiB; the nearest it has: " + nearest);
}

}  // namespace palette::aws
