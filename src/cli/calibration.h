// What the first records of a job took: the measure that the rest is estimated by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/money.h"
#include "base/result.h"
#include "cli/workspace.h"
#include "job/spec.h"
#include "store/job_store.h"

namespace palette::cli {

// The newest job of that name and identity: the one that `run` goes on with. Nothing when there is none.
async::Task<Result<std::optional<store::JobItem>>> same_job(Workspace* workspace, std::string name,
                                                            std::string identity_hash);

// The job's first records that were tried, failed ones included.
struct MadeRecords {
  std::vector<Money> costs;  // of each; calls that gave nothing are spread over all
  std::int64_t tokens = 0;
  std::int64_t failed = 0;

  std::int64_t records() const { return static_cast<std::int64_t>(costs.size()); }
};

// At most `count` of them. Errors: corrupt, and those of the store.
async::Task<Result<MadeRecords>> made_records(Workspace* workspace, store::JobItem job,
                                              std::vector<std::string> step_ids, std::int64_t count, UtcTime now);

}  // namespace palette::cli
