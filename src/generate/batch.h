// A batch's objects: what stands in them, and which records of it are missing.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "generate/checkpoint.h"
#include "generate/journal.h"
#include "generate/record.h"
#include "job/extents.h"
#include "store/object_store.h"

namespace palette::generate {

// What the lines of a batch object say.
struct BatchContent {
  std::vector<std::int64_t> indexes;  // ascending
  Spending spending;
};

// corrupt when a line is no record of the job or lies outside of `range`, or when an index is there twice.
Result<BatchContent> read_batch(std::string_view text, const JobId& job, const job::RecordRange& range);

// Adds what the record's steps took; with `only_new` those that are not booked yet.
void add_steps(Spending& spending, const StepIds& step_ids, const RecordState& state, bool only_new = false);

// Adds what its failure left unused.
void add_unused(Spending& spending, const RecordState& state);

// The failed records of a batch with what their last failure says: every line of every attempt's failures object, the
// highest attempt's winning, less those whose index is in `succeeded`. Steps that an earlier attempt's line has, or
// that are of the only line, are marked as booked.
async::Task<Result<RecordsByIndex>> read_failures(store::ObjectStore& objects, JobId job, BatchNumber batch,
                                                  StepIds step_ids, std::set<std::int64_t> succeeded);

}  // namespace palette::generate
