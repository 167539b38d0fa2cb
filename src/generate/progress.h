// Where a run stands: read by whoever shows it (cli), written by the generator.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/ids.h"
#include "base/money.h"
#include "generate/record.h"

namespace palette::generate {

struct Progress {
  std::int64_t records_total = 0;      // asked for
  std::int64_t records_done = 0;       // succeeded, earlier attempts included
  std::int64_t records_failed = 0;     // failed for good
  std::int64_t records_at_start = 0;   // done or failed before this attempt
  std::int64_t batches_committed = 0;  // by this attempt
  std::int64_t input_tokens = 0, output_tokens = 0;
  Money cost;
  std::string last_error;

  // Told as they happen; may be empty.
  std::function<void(BatchNumber batch, std::int64_t records, std::int64_t failed)> on_batch_committed;
  std::function<void(const RecordState& failed)> on_record_failed;
};

}  // namespace palette::generate
