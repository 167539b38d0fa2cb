#include "job/status.h"

#include <array>
#include <string>

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"QUEUED", "RUNNING",         "COMPLETED",
                                                    "FAILED", "BUDGET_EXCEEDED", "CANCELLED"};

}  // namespace

std::string_view to_string(JobStatus status) { return kNames[static_cast<std::size_t>(status)]; }

Result<JobStatus> job_status_from(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<JobStatus>(i);
  }
  return fail(ErrorKind::corrupt, "'" + std::string(text) + "' is not the status of a job");
}

bool is_terminal(JobStatus status) { return status != JobStatus::queued && status != JobStatus::running; }

}  // namespace palette::job
