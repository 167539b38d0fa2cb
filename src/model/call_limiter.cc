#include "model/call_limiter.h"

#include <algorithm>
#include <chrono>

namespace palette::model {

void AdaptiveWindow::on_answer(bool was_full) {
  if (!was_full) return;
  // One more for each answer doubles it in a round trip; one part of itself makes it one more.
  size_ = std::min(most_, size_ + (throttled_before_ ? 1 / size_ : 1));
}

void AdaptiveWindow::on_throttle(std::int64_t started_ms, std::int64_t now_ms) {
  throttled_before_ = true;
  if (started_ms <= shrunk_ms_) return;  // it left before the last decrease could be felt
  shrunk_ms_ = now_ms;
  size_ = std::max(1.0, size_ * kDecrease);
}

CallLimiter::CallLimiter(boost::asio::any_io_executor executor, CallLimits limits,
                         std::shared_ptr<async::StopFlag> stop, const Clock& clock)
    : clock_(clock),
      window_(limits.concurrency),
      queue_(std::move(stop)),
      refill_(std::make_shared<boost::asio::steady_timer>(executor)),
      overdue_timer_(std::make_shared<boost::asio::steady_timer>(executor)) {
  if (limits.requests_per_minute) requests_.emplace(*limits.requests_per_minute);
  if (limits.tokens_per_minute) tokens_.emplace(*limits.tokens_per_minute);
}

bool CallLimiter::fits(std::int64_t tokens) {
  if (counted() >= window_.size()) return false;
  if (!requests_ && !tokens_) return true;
  const std::int64_t now_ms = clock_.monotonic_ms();
  return (!requests_ || requests_->fits(1, now_ms)) && (!tokens_ || tokens_->fits(static_cast<double>(tokens), now_ms));
}

void CallLimiter::take(CallSlot& slot) {
  slot.started_ms = clock_.monotonic_ms();
  slot.running = running_.insert(running_.end(), RunningCall{slot.started_ms});
  if (young_ == running_.end()) young_ = slot.running;
  if (requests_) requests_->take(1, slot.started_ms);
  if (tokens_) tokens_->take(static_cast<double>(slot.tokens), slot.started_ms);
}

async::Task<Result<CallSlot>> CallLimiter::enter(async::TurnKey key, std::int64_t tokens) {
  CallSlot slot{0, tokens};
  if (queue_.empty() && fits(tokens)) {
    take(slot);
    co_return slot;
  }
  // The timer is for whoever is first from now on.
  const auto* first = queue_.first();
  const bool goes_first = first == nullptr || key < first->key;
  if (counted() < window_.size()) {
    wake_when_rates_allow(goes_first ? tokens : first->payload->tokens);
  } else {
    wake_when_overdue();
  }
  if (const Status turn = co_await queue_.wait(key, &slot); !turn) co_return std::unexpected(turn.error());
  co_return slot;
}

void CallLimiter::leave(const CallSlot& slot, CallEnd end, std::int64_t tokens_used) {
  const bool was_full = counted() >= window_.size();
  overdue_ -= slot.running->overdue;
  if (young_ == slot.running) ++young_;
  running_.erase(slot.running);
  if (end == CallEnd::answered) window_.on_answer(was_full);
  if (end == CallEnd::throttled) window_.on_throttle(slot.started_ms, clock_.monotonic_ms());
  const std::int64_t unused = slot.tokens - tokens_used;  // below zero where output counts several times
  if (tokens_) tokens_->give_back(static_cast<double>(unused), slot.started_ms);
  admit_waiting();
}

void CallLimiter::admit_waiting() {
  while (auto* first = queue_.first()) {
    if (!fits(first->payload->tokens)) {
      if (counted() < window_.size()) {
        wake_when_rates_allow(first->payload->tokens);
      } else {
        wake_when_overdue();
      }
      return;
    }
    take(*first->payload);
    queue_.grant(*first);
  }
}

void CallLimiter::wake_when_rates_allow(std::int64_t tokens) {
  const std::int64_t now_ms = clock_.monotonic_ms();
  std::int64_t wait_ms = 1;
  if (requests_) wait_ms = std::max(wait_ms, requests_->wait_ms(1, now_ms));
  if (tokens_) wait_ms = std::max(wait_ms, tokens_->wait_ms(static_cast<double>(tokens), now_ms));
  refill_->expires_after(std::chrono::milliseconds(wait_ms));
  // The timer may outlive the limiter for the one turn of the loop that its cancelling takes.
  refill_->async_wait(
      [this, alive = std::weak_ptr<boost::asio::steady_timer>(refill_)](const boost::system::error_code& error) {
        if (!error && !alive.expired()) admit_waiting();
      });
}

void CallLimiter::mark_overdue() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  for (; young_ != running_.end() && now_ms - young_->started_ms >= overdue_ms_; ++young_) {
    young_->overdue = true;
    ++overdue_;
  }
}

// The window is full: when its oldest call is overdue there is a place.
void CallLimiter::wake_when_overdue() {
  if (watching_overdue_ || overdue_ms_ == INT64_MAX || young_ == running_.end()) return;
  watching_overdue_ = true;
  const std::int64_t wait_ms = young_->started_ms + overdue_ms_ - clock_.monotonic_ms();
  overdue_timer_->expires_after(std::chrono::milliseconds(std::max<std::int64_t>(1, wait_ms)));
  overdue_timer_->async_wait(
      [this, alive = std::weak_ptr<boost::asio::steady_timer>(overdue_timer_)](const boost::system::error_code& error) {
        if (error || alive.expired()) return;
        watching_overdue_ = false;
        mark_overdue();
        admit_waiting();
      });
}

}  // namespace palette::model
