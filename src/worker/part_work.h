// A claimed part from claim to end: the job is loaded, its records are made, and the part is ended, given back, or
// parked, whatever happened.
#pragma once

#include <cstdint>

#include "async/task.h"
#include "worker/work_context.h"

namespace palette::worker {

// What a worker has made of parts since it began, for its metrics.
struct WorkDone {
  std::int64_t records = 0, failed = 0, tokens = 0, throttles = 0;
  Money cost = {};
  std::int64_t in_flight = 0;  // calls, as of the last report
};

// Everything that went wrong is told to the log; a part that cannot be given back comes free when its lease is over.
// Precondition: `held` is a claim of this process, sent at `claimed_ms` of the monotonic clock. `done` is kept up to
// date meanwhile.
async::Task<void> work_on_part(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms, WorkDone& done);

// How long a part that has failed `fruitless` times in a row waits for its next attempt.
std::int64_t pause_after_failures_ms(std::int64_t fruitless);

// Does the error say that something was away, rather than that the attempt was bad? Such attempts are not counted.
bool is_outage(ErrorKind kind);

}  // namespace palette::worker
