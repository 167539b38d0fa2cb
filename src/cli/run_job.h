// The whole of a run after the job was checked: claim, generate, export, finish; signals, progress, and the words at
// the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "cli/job_estimate.h"
#include "cli/progress_display.h"
#include "cli/workspace.h"
#include "generate/preflight.h"

namespace palette::cli {

struct RunRequest {
  std::filesystem::path out_dir;  // empty: no copies
  bool fresh = false;
  bool retry_failed = false;
  bool quiet = false;
  std::int64_t interval = 50;  // records of a batch, for what is new
  DisplayMode display = DisplayMode::plain;
  std::optional<KeptEstimate> estimate = {};  // what the job is expected to cost: remembered in it
};

// Gives the exit code.
int run_job(Workspace& workspace, const generate::PreparedJob& prepared, const RunRequest& request);

}  // namespace palette::cli
