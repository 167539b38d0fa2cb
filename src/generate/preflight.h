// The whole job is checked before anything runs (DESIGN.md promise 8): job file, templates, seed data, models, places
// to write. Every error is told at once; nothing is created.
//
//   Preflight checked = preflight({.job_file = "job.yaml"});
//   if (!checked.job) { for (const auto& finding : checked.diagnostics.sorted()) … }
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "aws/environment.h"
#include "dataset/seed_data.h"
#include "generate/model_checks.h"
#include "job/compiled_job.h"
#include "job/diagnostics.h"
#include "job/identity.h"
#include "job/read_spec.h"
#include "job/spec.h"

namespace palette::generate {

// The user's own file of models, as it was when the job was checked; empty when there was none.
struct UserModels {
  std::string file_name, text;
};

// A job that can run: every part was checked.
struct PreparedJob {
  job::JobSpec spec;
  job::CompiledJob compiled;
  std::shared_ptr<const dataset::SeedData> seeds;  // null only in a saved job whose columns need no rows
  job::Identity identity;
  StepModels step_models;     // of compiled.steps
  std::string seed_key = {};  // where the seed data is an object of the bucket; empty: spec.seed_data, on this machine
  UserModels user_models = {};  // what the job's models were looked up in, beside the catalogue
};

struct PreflightInput {
  std::filesystem::path job_file;
  job::Overrides overrides;
  std::shared_ptr<job::ModelDirectory> models;    // null: the built-in catalogue
  aws::Environment environment;                   // where models are asked, and with which keys
  job::TemplateById template_by_id;               // empty: no table of templates
  std::filesystem::path spool_dir;                // where large seed data is unpacked
  std::vector<std::filesystem::path> written_to;  // folders that will be made or written
  // Opens the object that `seed_data_path` names. Empty: such a job is refused, because it is one for AWS.
  std::function<Result<dataset::SeedData>(const std::string& key)> open_seed_key = {};
};

struct Preflight {
  job::Diagnostics diagnostics;
  StepModels step_models;          // as far as they could be looked up, errors or not
  std::optional<PreparedJob> job;  // when there are no errors
};

Preflight preflight(const PreflightInput& input);

// The two halves of it, for who has the job as a document and must wait for its seed data: everything that needs no
// seed row (input.job_file is not looked at) …
struct CheckedSpec {
  job::JobSpec spec;
  job::CompiledJob compiled;
  StepModels step_models;
  UserModels user_models;
  job::Diagnostics diagnostics;
};
CheckedSpec check_spec(const job::Document& document, const PreflightInput& input);

// … and the rest of it, with the seed data: nothing where it could not be opened, which the diagnostics of `checked`
// tell.
Preflight check_with_seeds(CheckedSpec checked, std::optional<dataset::SeedData> seeds);

// The part of it that needs no seed data: `template check FILE` without --seed-data. The file is a job or a template
// file.
struct CheckedTemplate {
  job::JobSpec spec;
  job::CompiledJob compiled;
};
CheckedTemplate check_template(const std::filesystem::path& file, const job::Overrides& overrides,
                               job::Diagnostics& diagnostics);

// The seed data of the job; `by_flag` when the command line named it. What is wrong with it goes to the diagnostics.
std::optional<dataset::SeedData> open_seed_data(const job::JobSpec& spec, bool by_flag,
                                                const std::filesystem::path& spool_dir, job::Diagnostics& diagnostics);

// Are the variables that the templates read, and the template's schema_requirements, in the seed rows? Looks at those
// that are at hand: all rows of a file, the first ones of a large object.
void check_seed_variables(const job::JobSpec& spec, const job::CompiledJob& compiled, const dataset::SeedData& seeds,
                          job::Diagnostics& diagnostics);

}  // namespace palette::generate
