// The job of a claimed part: as spec.json says it, or, where nobody has written one, as the item of the Jobs table
// says it: one that other software put there with `config` {template_id, template_version, seed_data_path, num_records,
// output_format, partition_strategy, model, …: any key of a job file} and `budget_limit`.
//
//   Result<generate::SavedJob> job = co_await load_or_make_job(parts, item);
//   if (!job && job.error().kind == ErrorKind::bad_input) …   // the job can never run: it fails with this message
#pragma once

#include <cstdint>
#include <string>

#include "async/task.h"
#include "aws/environment.h"
#include "base/limits.h"
#include "base/result.h"
#include "dataset/seed_object.h"
#include "generate/saved_job.h"
#include "store/job_store.h"

namespace palette::worker {

// All must outlive the job that is made.
struct IntakeParts {
  store::JobStore* jobs = nullptr;  // of templates
  dataset::SeedPlaces seeds = {};   // its object store also has spec.json
  aws::Environment environment = {};
  std::string region = {};                        // chooses the profiles of models
  std::int64_t interval = limits::kBatchRecords;  // records of a batch, for a job that is made here
};

// The job with its models looked up. One that was made here is checked as a job file is, saved as spec.json (workers
// that do so at once write the same), and has its seed data open; a saved one is opened by generate::open_saved_seeds.
// Its identity and extents are for the caller to put into the Jobs item.
// Errors: bad_input with everything that is wrong with the item, its template or its seed data; corrupt for a spec.json
// that cannot be read; those of the stores.
async::Task<Result<generate::SavedJob>> load_or_make_job(IntakeParts parts, store::JobItem item);

}  // namespace palette::worker
