// What stands of a part when an attempt begins: the batch objects are the truth, the checkpoint only saves reading
// them.
#pragma once

#include <cstdint>
#include <map>

#include "async/task.h"
#include "base/time.h"
#include "generate/checkpoint.h"
#include "generate/journal.h"
#include "job/extents.h"
#include "store/job_store.h"
#include "store/object_store.h"

namespace palette::generate {

// Which part of which job, under which attempt.
struct PartContext {
  JobId job;
  PartNumber part{1};
  AttemptNumber attempt{1};
  job::Extents extents;
  std::int64_t num_records = 0;  // of the job, what is asked for now: at most extents.records()
  std::int64_t parts = 1;        // that share the job; store::kExportPart stands for all of them

  // Batches that hold records below num_records; the last may reach beyond it.
  BatchNumber last_batch() const { return extents.batch_of(RecordIndex{num_records - 1}); }
  // Is the batch made by this part?
  bool has(BatchNumber batch) const { return part == store::kExportPart || extents.part_of(batch, parts) == part; }
  // The first batch from `first` on that it makes; one beyond last_batch() when there is none.
  BatchNumber next_batch(BatchNumber first) const;
  // The first batch from `first` on that it makes and that is not in `made`; beyond last_batch() when all are.
  BatchNumber next_missing(const BatchSet& made, BatchNumber first = BatchNumber{1}) const;
  // How many records below num_records it makes.
  std::int64_t records() const;
};

struct ResumeState {
  Checkpoint checkpoint;
  std::map<std::int64_t, std::int64_t> retry_rounds;  // batch -> its highest round, where there is one
  RecordsByIndex journal;                             // of records that are not committed as succeeded
  Spending journaled;                                 // what these took; the checkpoint does not have it yet

  // Everything that is known to be spent.
  Money spent() const { return checkpoint.cost() + journaled.cost(); }
};

// Everything of the job, for its export: what its parts know, put together. `context` is of store::kExportPart.
async::Task<Result<ResumeState>> load_whole_state(store::ObjectStore& objects, PartContext context, StepIds step_ids,
                                                  UtcTime now);

// Usage of batches that the checkpoint did not know is booked on this attempt. Errors: corrupt for anything that cannot
// be read (never taken as empty), and those of the store.
async::Task<Result<ResumeState>> load_resume_state(store::ObjectStore& objects, PartContext context, StepIds step_ids,
                                                   UtcTime now);

}  // namespace palette::generate
