// Waiting on the event loop.
//
//   if (Status slept = co_await sleep_for(250); !slept) co_return std::unexpected(slept.error());
#pragma once

#include <cstdint>

#include "async/task.h"
#include "base/result.h"

namespace palette::async {

// Sleeps `duration_ms`; `cancelled` when the task that waits is cancelled.
Task<Status> sleep_for(std::int64_t duration_ms);

}  // namespace palette::async
