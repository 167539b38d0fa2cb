#include "model/model_health.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::model {
namespace {

constexpr int kRetryCost = 5;
constexpr int kTimeoutCost = 10;

}  // namespace

ModelHealth::ModelHealth(boost::asio::any_io_executor executor, std::string model, HealthPolicy policy,
                         std::shared_ptr<async::StopFlag> stop, const Clock& clock, Notice notice)
    : model_(std::move(model)),
      policy_(policy),
      clock_(clock),
      notice_(std::move(notice)),
      retry_tokens_(policy.retry_tokens),
      pause_ms_(policy.pause_ms),
      queue_(std::move(stop)),
      timer_(std::make_shared<boost::asio::steady_timer>(executor)) {}

Admission ModelHealth::new_probe() {
  state_ = State::probing;
  return Admission{++probes_};
}

async::Task<Result<Admission>> ModelHealth::admit(async::TurnKey key, bool has_fallback) {
  if (state_ == State::closed) co_return Admission{};
  if (state_ == State::open && clock_.monotonic_ms() >= open_until_ms_) co_return new_probe();
  if (has_fallback) co_return fail(ErrorKind::outage, "the model '" + model_ + "' is away: " + last_error_);
  Admission admission;
  if (const Status turn = co_await queue_.wait(key, &admission); !turn) co_return std::unexpected(turn.error());
  co_return admission;
}

void ModelHealth::on_answer() {
  ever_answered_ = true;
  failures_ = 0;
  retry_tokens_ = std::min(policy_.retry_tokens, retry_tokens_ + 1);
  if (state_ != State::closed) close();
}

void ModelHealth::on_failure(const Error& error, Admission admission) {
  last_error_ = error.message;
  ++failures_;
  if (is_probe(admission)) {
    pause_ms_ = std::min(policy_.pause_ms_max, pause_ms_ * 2);
    tell_away();
    open();
  } else if (state_ == State::closed && failures_ >= policy_.failures_max) {
    away_since_ms_ = clock_.monotonic_ms();
    open();
  }
}

void ModelHealth::on_nothing(Admission admission) {
  if (is_probe(admission)) open();  // the probe told nothing: another one
}

void ModelHealth::spend_retry(ErrorKind kind) {
  if (state_ != State::closed) return;  // it waits at admit() anyway
  retry_tokens_ -= kind == ErrorKind::timeout ? kTimeoutCost : kRetryCost;
  if (retry_tokens_ > 0) return;
  retry_tokens_ = policy_.retry_tokens / 4;  // for when it is back
  away_since_ms_ = clock_.monotonic_ms();
  open();
}

void ModelHealth::open() {
  state_ = State::open;
  open_until_ms_ = clock_.monotonic_ms() + pause_ms_;
  wait_out_pause();
}

void ModelHealth::close() {
  state_ = State::closed;
  pause_ms_ = policy_.pause_ms;
  timer_->cancel();
  while (auto* first = queue_.first()) queue_.grant(*first);
  if (std::exchange(told_away_, false) && notice_) notice_("The model '" + model_ + "' answers again.");
}

// Once, when a probe has failed too: a few failures in a row are not worth a word.
void ModelHealth::tell_away() {
  if (std::exchange(told_away_, true) || !notice_) return;
  notice_("The model '" + model_ + "' does not answer, and is tried again now and then: " + last_error_);
}

// Then the first in the queue becomes the probe, or all are told that it takes too long.
void ModelHealth::wait_out_pause() {
  timer_->expires_after(std::chrono::milliseconds(pause_ms_));
  timer_->async_wait(
      [this, alive = std::weak_ptr<boost::asio::steady_timer>(timer_)](const boost::system::error_code& error) {
        if (error || alive.expired() || state_ != State::open) return;
        if (clock_.monotonic_ms() >= patience_end_ms()) {
          while (auto* first = queue_.first()) queue_.refuse(*first, away());
        } else if (auto* first = queue_.first()) {
          *first->payload = new_probe();
          queue_.grant(*first);
        }
      });
}

std::int64_t ModelHealth::patience_end_ms() const {
  return away_since_ms_ + (ever_answered_ ? policy_.patience_ms : policy_.patience_new_ms);
}

Error ModelHealth::away() const {
  const std::int64_t away_s = (clock_.monotonic_ms() - away_since_ms_) / 1'000;
  return Error{ErrorKind::outage, "the model '" + model_ + "' has not answered for " + std::to_string(away_s) +
                                      " s; the last try said: " + last_error_};
}

}  // namespace palette::model
