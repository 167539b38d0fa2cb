// How a run is stopped from outside: drain (start nothing new, let calls in flight finish), then stop (cancel them).
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "async/stop_flag.h"
#include "async/task_group.h"

namespace palette::generate {

// Of one run; lives on the loop.
struct RunControl {
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();  // raised: drain
  std::set<async::TaskGroup*> groups;                                           // whose tasks wait for calls
  std::int64_t calls_in_flight = 0;
  std::int64_t steps_finished = 0;  // by this run

  void drain() { stop->request(); }

  // Cancels every call in flight; what they would have answered is not waited for.
  void cancel_calls() {
    drain();
    for (async::TaskGroup* group : groups) group->cancel();
  }
};

}  // namespace palette::generate
