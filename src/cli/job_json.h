// A job as JSON for machines: the same members in `jobs --json` and `show --json`.
#pragma once

#include "base/json.h"
#include "store/job_store.h"

namespace palette::cli {

JsonObject job_json(const store::JobItem& job);

}  // namespace palette::cli
