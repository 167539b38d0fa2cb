#include "base/ids.h"

#include <random>

namespace palette {

std::string zero_padded(std::int64_t value, int width) {
  std::string digits = std::to_string(value);
  if (const auto missing = width - static_cast<int>(digits.size()); missing > 0) {
    digits.insert(0, static_cast<std::size_t>(missing), '0');
  }
  return digits;
}

std::string random_hex_id() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::random_device device;
  std::string out;
  for (int i = 0; i < 4; ++i) {
    for (std::uint32_t bits = device(), k = 0; k < 8; ++k, bits >>= 4) out += kHex[bits & 15];
  }
  return out;
}

}  // namespace palette
