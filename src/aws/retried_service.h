// One signed call, tried again while the answer says that another try may help: throttling, 5xx, connection resets,
// time-outs (reference sections 4 and 5), and what the service's own rules add.
//
//   RetriedService dynamodb(service, {.also = is_conflict}, system_clock());
//   RetriedOutcome outcome = co_await dynamodb.call(std::move(request));
//
// "Whether" is the rules' matter, "how long" is pause_before_try_ms().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "async/task.h"
#include "aws/service.h"
#include "base/time.h"

namespace palette::aws {

struct RetryRules {
  int tries_max = 10;
  std::int64_t base_ms = 50, pause_ms_max = 5'000;  // full jitter, doubled each time
  std::int64_t patience_ms = 60'000;                // no try begins later than this after the first
  // Further answers that are worth another try (409 for S3, TransactionConflictException …).
  std::function<bool(const ServiceFailure&)> also = {};
  // Is this answer, of any status, whole (a checksum, say)? One that is not counts as lost.
  std::function<Status(const http::Response&)> check = {};
};

struct RetriedOutcome {
  ServiceOutcome answer;
  int tries = 1;
  // A try before the last one was sent and got no (whole) answer, or one of 5xx: it may have taken effect.
  bool may_have_worked = false;
};

// Throttled, away or silent: another try may help whatever the service is.
bool is_worth_another_try(ErrorKind kind);

// Sent, and without an answer that says what became of it: none, one of 5xx, or one that was not whole.
bool is_lost(const ServiceFailure& failure);

// Full jitter: uniform in [0, min(pause_ms_max, base_ms * 2^(failed - 1))), after `failed` tries (from 1), `unit` in
// [0, 1).
std::int64_t pause_before_try_ms(const RetryRules& rules, int failed, double unit);

class RetriedService {
 public:
  // `clock` must outlive it; it is asked for the monotonic time alone.
  RetriedService(std::shared_ptr<Service> service, RetryRules rules, const Clock& clock);
  ~RetriedService();

  // A pause is at least what the other side asked for. `cancelled` at once when the task is cancelled in one.
  async::Task<RetriedOutcome> call(ServiceRequest request);

  Service& service();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
