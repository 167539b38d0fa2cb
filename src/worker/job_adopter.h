// Puts jobs into the queue that stand as QUEUED or RUNNING and are in none: written by others, or left so by an
// accident.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "async/task.h"
#include "worker/work_context.h"

namespace palette::worker {

class JobAdopter {
 public:
  explicit JobAdopter(WorkContext& context) : context_(context) {}

  // Looks through all jobs, now and then only: every ten minutes. `in_queue`: the jobs that have an item in the queue.
  // True when any was put into it.
  async::Task<Result<bool>> adopt_now_and_then(std::set<std::string> in_queue);

  // When it shall be asked again, by the monotonic clock: at once at first, soon after it saw a job that is too young.
  std::int64_t due_ms() const { return due_ms_; }

 private:
  async::Task<Result<bool>> adopt(store::JobItem job);

  WorkContext& context_;
  std::int64_t due_ms_ = 0;
};

// The job that a queue item at this position is of.
std::string job_in(const store::QueuePosition& position);

}  // namespace palette::worker
