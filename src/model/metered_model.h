// A provider with everything that one call needs around it: a turn (call_limiter.h), money set aside and settled
// (spend_meter.h), a deadline, and whether the model is there at all (model_health.h). One for each model of a job,
// shared by its steps; with_retries() goes around it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/gate.h"
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
  std::shared_ptr<async::Gate> gate = {};  // closed: no call starts; null: always open
};

class MeteredModel final : public Model {
 public:
  explicit MeteredModel(MeteredParts parts) : parts_(std::move(parts)) {}

  const std::string& name() const override { return parts_.resolved.name; }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override;

 private:
  struct Call;
  [[gnu::noinline]] Call call_of(const ModelRequest& request);
  const job::TokenPrices& prices_of(const std::optional<std::string>& tier);
  async::Task<std::unique_ptr<Error>> begin(Call* call);
  async::Task<Status> enter(Call* call);
  [[gnu::noinline]] Result<ModelResult> taken_back(const Call& call);
  // Tells everybody who is concerned how the call ended.
  // (Not inlined, as taken_back() and call_of(): what they hold would lie in the frame of call().)
  [[gnu::noinline]] Result<ModelResult> ended(const Call& call, ProviderResult&& result);
  std::int64_t quota_tokens(const Usage& usage) const;
  void finish(const Call& call, const ProviderResult& result, std::int64_t took_ms);
  CallBill bill_of(const Call& call, const ProviderResult& result) const;

  MeteredParts parts_;
  AnswerDeadline deadline_;
  std::map<std::string, job::TokenPrices, std::less<>> prices_;  // by service tier, of those that were asked for
};

}  // namespace palette::model
