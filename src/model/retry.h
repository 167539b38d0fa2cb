// Trying again: a model that is throttled, away or silent is asked again after a pause; what would fail again is not.
#pragma once

#include <memory>

#include "async/stop_flag.h"
#include "model/model.h"
#include "model/model_health.h"

namespace palette::model {

struct RetryPolicy {
  int tries_max = 5;                     // that found the model away, silent or talking nonsense
  int throttled_max = 5;                 // that were told to slow down: those count apart
  std::int64_t base_ms = 100;            // the first pause is drawn from [0, base_ms)
  std::int64_t throttled_base_ms = 100;  // the same after a throttle
  std::int64_t pause_ms_max = 20'000;
  std::int64_t retry_after_ms_max = 600'000;  // who asks to wait longer is taken as a quota that is used up
};

// Of a model behind a network, whose limiter slows down by itself: being throttled is no failure of the record's.
inline constexpr RetryPolicy kRemoteRetries{
    .tries_max = 5, .throttled_max = 200, .base_ms = 500, .throttled_base_ms = 1'000, .pause_ms_max = 20'000};

// Is it worth asking again?
bool is_retryable(ErrorKind kind);

// Full jitter (Marc Brooker, "Exponential backoff and jitter"): uniform in [0, min(pause_ms_max, base * 2^(failed -
// 1))), base by the kind of the error, `failed` tries of that kind so far (from 1), `unit` in [0, 1).
std::int64_t pause_before_retry_ms(const RetryPolicy& policy, ErrorKind kind, int failed, double unit);

// A model that asks `inner` again; the result and the error say how many tries it took. A pause is at least what the
// other side asked for (Error::retry_after_ms). Once `stop` is raised no further try starts: what waits for one gets
// `cancelled`. Retries are spent from the budget of `health`, when there is one.
std::shared_ptr<Model> with_retries(std::shared_ptr<Model> inner, RetryPolicy policy,
                                    std::shared_ptr<async::StopFlag> stop, std::shared_ptr<ModelHealth> health = {});

// Asks the first; when it stays unavailable (not: when it answered badly), or its quota is used up, the next. `models`
// is not empty.
std::shared_ptr<Model> with_fallbacks(std::vector<std::shared_ptr<Model>> models);

}  // namespace palette::model
