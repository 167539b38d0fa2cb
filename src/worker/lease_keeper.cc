#include "worker/lease_keeper.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "async/task_group.h"

namespace palette::worker {
namespace {

constexpr std::int64_t kTryAgain_ms = 1'000;  // after a heartbeat that failed

}  // namespace

LeaseKeeper::LeaseKeeper(LeaseSettings settings, std::int64_t claimed_ms, Beat beat, const Clock& clock,
                         generate::RunControl& control, async::Gate& gate)
    : settings_(settings),
      beat_(std::move(beat)),
      clock_(clock),
      control_(control),
      gate_(gate),
      renewed_ms_(claimed_ms),
      tried_ms_(claimed_ms) {
  settings_.margin_ms = std::min(settings_.margin_ms, settings_.lease_ms / 3);
}

bool LeaseKeeper::owns() const {
  return !fenced_ && clock_.monotonic_ms() < renewed_ms_ + settings_.lease_ms - settings_.margin_ms;
}

bool LeaseKeeper::holds() const {
  return owns() && clock_.monotonic_ms() - control_.flushed_ms <= 2 * settings_.flush_ms;
}

std::int64_t LeaseKeeper::next_beat_ms() const {
  return tried_ms_ + (failed_ ? std::min(kTryAgain_ms, settings_.lease_ms / 3) : settings_.lease_ms / 3);
}

// A heartbeat may take long (the tables are away, and are asked again and again): the gate is looked after meanwhile.
async::Task<void> LeaseKeeper::run(std::shared_ptr<async::StopFlag> ended) {
  control_.flushed_ms = clock_.monotonic_ms();  // nothing is paid for yet
  gate_.open_only_while([this] { return holds(); });
  async::TaskGroup beats(co_await boost::asio::this_coro::executor);
  while (!ended->requested()) {
    if (!sending_ && clock_.monotonic_ms() >= next_beat_ms()) beats.spawn(send());
    if (holds()) {
      gate_.open();
    } else {
      gate_.close();
    }
    const std::int64_t until_beat_ms = next_beat_ms() - clock_.monotonic_ms();
    if (!co_await ended->sleep_for(std::clamp<std::int64_t>(until_beat_ms, 1, settings_.look_ms))) break;
  }
  beats.cancel();
  co_await beats.join();
}

// The lease counts from here, not from the answer: the other side began to count in between.
async::Task<void> LeaseKeeper::send() {
  tried_ms_ = clock_.monotonic_ms();
  sending_ = true;
  const Result<store::Pulse> pulse = co_await beat_();
  sending_ = false;
  failed_ = !pulse.has_value();
  if (pulse) {
    renewed_ms_ = tried_ms_;
    unallocated_ = pulse->unallocated;
    if (stop_reason_.empty() && !pulse->stop_reason.empty()) {
      stop_reason_ = pulse->stop_reason;
      if (settings_.stops_with_job) control_.drain();
    }
  } else if (pulse.error().kind == ErrorKind::fenced) {
    fenced_ = true;
    control_.halt(pulse.error());
    control_.cancel_calls();  // what they answer is for nobody
  }
}

}  // namespace palette::worker
