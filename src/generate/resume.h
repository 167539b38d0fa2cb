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
#include "store/object_store.h"

namespace palette::generate {

// Which part of which job, under which attempt.
struct PartContext {
  JobId job;
  PartNumber part{1};
  AttemptNumber attempt{1};
  job::Extents extents;
  std::int64_t num_records = 0;  // what is asked for now: at most extents.records()

  // Batches that hold records below num_records; the last may reach beyond it.
  BatchNumber last_batch() const { return extents.batch_of(RecordIndex{num_records - 1}); }
};

struct ResumeState {
  Checkpoint checkpoint;
  std::map<std::int64_t, std::int64_t> retry_rounds;  // batch -> its highest round, where there is one
  RecordsByIndex journal;                             // of records that are not committed as succeeded
  Spending journaled;                                 // what these took; the checkpoint does not have it yet

  // Everything that is known to be spent.
  Money spent() const { return checkpoint.cost() + journaled.cost(); }
};

// Usage of batches that the checkpoint did not know is booked on this attempt. Errors: corrupt for anything that cannot
// be read (never taken as empty), and those of the store.
async::Task<Result<ResumeState>> load_resume_state(store::ObjectStore& objects, PartContext context, StepIds step_ids,
                                                   UtcTime now);

}  // namespace palette::generate
