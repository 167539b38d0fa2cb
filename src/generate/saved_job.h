// spec.json: the whole validated job as it was when it was made, with what its templates include and the user's own
// models, so that a worker or a later export needs no file of the user's machine.
//
//   {"job_id", "created_at", "plan_version", "identity": {…}, "includes": {id: text}, "extents": […],
//    "seed_data": {"key" (an object) or "path" (a file), "sha256", "rows"},
//    "models": {"file", "text"} (only with a file of models), "spec": {…the job file's keys…}}
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "dataset/seed_object.h"
#include "generate/preflight.h"
#include "job/extents.h"
#include "store/object_store.h"

namespace palette::generate {

struct SavedJob {
  JobId job;
  UtcTime created_at;
  job::Identity identity;
  job::Extents extents;   // as they were when it was saved last
  std::string seed_path;  // a file on the machine where the job was made; empty when prepared.seed_key is set
  std::string seed_sha256;
  std::uint64_t seed_rows = 0;
  PreparedJob prepared;  // without seeds
};

// Writes spec.json, over an older one of the same job.
async::Task<Status> save_job(store::ObjectStore& objects, JobId job, const PreparedJob& prepared, job::Extents extents,
                             UtcTime created_at);

// With a `region` (of the caller's, for the models' profiles; may be empty) prepared.step_models is looked up too,
// which only those need who call models.
// Errors: not_found; corrupt when it cannot be read or is of a newer plan; bad_input when a model is not known any
// more.
async::Task<Result<SavedJob>> load_job(store::ObjectStore& objects, JobId job,
                                       std::optional<std::string> region = std::nullopt);

// What seed rows are wanted for: records to be made need them always, an export only where the job has columns.
enum class SeedUse : std::uint8_t { records, columns };

// Opens the job's seed data into saved->prepared, where it is needed and not open yet: bad_input when it is gone or is
// other data now. The places must outlive the prepared job; `saved` the call.
async::Task<Status> open_saved_seeds(SavedJob* saved, dataset::SeedPlaces places, SeedUse use);

}  // namespace palette::generate
