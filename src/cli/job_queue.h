// A job's items of the queue, as a user sees them: who works on what, and why nothing moves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/json.h"
#include "base/time.h"
#include "store/job_store.h"

namespace palette::cli {

struct JobQueue {
  std::vector<store::QueueItem> items;
  std::map<std::int64_t, store::PartProgress> parts;  // as of the job
  UtcTime now;                                        // by the store's clock

  // Is an owner's lease good?
  bool is_worked_on() const;
  // Parts that wait for money: PARKED, and no time is set.
  std::int64_t starved() const;

  // [{"part","kind","status","attempt","owner","lease_expires_at","not_before","starved","fruitless","last_cause"}]
  JsonArray to_json() const;
  // One line: "3 of 8 parts are worked on, 2 wait for a worker, 3 for a larger budget"; empty for an empty queue.
  std::string summary(std::int64_t parts_total) const;
  // A line for each item.
  std::vector<std::string> lines() const;
};

// Is the lease of a RUNNING item good at `now`?
bool has_owner(const store::QueueItem& item, UtcTime now);

// What the store's clock says.
UtcTime store_now(const store::JobStore& jobs);

async::Task<Result<JobQueue>> load_queue(store::JobStore& jobs, store::JobItem item);

// The parts that wait for money go back to the queue. What others have moved meanwhile is left alone.
async::Task<Status> wake_starved(store::JobStore& jobs, JobQueue queue);

}  // namespace palette::cli
