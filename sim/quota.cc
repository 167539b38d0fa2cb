#include "quota.h"

#include <algorithm>

namespace palette::sim {
namespace {

constexpr std::int64_t kWindow_ms = 60'000;

}  // namespace

void Quota::forget_old(std::int64_t now_ms) {
  while (!entries_.empty() && entries_.front().at_ms + kWindow_ms <= now_ms) {
    tokens_ -= entries_.front().tokens;
    entries_.pop_front();
    ++first_;
  }
}

std::optional<Quota::Refusal> Quota::admit(std::int64_t tokens, const Limits& limits, std::int64_t now_ms) {
  forget_old(now_ms);
  const std::int64_t wait_ms = std::max<std::int64_t>(reset_ms(now_ms), 1);
  if (limits.rpm > 0 && requests() >= limits.rpm) return Refusal{QuotaKind::requests, wait_ms};
  if (limits.tpm > 0 && tokens_ + tokens > limits.tpm) return Refusal{QuotaKind::tokens, wait_ms};
  entries_.push_back({now_ms, tokens});
  tokens_ += tokens;
  return std::nullopt;
}

void Quota::settle(Ticket ticket, std::int64_t tokens) {
  if (ticket < first_) return;  // it has left the window
  Entry& entry = entries_[ticket - first_];
  tokens_ += tokens - entry.tokens;
  entry.tokens = tokens;
}

std::int64_t Quota::reset_ms(std::int64_t now_ms) const {
  return entries_.empty() ? 0 : std::max<std::int64_t>(entries_.front().at_ms + kWindow_ms - now_ms, 0);
}

void Quota::clear() {
  first_ += entries_.size();  // tickets that are still out stay void
  entries_.clear();
  tokens_ = 0;
}

}  // namespace palette::sim
