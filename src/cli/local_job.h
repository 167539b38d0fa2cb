// The job that a `run` is about (job_making.h), claimed by this process under the kernel's file lock, given back or
// finished.
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "cli/job_making.h"
#include "cli/workspace.h"
#include "generate/exporter.h"
#include "generate/generator.h"
#include "generate/preflight.h"
#include "store/job_store.h"
#include "store/local/file_lease.h"

namespace palette::cli {

// A claimed job, its lease held by this process.
struct ClaimedJob {
  store::JobItem item;
  store::QueueItem queue;
  job::Extents extents;
  store::FileLease lease;
  job::JobStatus status_before = job::JobStatus::queued;
  std::string told;  // for the user: that it goes on, or starts anew and why
};

// Errors: held when another process works on it.
async::Task<Result<ClaimedJob>> claim_job(Workspace& workspace, const generate::PreparedJob& prepared,
                                          JobOptions options, const Clock& clock);

// How far it is, for `jobs` in another terminal.
async::Task<Status> report_progress(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                                    const Clock& clock);

// Back to QUEUED: the same command goes on. `unspent` of the slices goes back to the budget.
async::Task<Status> give_back(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                              Money unspent, const Clock& clock);

struct JobEnd {
  job::JobStatus status = job::JobStatus::completed;  // COMPLETED, FAILED or BUDGET_EXCEEDED
  std::string cause;
  Money unspent;  // of the slices
};
async::Task<Status> finish_job(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                               JobEnd end, const Clock& clock);

}  // namespace palette::cli
