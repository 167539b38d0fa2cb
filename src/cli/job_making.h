// The job that `run` and `submit` are about: found by its identity, made, extended, put into the queue again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "cli/job_estimate.h"
#include "cli/workspace.h"
#include "generate/preflight.h"
#include "job/extents.h"
#include "store/job_store.h"

namespace palette::cli {

inline constexpr std::int64_t kPriorityDefault = 5;

struct JobOptions {
  bool fresh = false;                             // start over under a new id
  std::int64_t interval = limits::kBatchRecords;  // records of a batch, for what is new
  std::optional<KeptEstimate> estimate = {};      // to be remembered in the job
  std::int64_t parts = 1;                         // of a new job; there are never more than batches
  std::string user_id = "local";                  // whose a new job is
};

struct FoundJobs {
  std::optional<store::JobItem> same;   // the newest with the same name and hash
  std::optional<store::JobItem> other;  // the newest of that name with another hash
};
async::Task<Result<FoundJobs>> find_jobs(Workspace& workspace, const generate::PreparedJob& prepared);

// The id of the job that is the same, or, for a new one, the first of <id>, <id>-2, <id>-3 … that no other job has. The
// very job may have been made by another process just now.
async::Task<Result<JobId>> id_for(Workspace& workspace, const generate::PreparedJob& prepared, const FoundJobs& found,
                                  bool fresh);

// Why it is a new job although there is one of its name; for the user.
async::Task<std::string> what_differs(Workspace& workspace, store::JobItem other,
                                      const generate::PreparedJob& prepared);
// That a job goes on, or is extended; empty for one that was made already.
std::string told_about(const store::JobItem& before, std::int64_t num_records);

// One part per 2,500 records begun, or as many as the job file says; never more than batches.
std::int64_t parts_of_large_job(const job::JobSpec& spec, std::int64_t interval);

// Writes spec.json, then the job with a queue item for each part. already_exists when the id is taken.
async::Task<Status> create_job(Workspace& workspace, JobId id, const generate::PreparedJob& prepared,
                               JobOptions options, UtcTime now);

// bad_input when the budget is less than what is spent, or in the slices of parts that are worked on: that cannot be
// taken back. `said_by`: where the budget was given.
Status check_enough(const store::JobItem& item, const std::optional<Money>& budget, std::string_view said_by);

// An existing job takes the wishes that a new command may change (num_records, budget, formats …), in `item` and in
// spec.json; nothing is put into the tables.
async::Task<Status> take_over_wishes(Workspace& workspace, store::JobItem* item, const generate::PreparedJob& prepared,
                                     JobOptions options, UtcTime now);

// All parts again, for a job that is in no queue: `item` becomes QUEUED. What is made already is not made again.
std::vector<store::QueueItem> queue_all_parts(store::JobItem& item, std::int64_t priority);
// Only its export.
store::QueueItem queue_export(store::JobItem& item, std::int64_t priority);

}  // namespace palette::cli
