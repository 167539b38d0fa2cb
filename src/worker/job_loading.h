// The job of a claimed item, ready to be worked on: as it was saved, with what the Jobs item says now.
#pragma once

#include "async/task.h"
#include "generate/preflight.h"
#include "generate/saved_job.h"
#include "job/extents.h"
#include "worker/work_context.h"

namespace palette::worker {

struct LoadedJob {
  store::JobItem item;             // as it stands now
  generate::PreparedJob prepared;  // with the records, the budget and, where they are needed, the seed rows of now
  job::Extents extents;
};

// A job that others wrote is completed in its Jobs item. Errors: bad_input and corrupt when it can never be worked on;
// those of the stores.
async::Task<Result<LoadedJob>> load_job_for_work(WorkContext& context, store::JobItem item, generate::SeedUse use);

// The item that the last part puts into the queue, in place of its own.
store::QueueItem export_item_of(const store::JobItem& job, const store::QueueItem& part);

}  // namespace palette::worker
