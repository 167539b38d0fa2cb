#include "job/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace palette::job {
namespace {

std::vector<std::uint64_t> rows_of(SeedSampling sampling, std::uint64_t seed, std::int64_t records,
                                   std::uint64_t rows) {
  std::vector<std::uint64_t> out;
  for (std::int64_t i = 0; i < records; ++i) out.push_back(seed_row_of(sampling, seed, RecordIndex{i}, rows));
  return out;
}

// DESIGN.md section 6: what goes into record i depends on the job's seed and i alone, whoever makes it, in whatever
// order.
TEST(Promise9, TheSameJobGivesTheSamePlan) {
  for (const SeedSampling sampling : {SeedSampling::random, SeedSampling::shuffle, SeedSampling::sequential}) {
    const std::vector<std::uint64_t> whole = rows_of(sampling, 7, 1'000, 130);
    // Fifty workers, each its own records, the last first.
    for (std::int64_t worker = 49; worker >= 0; --worker) {
      for (std::int64_t i = 999 - worker; i >= 0; i -= 50) {
        ASSERT_EQ(seed_row_of(sampling, 7, RecordIndex{i}, 130), whole[static_cast<std::size_t>(i)]);
      }
    }
    // Extended: what stands does not move.
    const std::vector<std::uint64_t> extended = rows_of(sampling, 7, 2'000, 130);
    EXPECT_TRUE(std::equal(whole.begin(), whole.end(), extended.begin()));
  }
}

// The numbers themselves are frozen with kPlanVersion: a job that began with them must go on with them.
TEST(Promise9, TheNumbersOfPlanVersion1NeverChange) {
  EXPECT_EQ(kPlanVersion, 1);
  EXPECT_EQ(rows_of(SeedSampling::random, 7, 8, 130), (std::vector<std::uint64_t>{56, 72, 108, 102, 58, 128, 14, 53}));
  EXPECT_EQ(rows_of(SeedSampling::shuffle, 7, 8, 130), (std::vector<std::uint64_t>{83, 62, 91, 14, 16, 113, 2, 4}));
}

TEST(Plan, ShuffleTakesEveryRowOnceBeforeAnyRowTwice) {
  for (const std::uint64_t rows : {1, 2, 3, 10, 97, 256}) {
    std::vector<std::vector<std::uint64_t>> rounds;
    for (std::uint64_t round = 0; round < 4; ++round) {
      std::vector<std::uint64_t> order;
      for (std::uint64_t i = 0; i < rows; ++i) {
        order.push_back(
            seed_row_of(SeedSampling::shuffle, 3, RecordIndex{static_cast<std::int64_t>(round * rows + i)}, rows));
      }
      std::vector<std::uint64_t> sorted = order, all(rows);
      std::sort(sorted.begin(), sorted.end());
      std::iota(all.begin(), all.end(), 0);
      ASSERT_EQ(sorted, all) << rows;
      rounds.push_back(order);
    }
    if (rows >= 10) {
      EXPECT_NE(rounds[0], rounds[1]);
    }
  }
}

TEST(Plan, SequentialGoesRoundAndRound) {
  EXPECT_EQ(rows_of(SeedSampling::sequential, 9, 7, 3), (std::vector<std::uint64_t>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(Plan, RandomDrawsWithReplacementFromAllRows) {
  const std::vector<std::uint64_t> rows = rows_of(SeedSampling::random, 1, 1'000, 100);
  EXPECT_EQ(std::set<std::uint64_t>(rows.begin(), rows.end()).size(), 100u);
  EXPECT_LT(*std::max_element(rows.begin(), rows.end()), 100u);
  const std::vector<std::uint64_t> few(rows.begin(), rows.begin() + 100);
  EXPECT_LT(std::set<std::uint64_t>(few.begin(), few.end()).size(), 100u);  // some twice
}

TEST(Plan, TheSeedChoosesThePlan) {
  EXPECT_NE(rows_of(SeedSampling::random, 1, 50, 100), rows_of(SeedSampling::random, 2, 50, 100));
  EXPECT_NE(rows_of(SeedSampling::shuffle, 1, 50, 100), rows_of(SeedSampling::shuffle, 2, 50, 100));
}

}  // namespace
}  // namespace palette::job
