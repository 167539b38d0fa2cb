// Why a job ends before all of its records were tried: kept in the job until its export has set the terminal status.
#pragma once

#include <string>
#include <string_view>

#include "job/status.h"

namespace palette::job {

inline constexpr std::string_view kStopCancelled = "cancelled";
inline constexpr std::string_view kStopBudget = "budget_exceeded";

// "failed: <cause>"
std::string stop_failed(std::string_view cause);

// The status that the job ends with; COMPLETED for "".
JobStatus status_after(std::string_view stop_reason);

// The cause of a stop_failed(); "" for others.
std::string_view cause_of_stop(std::string_view stop_reason);

}  // namespace palette::job
