// Where a job stands (DESIGN.md section 2). Only the end of the export sets a terminal status.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace palette::job {

enum class JobStatus : std::uint8_t { queued, running, completed, failed, budget_exceeded, cancelled };

std::string_view to_string(JobStatus status);              // "QUEUED", "BUDGET_EXCEEDED", …
Result<JobStatus> job_status_from(std::string_view text);  // corrupt when it is none of them
bool is_terminal(JobStatus status);

}  // namespace palette::job
