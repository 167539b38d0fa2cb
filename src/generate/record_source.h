// The records of a job in the order of their index: batches with what retries made good, and, when the job stopped
// early, what journals hold of batches that were not committed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "generate/resume.h"
#include "store/object_store.h"

namespace palette::generate {

// The lines of one batch that are part of the dataset, ascending; they view `bodies`.
struct SourceBatch {
  std::vector<std::string> bodies;
  std::vector<std::pair<std::int64_t, std::string_view>> lines;
};

class RecordSource {
 public:
  // `state` as load_resume_state gave it; `state.journal` may be empty when every batch is committed.
  RecordSource(store::ObjectStore& objects, PartContext context, StepIds step_ids, ResumeState state);

  // The next batch with any records; nothing after the last.
  async::Task<Result<std::optional<SourceBatch>>> next();

 private:
  async::Task<Status> add_object(SourceBatch* out, BatchNumber batch, std::string key);
  void add_journal(SourceBatch& out, BatchNumber batch);

  store::ObjectStore& objects_;
  PartContext context_;
  StepIds step_ids_;
  ResumeState state_;
  std::int64_t next_batch_ = 1;
};

}  // namespace palette::generate
