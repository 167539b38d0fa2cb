#include "model/retry.h"

#include <algorithm>

#include "base/random.h"

namespace palette::model {
namespace {

class RetryingModel final : public Model {
 public:
  RetryingModel(std::shared_ptr<Model> inner, RetryPolicy policy, std::shared_ptr<async::StopFlag> stop)
      : inner_(std::move(inner)), policy_(policy), stop_(std::move(stop)) {}

  const std::string& name() const override { return inner_->name(); }

  async::Task<Result<ModelResult>> call(ModelRequest request) override {
    for (int attempt = 1;; ++attempt) {
      // Before the first one too: it may be a fallback's.
      if (stop_->requested()) co_return fail(ErrorKind::cancelled, "the work is being stopped");
      ModelRequest one = request;
      one.key.attempt = attempt;
      if (request.tries != nullptr) *request.tries = attempt;
      Result<ModelResult> result = co_await inner_->call(std::move(one));
      if (result) {
        result->tries = attempt;
        co_return result;
      }
      if (!is_retryable(result.error().kind)) co_return result;
      if (attempt >= policy_.tries_max) {
        result.error().message += " (tried " + std::to_string(attempt) + " times)";
        co_return result;
      }
      CounterRandom random(request.key.seed, static_cast<std::uint64_t>(request.key.record.value),
                           request.key.step_stream + static_cast<std::uint32_t>(attempt));
      const Status slept = co_await stop_->sleep_for(pause_before_retry_ms(policy_, attempt, random.unit()));
      if (!slept) co_return std::unexpected(slept.error());
    }
  }

 private:
  std::shared_ptr<Model> inner_;
  RetryPolicy policy_;
  std::shared_ptr<async::StopFlag> stop_;
};

class FallbackModel final : public Model {
 public:
  explicit FallbackModel(std::vector<std::shared_ptr<Model>> models) : models_(std::move(models)) {}

  const std::string& name() const override { return models_.front()->name(); }

  async::Task<Result<ModelResult>> call(ModelRequest request) override {
    int tries_before = 0;
    for (std::size_t i = 0;; ++i) {
      ModelRequest one = request;
      int tries = 1;
      one.tries = &tries;
      Result<ModelResult> result = co_await models_[i]->call(std::move(one));
      if (result) result->tries += tries_before;
      tries_before += tries;
      if (request.tries != nullptr) *request.tries = tries_before;
      if (result || !is_retryable(result.error().kind) || i + 1 == models_.size()) co_return result;
    }
  }

 private:
  std::vector<std::shared_ptr<Model>> models_;
};

}  // namespace

bool is_retryable(ErrorKind kind) {
  return kind == ErrorKind::throttled || kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
}

std::int64_t pause_before_retry_ms(const RetryPolicy& policy, int failed, double unit) {
  const int doublings = std::min(failed - 1, 30);
  const std::int64_t ceiling = std::min(policy.pause_ms_max, policy.base_ms << doublings);
  return static_cast<std::int64_t>(static_cast<double>(ceiling) * unit);
}

std::shared_ptr<Model> with_retries(std::shared_ptr<Model> inner, RetryPolicy policy,
                                    std::shared_ptr<async::StopFlag> stop) {
  return std::make_shared<RetryingModel>(std::move(inner), policy, std::move(stop));
}

std::shared_ptr<Model> with_fallbacks(std::vector<std::shared_ptr<Model>> models) {
  if (models.size() == 1) return models.front();
  return std::make_shared<FallbackModel>(std::move(models));
}

}  // namespace palette::model
