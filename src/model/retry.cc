#include "model/retry.h"

#include <algorithm>

#include "base/random.h"

namespace palette::model {
namespace {

class RetryingModel final : public Model {
 public:
  RetryingModel(std::shared_ptr<Model> inner, RetryPolicy policy, std::shared_ptr<async::StopFlag> stop,
                std::shared_ptr<ModelHealth> health)
      : inner_(std::move(inner)), policy_(policy), stop_(std::move(stop)), health_(std::move(health)) {}

  const std::string& name() const override { return inner_->name(); }

  async::Task<Result<ModelResult>> call(ModelRequest request) override {
    int throttled = 0, failed = 0;
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
      const ErrorKind kind = result.error().kind;
      if (!is_retryable(kind)) co_return result;
      int& so_far = kind == ErrorKind::throttled ? throttled : failed;
      ++so_far;
      const bool at_the_end = kind == ErrorKind::throttled ? so_far >= policy_.throttled_max : so_far >= policy_.tries_max;
      if (at_the_end) {
        result.error().message += " (tried " + std::to_string(attempt) + " times)";
        co_return result;
      }
      if (health_ != nullptr && kind != ErrorKind::throttled) health_->spend_retry(kind);
      CounterRandom random(request.key.seed, static_cast<std::uint64_t>(request.key.record.value),
                           request.key.step_stream + static_cast<std::uint32_t>(attempt));
      const std::int64_t pause_ms = std::max(result.error().retry_after_ms,
                                             pause_before_retry_ms(policy_, kind, so_far, random.unit()));
      const Status slept = co_await stop_->sleep_for(pause_ms);
      if (!slept) co_return std::unexpected(slept.error());
    }
  }

 private:
  std::shared_ptr<Model> inner_;
  RetryPolicy policy_;
  std::shared_ptr<async::StopFlag> stop_;
  std::shared_ptr<ModelHealth> health_;
};

// Not there for this call, however it may answer others.
bool is_away(ErrorKind kind) {
  return is_retryable(kind) || kind == ErrorKind::quota || kind == ErrorKind::outage;
}

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
      one.has_fallback = i + 1 < models_.size();
      Result<ModelResult> result = co_await models_[i]->call(std::move(one));
      if (result) result->tries += tries_before;
      tries_before += tries;
      if (request.tries != nullptr) *request.tries = tries_before;
      if (result || !is_away(result.error().kind) || i + 1 == models_.size()) co_return result;
    }
  }

 private:
  std::vector<std::shared_ptr<Model>> models_;
};

}  // namespace

bool is_retryable(ErrorKind kind) {
  return kind == ErrorKind::throttled || kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
}

std::int64_t pause_before_retry_ms(const RetryPolicy& policy, ErrorKind kind, int failed, double unit) {
  const int doublings = std::min(failed - 1, 30);
  const std::int64_t base_ms = kind == ErrorKind::throttled ? policy.throttled_base_ms : policy.base_ms;
  const std::int64_t ceiling = std::min(policy.pause_ms_max, base_ms << doublings);
  return static_cast<std::int64_t>(static_cast<double>(ceiling) * unit);
}

std::shared_ptr<Model> with_retries(std::shared_ptr<Model> inner, RetryPolicy policy,
                                    std::shared_ptr<async::StopFlag> stop, std::shared_ptr<ModelHealth> health) {
  return std::make_shared<RetryingModel>(std::move(inner), policy, std::move(stop), std::move(health));
}

std::shared_ptr<Model> with_fallbacks(std::vector<std::shared_ptr<Model>> models) {
  if (models.size() == 1) return models.front();
  return std::make_shared<FallbackModel>(std::move(models));
}

}  // namespace palette::model
