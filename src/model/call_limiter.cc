#include "model/call_limiter.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace palette::model {

void MinuteRate::refill(std::int64_t now_ms) {
  const double passed_ms = static_cast<double>(now_ms - refilled_ms_.value_or(now_ms));
  level_ = std::min(burst(), level_ + passed_ms * per_ms());
  refilled_ms_ = now_ms;
}

bool MinuteRate::fits(double wanted, std::int64_t now_ms) {
  refill(now_ms);
  return level_ + 1e-9 >= needed(wanted);
}

std::int64_t MinuteRate::wait_ms(double wanted, std::int64_t now_ms) {
  refill(now_ms);
  return static_cast<std::int64_t>(std::ceil(std::max(0.0, needed(wanted) - level_) / per_ms()));
}

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
      refill_(std::make_shared<boost::asio::steady_timer>(executor)) {
  if (limits.requests_per_minute) requests_.emplace(*limits.requests_per_minute);
  if (limits.tokens_per_minute) tokens_.emplace(*limits.tokens_per_minute);
}

bool CallLimiter::fits(std::int64_t tokens) {
  if (in_flight_ >= window_.size()) return false;
  if (!requests_ && !tokens_) return true;
  const std::int64_t now_ms = clock_.monotonic_ms();
  return (!requests_ || requests_->fits(1, now_ms)) && (!tokens_ || tokens_->fits(static_cast<double>(tokens), now_ms));
}

void CallLimiter::take(std::int64_t tokens) {
  ++in_flight_;
  if (requests_) requests_->take(1);
  if (tokens_) tokens_->take(static_cast<double>(tokens));
}

async::Task<Result<CallSlot>> CallLimiter::enter(async::TurnKey key, std::int64_t tokens) {
  if (queue_.empty() && fits(tokens)) {
    take(tokens);
  } else {
    if (in_flight_ < window_.size()) wake_when_rates_allow(tokens);
    if (const Status turn = co_await queue_.wait(key, tokens); !turn) co_return std::unexpected(turn.error());
  }
  co_return CallSlot{clock_.monotonic_ms(), tokens};
}

void CallLimiter::leave(const CallSlot& slot, CallEnd end, std::int64_t tokens_used) {
  const bool was_full = in_flight_ >= window_.size();
  --in_flight_;
  if (end == CallEnd::answered) window_.on_answer(was_full);
  if (end == CallEnd::throttled) window_.on_throttle(slot.started_ms, clock_.monotonic_ms());
  if (tokens_) tokens_->give_back(static_cast<double>(std::max<std::int64_t>(0, slot.tokens - tokens_used)));
  admit_waiting();
}

void CallLimiter::admit_waiting() {
  while (auto* first = queue_.first()) {
    if (!fits(first->payload)) {
      if (in_flight_ < window_.size()) wake_when_rates_allow(first->payload);
      return;
    }
    take(first->payload);
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
  refill_->async_wait([this, alive = std::weak_ptr<boost::asio::steady_timer>(refill_)](
                          const boost::system::error_code& error) {
    if (!error && !alive.expired()) admit_waiting();
  });
}

}  // namespace palette::model
