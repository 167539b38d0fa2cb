// The sizes that a task on Fargate can have (reference section 6.2).
//
//   if (Status fits = check_fargate_size(1'024, 2'048); !fits) return std::unexpected(fits.error().at("job.yaml"));
#pragma once

#include <cstdint>

#include "base/result.h"

namespace palette::aws {

// `cpu_units`: 1024 are one vCPU. bad_input for a pair that Fargate does not have; the message names the nearest that
// it has: the smallest with at least as much of both, the largest with at most as much of both.
Status check_fargate_size(std::int64_t cpu_units, std::int64_t memory_mib);

}  // namespace palette::aws
