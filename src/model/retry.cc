#include "model/retry.h"

#include <algorithm>
#include <optional>

#include "base/random.h"

namespace palette::model {
namespace {

class RetryingModel final : public Model {
 public:
  RetryingModel(std::shared_ptr<Model> inner, RetryPolicy policy, std::shared_ptr<async::StopFlag> stop,
                std::shared_ptr<ModelHealth> health)
      : inner_(std::move(inner)), policy_(policy), stop_(std::move(stop)), health_(std::move(health)) {}

  const std::string& name() const override { return inner_->name(); }

  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    Tries tries;
    for (;;) {
      // Before the first one too: it may be a fallback's.
      if (stop_->requested()) co_return stopped();
      request->tries = request->key.attempt = ++tries.made;
      Result<ModelResult> result = co_await inner_->call(request);
      const std::optional<std::int64_t> pause_ms = pause_after(tries, request->key, result);
      if (!pause_ms) co_return result;
      const Status slept = co_await stop_->sleep_for(*pause_ms);
      if (!slept) co_return std::unexpected(slept.error());
    }
  }

 private:
  struct Tries {
    int made = 0, throttled = 0, failed = 0;
  };

  // Not inlined, here and below: what they hold would lie in the frame of call(), and thousands of those wait at once.
  [[gnu::noinline]] static Result<ModelResult> stopped() {
    return fail(ErrorKind::cancelled, "the work is being stopped");
  }

  // How long to wait for the next try; nothing when `result` is the last word, which is made complete then.
  [[gnu::noinline]] std::optional<std::int64_t> pause_after(Tries& tries, const RequestKey& key,
                                                            Result<ModelResult>& result) {
    if (result) {
      result->tries = tries.made;
      return {};
    }
    const ErrorKind kind = result.error().kind;
    if (!is_retryable(kind)) return {};
    if (result.error().retry_after_ms > policy_.retry_after_ms_max) {
      result.error().message +=
          " (it asks to wait for " + std::to_string(result.error().retry_after_ms / 60'000) + " minutes)";
      result.error().kind = ErrorKind::quota;
      return {};
    }
    // While the model is away nobody's tries run out: the next one waits for it, for as long as its health has
    // patience.
    if (kind != ErrorKind::throttled && health_ != nullptr && health_->is_open()) return 0;
    int& so_far = kind == ErrorKind::throttled ? tries.throttled : tries.failed;
    ++so_far;
    if (so_far >= (kind == ErrorKind::throttled ? policy_.throttled_max : policy_.tries_max)) {
      result.error().message += " (tried " + std::to_string(tries.made) + " times)";
      return {};
    }
    if (health_ != nullptr && kind != ErrorKind::throttled) health_->spend_retry(kind);
    CounterRandom random(key.seed, static_cast<std::uint64_t>(key.record.value),
                         key.step_stream + static_cast<std::uint32_t>(tries.made));
    return std::max(result.error().retry_after_ms, pause_before_retry_ms(policy_, kind, so_far, random.unit()));
  }

  std::shared_ptr<Model> inner_;
  RetryPolicy policy_;
  std::shared_ptr<async::StopFlag> stop_;
  std::shared_ptr<ModelHealth> health_;
};

// Not there for this call, however it may answer others.
bool is_away(ErrorKind kind) { return is_retryable(kind) || kind == ErrorKind::quota || kind == ErrorKind::outage; }

class FallbackModel final : public Model {
 public:
  explicit FallbackModel(std::vector<std::shared_ptr<Model>> models) : models_(std::move(models)) {}

  const std::string& name() const override { return models_.front()->name(); }

  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    int tries_before = 0;
    for (std::size_t i = 0;; ++i) {
      request->tries = 1;
      request->has_fallback = i + 1 < models_.size();
      Result<ModelResult> result = co_await models_[i]->call(request);
      if (result) result->tries += tries_before;
      request->tries += tries_before;
      tries_before = request->tries;
      if (result || !is_away(result.error().kind) || !request->has_fallback) co_return result;
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
