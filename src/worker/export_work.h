// The export of a job whose parts have all ended, and with it the job's end.
#pragma once

#include <cstdint>

#include "async/task.h"
#include "worker/part_work.h"
#include "worker/work_context.h"

namespace palette::worker {

// As work_on_part(), for an item of WorkKind::export_.
async::Task<void> work_on_export(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms);

}  // namespace palette::worker
