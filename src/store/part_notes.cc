#include "store/part_notes.h"

#include <utility>

namespace palette::store {

void note_progress(JobItem& job, const QueueItem& held, PartProgress progress, UtcTime now) {
  PartProgress& noted = job.parts[held.part.value];
  const bool is_further = progress.records + progress.failed > noted.records + noted.failed;
  progress.attempt = held.attempt;
  progress.slice_no = noted.slice_no;
  progress.last_slice = noted.last_slice;
  progress.fruitless = is_further ? 0 : noted.fruitless;
  progress.last_cause = is_further ? "" : std::move(noted.last_cause);
  noted = std::move(progress);
  job.records_generated = job.records_failed = job.tokens_used = 0;
  job.cost_estimate = Money{};
  for (const auto& [number, part] : job.parts) {
    job.records_generated += part.records;
    job.records_failed += part.failed;
    job.tokens_used += part.tokens;
    job.cost_estimate += part.cost;
  }
  job.updated_at = now;
}

void note_fruitless(PartProgress& part, std::string cause) {
  ++part.fruitless;
  part.last_cause = std::move(cause);
}

std::string lapsed_lease(const QueueItem& item) {
  return item.owner + " no longer renewed its lease" +
         (item.lease_expires_at ? ", which ended at " + item.lease_expires_at->to_iso() : std::string());
}

std::unexpected<Error> has_ended_already(const JobItem& job) {
  return fail(ErrorKind::bad_input,
              "job '" + job.id.text + "' has ended already: it is " + std::string(job::to_string(job.status)));
}

}  // namespace palette::store
