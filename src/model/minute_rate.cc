#include "model/minute_rate.h"

#include <cmath>

namespace palette::model {
namespace {

constexpr double kRounding = 1e-9;  // of the bucket's level, which is a sum of fractions

}  // namespace

void MinuteRate::advance(std::int64_t now_ms) {
  const std::int64_t slot = now_ms / kSlot_ms;
  if (!advanced_ms_) slot_ = slot;
  if (slot - slot_ >= kSlots) {
    taken_ = {};
    taken_sum_ = 0;
    slot_ = slot;
  }
  while (slot_ < slot) {
    ++slot_;
    taken_sum_ -= taken_in(slot_);  // of 61 s ago
    taken_in(slot_) = 0;
  }
  const double passed_ms = static_cast<double>(now_ms - advanced_ms_.value_or(now_ms));
  level_ = std::min(burst(), level_ + passed_ms * per_ms());
  advanced_ms_ = now_ms;
}

bool MinuteRate::fits(double wanted, std::int64_t now_ms) {
  advance(now_ms);
  const bool in_minute = taken_sum_ + std::min(wanted, per_minute_) <= per_minute_;
  return in_minute && level_ + kRounding >= std::min(wanted, burst());
}

void MinuteRate::take(double wanted, std::int64_t now_ms) {
  advance(now_ms);
  level_ -= wanted;
  taken_in(slot_) += wanted;
  taken_sum_ += wanted;
}

void MinuteRate::give_back(double unused, std::int64_t taken_ms) {
  level_ += unused;
  const std::int64_t slot = taken_ms / kSlot_ms;
  if (slot <= slot_ - kSlots) return;  // it does not count any more
  taken_in(slot) -= unused;
  taken_sum_ -= unused;
}

std::int64_t MinuteRate::wait_ms(double wanted, std::int64_t now_ms) {
  advance(now_ms);
  const double missing = std::max(0.0, std::min(wanted, burst()) - level_ - kRounding);
  const auto until_level_ms = static_cast<std::int64_t>(std::ceil(missing / per_ms()));
  std::int64_t until_room_ms = 0;
  double room = per_minute_ - taken_sum_;
  for (std::int64_t slot = slot_ - kSlots + 1; slot <= slot_ && room < std::min(wanted, per_minute_); ++slot) {
    room += taken_in(slot);
    until_room_ms = (slot + kSlots) * kSlot_ms - now_ms;
  }
  return std::max(until_level_ms, until_room_ms);
}

}  // namespace palette::model
