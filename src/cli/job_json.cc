#include "cli/job_json.h"

namespace palette::cli {
namespace {

Json time_json(const std::optional<UtcTime>& time) { return time ? Json(time->to_iso()) : Json(nullptr); }

}  // namespace

JsonObject job_json(const store::JobItem& job) {
  JsonObject out;
  out["job_id"] = job.id.text;
  out["name"] = job.name;
  out["status"] = job::to_string(job.status);
  out["stop_reason"] = job.stop_reason;
  out["error_message"] = job.error_message;
  out["num_records"] = job.num_records;
  out["records_generated"] = job.records_generated;
  out["records_failed"] = job.records_failed;
  out["tokens_used"] = job.tokens_used;
  out["cost_usd"] = job.cost_estimate.to_decimal();
  out["budget_limit"] = job.budget_limit ? Json(job.budget_limit->to_decimal()) : Json(nullptr);
  out["created_at"] = job.created_at.to_iso();
  out["started_at"] = time_json(job.started_at);
  out["updated_at"] = job.updated_at.to_iso();
  out["completed_at"] = time_json(job.completed_at);
  for (const auto& member : job.spec_fields) {
    if (!out.contains(member.key())) out[member.key()] = member.value();
  }
  return out;
}

}  // namespace palette::cli
