#include "prompt_cache.h"

#include <gtest/gtest.h>

namespace palette::sim {
namespace {

TEST(PromptCache, WritesAPrefixOnceAndReadsItForFiveMinutes) {
  PromptCache cache;
  const std::vector<CachePoint> points = {{7, 2'000, false}};
  const Usage first = cache.split(points, 2'100, 1'024, 0);
  EXPECT_EQ(first.cache_write, 2'000);
  EXPECT_EQ(first.cache_read, 0);
  EXPECT_EQ(first.input, 100);
  const Usage second = cache.split(points, 2'300, 1'024, 299'999);
  EXPECT_EQ(second.cache_read, 2'000);
  EXPECT_EQ(second.cache_write, 0);
  EXPECT_EQ(second.input, 300);
  EXPECT_EQ(cache.split(points, 2'100, 1'024, 299'999 + 299'999).cache_read, 2'000);  // reading made it live longer
  EXPECT_EQ(cache.split(points, 2'100, 1'024, 900'000).cache_write, 2'000);
}

TEST(PromptCache, ReadsTheLongestKnownPrefixAndWritesTheRest) {
  PromptCache cache;
  cache.split({{1, 1'500, true}}, 1'500, 1'024, 0);
  const Usage usage = cache.split({{1, 1'500, true}, {2, 4'000, true}}, 4'010, 1'024, 3'000'000);
  EXPECT_EQ(usage.cache_read, 1'500);
  EXPECT_EQ(usage.cache_write_1h, 2'500);
  EXPECT_EQ(usage.input, 10);
  EXPECT_EQ(usage.total_input(), 4'010);
}

TEST(PromptCache, IgnoresShortPrefixes) {
  PromptCache cache;
  for (int i = 0; i < 2; ++i) {
    const Usage usage = cache.split({{1, 1'023, false}}, 2'000, 1'024, 0);
    EXPECT_EQ(usage.input, 2'000);
    EXPECT_EQ(usage.cache_read + usage.cache_write, 0);
  }
}

TEST(PromptCache, ForgetsRatherThanGrowsWithoutEnd) {
  PromptCache cache;
  for (std::uint64_t hash = 0; hash <= PromptCache::kPrefixesMax; ++hash)
    cache.split({{hash, 2'000, false}}, 2'000, 1'024, 0);
  EXPECT_EQ(cache.split({{PromptCache::kPrefixesMax, 2'000, false}}, 2'000, 1'024, 0).cache_read, 2'000);
  EXPECT_EQ(cache.split({{0, 2'000, false}}, 2'000, 1'024, 0).cache_write, 2'000);
}

}  // namespace
}  // namespace palette::sim
