#include "job/stop_reason.h"

namespace palette::job {
namespace {

constexpr std::string_view kFailed = "failed: ";

}  // namespace

std::string stop_failed(std::string_view cause) { return std::string(kFailed) + std::string(cause); }

JobStatus status_after(std::string_view stop_reason) {
  if (stop_reason.empty()) return JobStatus::completed;
  if (stop_reason == kStopBudget) return JobStatus::budget_exceeded;
  if (stop_reason.starts_with(kFailed)) return JobStatus::failed;
  return JobStatus::cancelled;
}

std::string_view cause_of_stop(std::string_view stop_reason) {
  return stop_reason.starts_with(kFailed) ? stop_reason.substr(kFailed.size()) : "";
}

}  // namespace palette::job
