// Counter-based random numbers: the n-th number of a stream is a pure function of (key, n), so that any
// worker, in any order, draws the same numbers for the same record.
//
//   CounterRandom random(job_seed, record_index, stream_of("answer"));
//   std::uint64_t pick = random.below(rows);
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace palette {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11).
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// FNV-1a of a name: the number of a stream.
std::uint32_t stream_of(std::string_view name);

class CounterRandom {
 public:
  CounterRandom(std::uint64_t key, std::uint64_t index, std::uint32_t stream)
      : key_(key), index_(index), stream_(stream) {}

  // The next 64 random bits.
  std::uint64_t next();

  // Uniform in [0, bound); bound > 0. Bias below bound / 2^64.
  std::uint64_t below(std::uint64_t bound);

  // Uniform in [0, 1), 53 bits.
  double unit();

 private:
  std::uint64_t key_;
  std::uint64_t index_;
  std::uint32_t stream_;
  std::uint32_t drawn_ = 0;
};

// The image of `position` under a permutation of [0, size) that `key` and `epoch` choose (a Feistel
// network over the next power of four, walked until it lands inside). size > 0, position < size.
std::uint64_t permuted(std::uint64_t position, std::uint64_t size, std::uint64_t key, std::uint64_t epoch);

}  // namespace palette
