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
  Money& operator+=(Money other) {
    pico += other.pico;
    return *this;
  }
  friend Money operator+(Money a, Money b) { return Money{a.pico + b.pico}; }
  friend Money operator-(Money a, Money b) { return Money{a.pico - b.pico}; }

  // Exact decimal dollars without trailing zeros: "0.0125", "3", "-0.5".
  std::string to_decimal() const;

  // Reads plain or exponent decimals ("5", "0.25", "1e-6"), at most 12 digits after the point.
  static Result<Money> from_decimal(std::string_view text);
};

}  // namespace palette
