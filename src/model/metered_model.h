// A provider with everything that one call needs around it: a turn (call_limiter.h), money set aside and settled
// (spend_meter.h), a deadline, and whether the model is there at all (model_health.h). One for each model of a job,
// shared by its steps; with_retries() goes around it.
#pragma once

#include <memory>

#include "model/answer_deadline.h"
#include "model/call_limiter.h"
#include "model/model_health.h"
#include "model/provider.h"
#include "model/spend_meter.h"

namespace palette::model {

struct MeteredParts {
  std::shared_ptr<Provider> provider;
  job::ResolvedModel resolved;
  std::shared_ptr<CallLimiter> limiter;
  std::shared_ptr<ModelHealth> health;
  std::shared_ptr<SpendMeter> meter;
  const Clock* clock = nullptr;
};

class MeteredModel final : public Model {
 public:
  explicit MeteredModel(MeteredParts parts) : parts_(std::move(parts)) {}

  const std::string& name() const override { return parts_.resolved.name; }
  async::Task<Result<ModelResult>> call(ModelRequest request) override;

 private:
  struct Call;
  async::Task<Status> enter(async::TurnKey key, bool has_fallback, Call* call);
  async::Task<Result<ModelResult>> ask(ModelRequest request, Call* call);
  void finish(const Call& call, const ProviderResult& result, std::int64_t took_ms);
  CallBill bill_of(const Call& call, const ProviderResult& result) const;

  MeteredParts parts_;
  AnswerDeadline deadline_;
};

}  // namespace palette::model
