// A job put into the queue of AWS: seed data and spec.json into the bucket, then Jobs and Queue in one transaction.
// Each step may be repeated, so that the same command after a crash goes on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "cli/job_making.h"
#include "cli/job_queue.h"
#include "generate/preflight.h"

namespace palette::cli {

struct SubmittedJob {
  store::JobItem item;  // as it is now
  JobQueue queue;       // likewise
  bool is_new = false;
  bool is_changed = false;  // something was written: it is new, goes on, or has other wishes
  std::string told;         // for the user; empty for a new job without an older one of its name
  // It could not be changed as wished, because workers are at it (held): what to do.
  std::optional<Error> busy;
};

// seed-data/{user}/{stem}-{8 hex of the content's SHA-256}{ext}
std::string seed_object_key(const std::string& user, const std::filesystem::path& file, std::string_view sha256);

// Puts the job's seed data into the bucket, where it is a file of this machine, and names the object in `prepared`.
// Nothing is sent when the very content is there. Errors: changed when another content has that key.
async::Task<Status> upload_seeds(Workspace& workspace, generate::PreparedJob* prepared, std::string user);

// Makes the job, or goes on with it, extends it, exports it again: as `run` does (DESIGN.md section 4). Errors:
// over_budget when it stopped at a budget that is not higher now; changed when others write it again and again.
async::Task<Result<SubmittedJob>> submit_job(Workspace& workspace, const generate::PreparedJob& prepared,
                                             JobOptions options, const Clock& clock);

}  // namespace palette::cli
