// The models of a job, looked up, and whether they can do and afford what the job asks (DESIGN.md promise 8).
#pragma once

#include <vector>

#include "job/catalogue.h"
#include "job/compiled_job.h"
#include "job/diagnostics.h"
#include "job/model_directory.h"
#include "job/spec.h"

namespace palette::generate {

// For each of the compiled steps its models, in the order of fallback.
using StepModels = std::vector<std::vector<job::ResolvedModel>>;

// Names that do not resolve were complained about when the job was read; they are left out.
StepModels look_up_models(const job::CompiledJob& compiled, job::ModelDirectory& directory);

// Complains about options that a model refuses, additional_fields that would defeat the budget, and, when the job has a
// budget_limit, models without a price or without a longest answer.
void check_step_models(const job::JobSpec& spec, const job::CompiledJob& compiled, const StepModels& models,
                       job::Diagnostics& diagnostics);

}  // namespace palette::generate
