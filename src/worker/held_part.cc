#include "worker/held_part.h"

#include <utility>

namespace palette::worker {
namespace {

LeaseSettings lease_settings(const WorkerSettings& settings, store::WorkKind kind) {
  LeaseSettings out;
  out.lease_ms = settings.lease_ms;
  out.flush_ms = settings.flush_ms;
  out.stops_with_job = kind == store::WorkKind::generate;
  return out;
}

LeaseKeeper::Beat beat_of(WorkContext& context, const store::QueueItem& held) {
  return [&context, held] {
    return context.places.jobs.heartbeat(held, UtcTime{context.table_now().unix_ms + context.settings.lease_ms});
  };
}

}  // namespace

HeldPart::HeldPart(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms)
    : context_(context),
      held_(std::move(held)),
      gate_(std::make_shared<async::Gate>(control_.stop)),
      keeper_(lease_settings(context.settings, held_.kind), claimed_ms, beat_of(context, held_), context.places.clock,
              control_, *gate_),
      tasks_(context.places.executor),
      on_drain_(context.draining, [this] { control_.drain(); }),
      on_leave_(context.leaving, [this] { control_.cancel_calls(); }) {
  control_.owns = [this] { return keeper_.owns(); };
}

void HeldPart::start() {
  if (context_.draining->requested()) control_.drain();
  tasks_.spawn(keeper_.run(ended_));
}

async::Task<void> HeldPart::stop() {
  ended_->request();
  co_await tasks_.join();
}

JsonObject HeldPart::named() const {
  JsonObject out;
  out["job_id"] = held_.job.text;
  out["part"] = held_.part.value;
  out["attempt"] = held_.attempt.value;
  return out;
}

}  // namespace palette::worker
