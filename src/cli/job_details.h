// What objects and cost rows know of a job beside its item: costs of all parts, and which records failed.
#pragma once

#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "cli/job_costs.h"
#include "cli/workspace.h"
#include "generate/record.h"
#include "store/job_store.h"

namespace palette::cli {

// Of a job whose spec.json is not written yet (others have put it into the tables) nothing was made: no costs.
async::Task<Result<JobCosts>> load_costs(Workspace* workspace, store::JobItem item);

// Records that failed for good, less what retries made good; also those that only a journal has, because the job
// stopped before their batch was committed. In order of their index.
async::Task<Result<std::vector<generate::RecordState>>> load_failures(Workspace* workspace, store::JobItem item);

}  // namespace palette::cli
