// The models that a job's steps call, put together.
#pragma once

#include <memory>
#include <vector>

#include "generate/preflight.h"
#include "generate/run_control.h"
#include "model/model.h"

namespace palette::cli {

// One for each of prepared.compiled.steps.
Result<std::vector<std::shared_ptr<model::Model>>> make_job_models(const generate::PreparedJob& prepared,
                                                                   const generate::RunControl& control);

}  // namespace palette::cli
