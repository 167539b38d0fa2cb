#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace palette {
namespace {

using Words = std::array<std::uint32_t, 4>;

// kat_vectors of Random123 (Salmon et al., SC11), "philox4x32 10".
TEST(Random, PhiloxGivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The published test values of 32-bit FNV-1a.
TEST(Random, StreamsAreFnv1a) {
  EXPECT_EQ(stream_of(""), 0x811c9dc5u);
  EXPECT_EQ(stream_of("a"), 0xe40c292cu);
  EXPECT_EQ(stream_of("foobar"), 0xbf9cf968u);
}

TEST(Random, TheSameStreamGivesTheSameNumbers) {
  CounterRandom a(7, 3, 1), b(7, 3, 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Random, KeyIndexAndStreamEachChangeTheNumbers) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t key : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
    for (std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
      for (std::uint32_t stream : {0u, 1u}) {
        CounterRandom random(key, index, stream);
        for (int i = 0; i < 5; ++i) seen.insert(random.next());
      }
    }
  }
  EXPECT_EQ(seen.size(), 3u * 3u * 2u * 5u);
}

TEST(Random, BelowStaysBelowAndIsEven) {
  CounterRandom random(1, 2, 3);
  std::vector<int> hits(10);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t drawn = random.below(10);
    ASSERT_LT(drawn, 10u);
    ++hits[drawn];
  }
  double chi_squared = 0;
  for (int count : hits) chi_squared += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 27.9);  // 9 degrees of freedom, p = 0.001
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, UnitIsInTheHalfOpenInterval) {
  CounterRandom random(4, 5, 6);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double drawn = random.unit();
    ASSERT_GE(drawn, 0.0);
    ASSERT_LT(drawn, 1.0);
    sum += drawn;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, PermutedIsAPermutation) {
  for (std::uint64_t size = 1; size <= 200; ++size) {
    std::set<std::uint64_t> images;
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t image = permuted(i, size, 42, 1);
      ASSERT_LT(image, size);
      images.insert(image);
    }
    ASSERT_EQ(images.size(), size);
  }
}

TEST(Random, PermutedOfALargeRangeStaysInside) {
  const std::uint64_t size = 100'000'000;
  std::set<std::uint64_t> images;
  for (std::uint64_t i = 0; i < 1'000; ++i) images.insert(permuted(i * 99'991, size, 9, 0));
  EXPECT_EQ(images.size(), 1'000u);
  EXPECT_LT(*images.rbegin(), size);
}

TEST(Random, KeyAndEpochChooseThePermutation) {
  const auto order = [](std::uint64_t key, std::uint64_t epoch) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 0; i < 50; ++i) out.push_back(permuted(i, 50, key, epoch));
    return out;
  };
  EXPECT_EQ(order(1, 0), order(1, 0));
  EXPECT_NE(order(1, 0), order(2, 0));
  EXPECT_NE(order(1, 0), order(1, 1));
}

}  // namespace
}  // namespace palette
