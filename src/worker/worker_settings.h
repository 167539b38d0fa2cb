// How a worker works, as the environment says it.
#pragma once

#include <cstdint>

#include "aws/environment.h"
#include "base/limits.h"
#include "base/result.h"

namespace palette::worker {

struct WorkerSettings {
  std::int64_t lease_ms = 60'000;                              // PALETTE_LEASE_S
  std::int64_t flush_ms = 15'000;                              // PALETTE_FLUSH_S: journal, checkpoint, cost rows
  std::int64_t batch_records = limits::kBatchRecords;          // CHECKPOINT_INTERVAL: for jobs that others wrote
  std::int64_t drain_deadline_ms = limits::kDrainDeadline_ms;  // of calls in flight, after SIGTERM
  std::int64_t fruitless_max = 10;                             // attempts in a row without progress
  std::int64_t patience_ms = 600'000;                          // how long DynamoDB and S3 are waited for

  std::int64_t lease_margin_ms() const;  // after its end, before others take a lease: clocks differ
  std::int64_t report_ms() const { return lease_ms / 3; }
};

// bad_input names every variable that is not what it should be.
Result<WorkerSettings> worker_settings_of(const aws::Environment& environment);

}  // namespace palette::worker
