#include "base/random.h"

#include <bit>

namespace palette {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint32_t kMul0 = 0xD2511F53, kMul1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMul0} * counter[0];
    const std::uint64_t p1 = std::uint64_t{kMul1} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::uint32_t stream_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::uint64_t CounterRandom::next() {
  const std::uint32_t block = drawn_ / 2;
  const auto words =
      philox4x32({block, stream_, static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32)},
                 {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
  const std::size_t half = drawn_++ % 2 * 2;
  return std::uint64_t{words[half]} << 32 | words[half + 1];
}

std::uint64_t CounterRandom::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64);
}

double CounterRandom::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t permuted(std::uint64_t position, std::uint64_t size, std::uint64_t key, std::uint64_t epoch) {
  if (size <= 1) return 0;
  const int half_bits = (std::bit_width(size - 1) + 1) / 2;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits) - 1;
  std::uint64_t x = position;
  do {
    std::uint64_t left = x >> half_bits, right = x & mask;
    for (std::uint32_t round = 0; round < 4; ++round) {
      const auto words = philox4x32({static_cast<std::uint32_t>(right), static_cast<std::uint32_t>(right >> 32),
                                     static_cast<std::uint32_t>(epoch), round | 0x5EED0000u},
                                    {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
      const std::uint64_t mixed = left ^ ((std::uint64_t{words[0]} << 32 | words[1]) & mask);
      left = right;
      right = mixed;
    }
    x = left << half_bits | right;
  } while (x >= size);
  return x;
}

}  // namespace palette
