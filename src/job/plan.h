// What goes into record i depends on the job's seed and i alone (DESIGN.md promise 9), so every worker, resumed or not,
// makes the same record. The version is frozen in the job when it is created.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "job/spec.h"

namespace palette::job {

inline constexpr std::int64_t kPlanVersion = 1;

// The seed row of record `index`, in [0, rows); rows > 0. random: drawn with replacement; shuffle: every row once
// before any row twice, each round in an order of its own; sequential: index modulo rows.
std::uint64_t seed_row_of(SeedSampling sampling, std::uint64_t seed, RecordIndex index, std::uint64_t rows);

}  // namespace palette::job
