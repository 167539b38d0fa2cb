// A job file, or a template file, into a JobSpec or TemplateSpec. Every complaint goes to the diagnostics; what could
// be read is returned all the same, so that later checks find more in the same run.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "job/diagnostics.h"
#include "job/document.h"
#include "job/spec.h"

namespace palette::job {

// The canonical name of a model that a job names; bad_input when there is no such model.
using ModelNames = std::function<Result<std::string>(std::string_view name)>;

// What the command line says over the job file.
struct Overrides {
  std::optional<std::string> model;  // replaces every step's model
  std::optional<std::int64_t> num_records;
  std::optional<std::string> budget_limit;
  std::vector<std::string> output_formats;
  std::optional<std::int64_t> concurrency;
  std::optional<std::string> seed_data;
  ModelNames model_names;  // empty: the built-in catalogue's, in us-east-1
};

// Finds a template by its id when a job says `template_id`: the Templates table. Nothing when there is none.
using TemplateById = std::function<std::optional<Document>(const std::string& id)>;

JobSpec read_job_spec(const Document& document, const Overrides& overrides, const TemplateById& template_by_id,
                      Diagnostics& diagnostics);

// Puts the canonical names in place of the models of the steps, and complains about each that is not known.
void resolve_step_models(TemplateSpec& templ, const ModelNames& model_names, Diagnostics& diagnostics);

// `template: {...}`, or the object itself with `steps` at its top.
TemplateSpec read_template_file(const Document& document, Diagnostics& diagnostics);

}  // namespace palette::job
