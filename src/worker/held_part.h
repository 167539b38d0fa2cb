// A claim while it is worked on: its lease is kept, its calls go through a gate, what it costs is paid, and it is told
// when the process or the job shall stop.
//
//   HeldPart part(context, held, claimed_ms);
//   part.start();
//   … part.control(), part.gate() …
//   co_await part.stop();
//   if (part.is_fenced()) …    // it belongs to another worker now: nothing of it may be written
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/gate.h"
#include "async/task_group.h"
#include "generate/run_control.h"
#include "worker/lease_keeper.h"
#include "worker/work_context.h"

namespace palette::worker {

class HeldPart {
 public:
  // `claimed_ms`: by the monotonic clock, when the claim was sent.
  HeldPart(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms);

  void start();
  // Ends what start() began; before the part is given back or ended.
  async::Task<void> stop();

  const store::QueueItem& held() const { return held_; }
  generate::RunControl& control() { return control_; }
  std::shared_ptr<async::Gate> gate() { return gate_; }
  const std::string& stop_reason() const { return keeper_.stop_reason(); }
  bool is_fenced() const { return control_.is_fenced(); }
  // {"job_id", "part", "attempt"} for the log.
  JsonObject named() const;

 private:
  WorkContext& context_;
  store::QueueItem held_;
  generate::RunControl control_;
  std::shared_ptr<async::Gate> gate_;
  LeaseKeeper keeper_;
  async::TaskGroup tasks_;
  std::shared_ptr<async::StopFlag> ended_ = std::make_shared<async::StopFlag>();
  async::StopFlag::Listener on_drain_, on_leave_;
};

}  // namespace palette::worker
