// How a run is stopped: from outside by drain (start nothing new, let calls in flight finish), then stop (cancel them);
// from inside by halt (drain, with the reason), or by the budget (no new records, those in progress go on while they
// fit).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "async/stop_flag.h"
#include "async/task_group.h"
#include "base/result.h"

namespace palette::generate {

// Of one run; lives on the loop.
struct RunControl {
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();  // raised: drain
  std::set<async::TaskGroup*> groups;                                           // whose tasks wait for calls
  std::int64_t calls_in_flight = 0;
  std::int64_t steps_finished = 0;  // by this run
  bool over_budget = false;         // a call did not fit: no new records
  std::int64_t flushed_ms = 0;      // by the monotonic clock: since when the journal has all that was made until then
  std::optional<Error> halted;      // why nothing goes on: a lost store, a quota that is used up, a long outage
  // Does this process surely own what it makes? While it does not, nothing is committed or booked: another process may
  // go on with the same part. Empty: always.
  std::function<bool()> owns = {};

  bool may_keep() const { return !owns || owns(); }
  bool is_fenced() const { return halted && halted->kind == ErrorKind::fenced; }

  void drain() { stop->request(); }

  void halt(Error reason) {
    // That the part is another's outweighs whatever came before.
    if (!halted || reason.kind == ErrorKind::fenced) halted = std::move(reason);
    drain();
  }

  // Cancels every call in flight; what they would have answered is not waited for.
  void cancel_calls() {
    drain();
    for (async::TaskGroup* group : groups) group->cancel();
  }
};

}  // namespace palette::generate
