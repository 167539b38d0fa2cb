// Trying again: a model that is throttled, away or silent is asked again after a pause; what would fail again is not.
#pragma once

#include <memory>

#include "async/stop_flag.h"
#include "model/model.h"

namespace palette::model {

struct RetryPolicy {
  int tries_max = 5;
  std::int64_t base_ms = 100;  // the first pause is drawn from [0, base_ms)
  std::int64_t pause_ms_max = 20'000;
};

// Is it worth asking again?
bool is_retryable(ErrorKind kind);

// Full jitter (Marc Brooker, "Exponential backoff and jitter"): uniform in [0, min(pause_ms_max, base_ms * 2^(failed -
// 1))), `failed` tries so far (from 1), `unit` in [0, 1).
std::int64_t pause_before_retry_ms(const RetryPolicy& policy, int failed, double unit);

// A model that asks `inner` again; the result and the error say how many tries it took. Once `stop` is raised no
// further try starts: what waits for one gets `cancelled`.
std::shared_ptr<Model> with_retries(std::shared_ptr<Model> inner, RetryPolicy policy,
                                    std::shared_ptr<async::StopFlag> stop);

// Asks the first; when it stays unavailable (not: when it answered badly), the next. `models` is not empty.
std::shared_ptr<Model> with_fallbacks(std::vector<std::shared_ptr<Model>> models);

}  // namespace palette::model
