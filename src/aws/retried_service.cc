#include "aws/retried_service.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "async/timer.h"
#include "base/random.h"

namespace palette::aws {
namespace {

constexpr int kDoublingsMax = 30;  // beyond it every base is over pause_ms_max

std::uint64_t random_key() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

struct RetriedService::State {
  State(std::shared_ptr<Service> called, RetryRules retry_rules, const Clock& its_clock)
      : service(std::move(called)), rules(std::move(retry_rules)), clock(its_clock), random(random_key(), 0, 0) {}

  static async::Task<RetriedOutcome> run(std::shared_ptr<State> state, std::unique_ptr<ServiceRequest> request);

  void refuse_what_is_not_whole(ServiceOutcome& answer) const;
  std::optional<std::int64_t> pause_after(RetriedOutcome& outcome, std::int64_t started_ms);

  std::shared_ptr<Service> service;
  RetryRules rules;
  const Clock& clock;
  CounterRandom random;
};

bool is_worth_another_try(ErrorKind kind) {
  return kind == ErrorKind::throttled || kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
}

bool is_lost(const ServiceFailure& failure) { return failure.sent && (failure.status == 0 || failure.status >= 500); }

std::int64_t pause_before_try_ms(const RetryRules& rules, int failed, double unit) {
  const std::int64_t factor = std::int64_t{1} << std::clamp(failed - 1, 0, kDoublingsMax);
  const std::int64_t longest_ms = std::min(rules.pause_ms_max, rules.base_ms * factor);
  return static_cast<std::int64_t>(unit * static_cast<double>(longest_ms));
}

// An answer that came damaged tells nothing of what became of the request: as if none had come.
void RetriedService::State::refuse_what_is_not_whole(ServiceOutcome& answer) const {
  if (!rules.check) return;
  const http::Response* response = answer ? &*answer : answer.error().response.get();
  if (response == nullptr) return;
  Status whole = rules.check(*response);
  if (whole) return;
  ServiceFailure lost;
  lost.error = std::move(whole.error());
  lost.error.kind = ErrorKind::unavailable;
  lost.sent = true;
  answer = std::unexpected(std::move(lost));
}

// How long to wait for the next try; nothing when `outcome` is the last word.
std::optional<std::int64_t> RetriedService::State::pause_after(RetriedOutcome& outcome, std::int64_t started_ms) {
  if (outcome.answer) return {};
  ServiceFailure& failure = outcome.answer.error();
  if (!is_worth_another_try(failure.error.kind) && !(rules.also && rules.also(failure))) return {};
  const std::int64_t pause_ms =
      std::max(failure.error.retry_after_ms, pause_before_try_ms(rules, outcome.tries, random.unit()));
  const bool too_late = clock.monotonic_ms() - started_ms + pause_ms > rules.patience_ms;
  if (outcome.tries >= rules.tries_max || too_late) {
    failure.error.message += " (tried " + std::to_string(outcome.tries) + " times)";
    return {};
  }
  return pause_ms;
}

async::Task<RetriedOutcome> RetriedService::State::run(std::shared_ptr<State> state,
                                                       std::unique_ptr<ServiceRequest> request) {
  const std::int64_t started_ms = state->clock.monotonic_ms();
  RetriedOutcome outcome;
  for (;;) {
    async::Task<ServiceOutcome> calling = state->service->call(*request);
    outcome.answer = co_await std::move(calling);
    state->refuse_what_is_not_whole(outcome.answer);
    const std::optional<std::int64_t> pause_ms = state->pause_after(outcome, started_ms);
    if (!pause_ms) co_return outcome;
    outcome.may_have_worked = outcome.may_have_worked || is_lost(outcome.answer.error());
    Status slept = co_await async::sleep_for(*pause_ms);
    if (!slept) {
      // With what the last answer told: whoever looks at may_have_worked still sees what became of it.
      Error& error = outcome.answer.error().error;
      error.kind = ErrorKind::cancelled;
      error.message = "cancelled before another try; the last one: " + error.message;
      co_return outcome;
    }
    ++outcome.tries;
  }
}

RetriedService::RetriedService(std::shared_ptr<Service> service, RetryRules rules, const Clock& clock)
    : state_(std::make_shared<State>(std::move(service), std::move(rules), clock)) {}

RetriedService::~RetriedService() = default;

async::Task<RetriedOutcome> RetriedService::call(ServiceRequest request) {
  return State::run(state_, std::make_unique<ServiceRequest>(std::move(request)));
}

Service& RetriedService::service() { return *state_->service; }

}  // namespace palette::aws
