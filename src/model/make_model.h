// From the models of a job to things that can be called: providers, turns, money, retries and fallbacks put together.
//
//   ModelMaker maker(parts);
//   Result<std::shared_ptr<Model>> model = maker.make(step_models);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/gate.h"
#include "async/stop_flag.h"
#include "model/call_limiter.h"
#include "model/model.h"
#include "model/model_health.h"
#include "model/offline_model.h"
#include "model/provider.h"
#include "model/retry.h"
#include "model/spend_meter.h"

namespace palette::model {

// What models need; what a job's models do not use may be empty.
struct ModelParts {
  std::shared_ptr<const NgramCorpus> corpus;  // of the stand-in `offline`
  std::shared_ptr<async::StopFlag> stop;      // raised: no further try starts
  RetryPolicy offline_retries;

  // Of real models:
  boost::asio::any_io_executor executor;
  const Clock* clock = nullptr;
  std::shared_ptr<SpendMeter> meter;
  std::shared_ptr<async::Gate> gate;  // null: calls may always start
  CallLimits limits;
  RetryPolicy retries = kRemoteRetries;
  HealthPolicy health;
  Notice notice;  // may be empty
  std::function<Result<std::shared_ptr<Provider>>(const job::ResolvedModel&)> provider_of;
};

// Steps that name the same model share its turns and its health.
class ModelMaker {
 public:
  explicit ModelMaker(ModelParts parts) : parts_(std::move(parts)) {}

  // `fallbacks`: in order, not empty.
  Result<std::shared_ptr<Model>> make(const std::vector<job::ResolvedModel>& fallbacks);

 private:
  Result<std::shared_ptr<Model>> make_one(const job::ResolvedModel& resolved);
  Result<std::shared_ptr<Model>> make_remote(const job::ResolvedModel& resolved);

  ModelParts parts_;
  std::map<std::string, std::shared_ptr<Model>> made_;  // by name
};

// Does any of the models need the corpus?
bool needs_corpus(const std::vector<job::ResolvedModel>& models);

}  // namespace palette::model
