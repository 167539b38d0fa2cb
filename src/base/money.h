// Money is exact: integers of pico-dollars (10^-12 USD), printed as decimals, never a floating point number.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette {

struct Money {
  std::int64_t pico = 0;  // 10^-12 USD; the largest is about 9.2 million dollars

  auto operator<=>(const Money&) const = default;
  // Sums never wrap: beyond the range they stay at its end, which no budget covers.
  friend Money operator+(Money a, Money b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.pico, b.pico, &sum)) sum = b.pico > 0 ? kPicoMax : -kPicoMax;
    return Money{sum};
  }
  friend Money operator-(Money a, Money b) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a.pico, b.pico, &difference)) difference = b.pico < 0 ? kPicoMax : -kPicoMax;
    return Money{difference};
  }
  Money& operator+=(Money other) { return *this = *this + other; }
  Money& operator-=(Money other) { return *this = *this - other; }

  // `count` things (tokens, requests, seconds) at `each_pico` a piece; at the end of the range where it would wrap.
  static Money of(std::int64_t count, std::int64_t each_pico) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(count, each_pico, &product))
      product = (count < 0) == (each_pico < 0) ? kPicoMax : -kPicoMax;
    return Money{product};
  }

  static constexpr std::int64_t kPicoMax = INT64_MAX;

  // Exact decimal dollars without trailing zeros: "0.0125", "3", "-0.5".
  std::string to_decimal() const;

  // Reads plain or exponent decimals ("5", "0.25", "1e-6"), at most 12 digits after the point.
  static Result<Money> from_decimal(std::string_view text);
};

}  // namespace palette
