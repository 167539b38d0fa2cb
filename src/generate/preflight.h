// The whole job is checked before anything runs (DESIGN.md promise 8): job file, templates, seed data, models, places
// to write. Every error is told at once; nothing is created.
//
//   Preflight checked = preflight({.job_file = "job.yaml"});
//   if (!checked.job) { for (const auto& finding : checked.diagnostics.sorted()) … }
#pragma once

#include <filesystem>
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

// A job that can run: every part was checked.
struct PreparedJob {
  job::JobSpec spec;
  job::CompiledJob compiled;
  std::shared_ptr<const dataset::SeedData> seeds;  // null only in a saved job whose columns need no rows
  job::Identity identity;
  StepModels step_models;  // of compiled.steps
};

struct PreflightInput {
  std::filesystem::path job_file;
  job::Overrides overrides;
  std::shared_ptr<job::ModelDirectory> models;    // null: the built-in catalogue
  aws::Environment environment;                   // where models are asked, and with which keys
  job::TemplateById template_by_id;               // empty: no table of templates
  std::filesystem::path spool_dir;                // where large seed data is unpacked
  std::vector<std::filesystem::path> written_to;  // folders that will be made or written
};

struct Preflight {
  job::Diagnostics diagnostics;
  StepModels step_models;          // as far as they could be looked up, errors or not
  std::optional<PreparedJob> job;  // when there are no errors
};

Preflight preflight(const PreflightInput& input);

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

// Are the variables that the templates read, and the template's schema_requirements, in the seed rows?
void check_seed_variables(const job::JobSpec& spec, const job::CompiledJob& compiled, const dataset::SeedData& seeds,
                          job::Diagnostics& diagnostics);

}  // namespace palette::generate
