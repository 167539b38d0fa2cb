// A rate "so many a minute", kept exactly.
//
//   MinuteRate rate(600);
//   if (rate.fits(1, now_ms)) rate.take(1, now_ms);   // else again after rate.wait_ms(1, now_ms)
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace palette::model {

// What started within any 60 s is never more than was allowed, and starts are spread: no more than a second's share
// goes at once (a larger call goes alone, and the next ones wait for it to be made up).
class MinuteRate {
 public:
  explicit MinuteRate(std::int64_t per_minute) : per_minute_(static_cast<double>(per_minute)), level_(burst()) {}

  // A call of more than a minute's share is let through when nothing else has started within the minute.
  bool fits(double wanted, std::int64_t now_ms);
  void take(double wanted, std::int64_t now_ms);
  // Of what was taken at `taken_ms`.
  void give_back(double unused, std::int64_t taken_ms);
  // From now until `wanted` fits, if nothing is given back meanwhile.
  std::int64_t wait_ms(double wanted, std::int64_t now_ms);

 private:
  // What was taken in each second of the clock. The last 61 of them cover every 60 s that end now.
  static constexpr std::int64_t kSlot_ms = 1'000;
  static constexpr std::int64_t kSlots = 61;

  double burst() const { return std::max(1.0, per_minute_ / 60); }
  double per_ms() const { return per_minute_ / 60'000; }
  double& taken_in(std::int64_t slot) { return taken_[static_cast<std::size_t>((slot % kSlots + kSlots) % kSlots)]; }
  void advance(std::int64_t now_ms);

  double per_minute_;
  double level_;  // of a bucket that holds a second's share; below zero after a larger call
  std::array<double, kSlots> taken_ = {};
  double taken_sum_ = 0;
  std::int64_t slot_ = 0;  // the current one
  std::optional<std::int64_t> advanced_ms_;
};

}  // namespace palette::model
