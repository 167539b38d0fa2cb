// The models that a job's steps call, put together.
#pragma once

#include <memory>
#include <vector>

#include "generate/preflight.h"
#include "generate/run_control.h"
#include "model/connections.h"
#include "model/model.h"
#include "model/model_health.h"
#include "model/spend_meter.h"

namespace palette::cli {

// What the calls of a run go through.
struct CallParts {
  model::Connections& connections;
  std::shared_ptr<model::SpendMeter> meter;
  boost::asio::any_io_executor executor;
  const Clock& clock;
  model::Notice notice = {};  // that a model is away, or back; for a person
};

// One for each of prepared.compiled.steps.
Result<std::vector<std::shared_ptr<model::Model>>> make_job_models(const generate::PreparedJob& prepared,
                                                                   const generate::RunControl& control,
                                                                   const CallParts& parts);

}  // namespace palette::cli
