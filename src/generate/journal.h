// The journal of an attempt: finished records and finished steps of batches that are not committed yet, so that they
// are not paid for again. One object, replaced as a whole at each flush; only its attempt writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "async/task.h"
#include "base/ids.h"
#include "base/result.h"
#include "generate/record.h"
#include "store/object_store.h"

namespace palette::generate {

using RecordsByIndex = std::map<std::int64_t, RecordState>;

// Reads all journals of the part. Where several attempts have a step, the latest counts. Only records that `wanted`
// says yes to are kept. corrupt stops the attempt.
async::Task<Result<RecordsByIndex>> read_journals(store::ObjectStore& objects, JobId job, PartNumber part,
                                                  StepIds step_ids, std::function<bool(RecordIndex)> wanted);

async::Task<Status> remove_journals(store::ObjectStore& objects, JobId job, PartNumber part);

}  // namespace palette::generate
