// The models that a job's steps call, put together.
#pragma once

#include <memory>
#include <vector>

#include "async/gate.h"
#include "generate/preflight.h"
#include "generate/run_control.h"
#include "model/connections.h"
#include "model/model.h"
#include "model/model_health.h"
#include "model/spend_meter.h"

namespace palette::generate {

// What the calls of a run go through.
struct CallParts {
  model::Connections& connections;
  std::shared_ptr<model::SpendMeter> meter;
  boost::asio::any_io_executor executor;
  const Clock& clock;
  model::Notice notice = {};               // that a model is away, or back; for a person
  std::shared_ptr<async::Gate> gate = {};  // null: calls may always start
};

// One for each of prepared.compiled.steps.
Result<std::vector<std::shared_ptr<model::Model>>> make_job_models(const PreparedJob& prepared,
                                                                   const RunControl& control, const CallParts& parts);

}  // namespace palette::generate
