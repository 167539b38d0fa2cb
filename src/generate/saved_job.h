// spec.json: the whole validated job as it was when it was made, with what its templates include, so that a worker or a
// later export needs no job file.
//
//   {"job_id", "created_at", "plan_version", "identity": {…}, "seed_data": {"path","sha256","rows"}, "includes": {id:
//   text},
//    "extents": […], "spec": {…the job file's keys…}}
#pragma once

#include <filesystem>
#include <string>

#include "async/task.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "generate/preflight.h"
#include "job/extents.h"
#include "store/object_store.h"

namespace palette::generate {

struct SavedJob {
  JobId job;
  UtcTime created_at;
  job::Identity identity;
  job::Extents extents;  // as they were when it was saved last
  std::string seed_path, seed_sha256;
  PreparedJob prepared;  // without seeds
};

// Writes spec.json, over an older one of the same job.
async::Task<Status> save_job(store::ObjectStore& objects, JobId job, const PreparedJob& prepared, job::Extents extents,
                             UtcTime created_at);

// Errors: not_found; corrupt when it cannot be read or is of a newer plan.
async::Task<Result<SavedJob>> load_job(store::ObjectStore& objects, JobId job);

// Opens the job's seed data into saved.prepared, where its columns need it: bad_input when it is gone or is another
// file now.
Status open_saved_seeds(SavedJob& saved, const std::filesystem::path& spool_dir);

}  // namespace palette::generate
