// Keeps the lease of a part that this process has claimed (DESIGN.md promise 5): a heartbeat every third of it, and a
// gate that calls go through only while the lease surely holds and what was paid for is in the journal.
//
//   LeaseKeeper keeper(settings, claimed_at_ms, beat, clock, control, gate);
//   group.spawn(keeper.run(ended));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/gate.h"
#include "async/task.h"
#include "base/time.h"
#include "generate/run_control.h"
#include "store/job_store.h"

namespace palette::worker {

struct LeaseSettings {
  std::int64_t lease_ms = 60'000;
  std::int64_t margin_ms = 10'000;  // no call starts later than this before the lease ends; at most a third of it
  std::int64_t flush_ms = 15'000;   // no call starts while the journal's last flush is over two of these ago
  std::int64_t look_ms = 500;       // how often the gate is looked after
  bool stops_with_job = true;       // a job that shall stop is drained; its export is not
};

class LeaseKeeper {
 public:
  // JobStore::heartbeat of the part, for a lease of lease_ms from now.
  using Beat = std::function<async::Task<Result<store::Pulse>>()>;

  // `claimed_ms`: by the monotonic clock, when the claim was sent. Everything must outlive run().
  LeaseKeeper(LeaseSettings settings, std::int64_t claimed_ms, Beat beat, const Clock& clock,
              generate::RunControl& control, async::Gate& gate);

  // Until `ended` is raised; a heartbeat that is not answered by then is given up. A heartbeat that fails is sent again
  // every second; only `fenced` says that the part is lost: then the run halts with that error. A job that shall stop
  // is drained, and stop_reason() says why.
  async::Task<void> run(std::shared_ptr<async::StopFlag> ended);

  const std::string& stop_reason() const { return stop_reason_; }
  Money unallocated() const { return unallocated_; }  // of the job, as of the last heartbeat
  // Does the lease surely hold now?
  bool owns() const;
  // May a call start now?
  bool holds() const;

 private:
  async::Task<void> send();
  std::int64_t next_beat_ms() const;

  LeaseSettings settings_;
  Beat beat_;
  const Clock& clock_;
  generate::RunControl& control_;
  async::Gate& gate_;
  std::int64_t renewed_ms_;  // when the last heartbeat that succeeded was sent
  std::int64_t tried_ms_;    // when the last one was sent
  bool fenced_ = false;
  bool failed_ = false;  // the last one
  bool sending_ = false;
  std::string stop_reason_;
  Money unallocated_;
};

}  // namespace palette::worker
