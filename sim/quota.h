// Requests and tokens per minute of one model, as Bedrock admits them: a call reserves its input and its max_tokens
// when it comes, and is settled to what it used when it ends (reference: Amazon Bedrock user guide, token burndown).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace palette::sim {

enum class QuotaKind : std::uint8_t { requests, tokens };

class Quota {
 public:
  struct Limits {
    std::int64_t rpm = 0, tpm = 0;  // 0: no limit
    bool any() const { return rpm > 0 || tpm > 0; }
  };
  using Ticket = std::uint64_t;  // of an admitted call

  struct Refusal {
    QuotaKind kind = QuotaKind::requests;
    std::int64_t wait_ms = 0;  // until the oldest call leaves the window
  };

  // Reserves `tokens`, or says which limit is reached. A call that alone is above tpm is refused for good.
  std::optional<Refusal> admit(std::int64_t tokens, const Limits& limits, std::int64_t now_ms);
  // The ticket of the call that was admitted last.
  Ticket ticket() const { return first_ + entries_.size() - 1; }
  // Gives back what was reserved and not used. A call that has left the window meanwhile counts no more.
  void settle(Ticket ticket, std::int64_t tokens);

  void clear();
  // Until the oldest call leaves the window; 0 when there is none.
  std::int64_t reset_ms(std::int64_t now_ms) const;

  std::int64_t requests() const { return static_cast<std::int64_t>(entries_.size()); }
  std::int64_t tokens() const { return tokens_; }

 private:
  struct Entry {
    std::int64_t at_ms = 0, tokens = 0;
  };

  void forget_old(std::int64_t now_ms);

  std::deque<Entry> entries_;  // of the last 60 s
  Ticket first_ = 0;           // of entries_.front()
  std::int64_t tokens_ = 0;
};

}  // namespace palette::sim
