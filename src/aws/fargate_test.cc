#include "aws/fargate.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace palette::aws {
namespace {

std::string told(std::int64_t cpu_units, std::int64_t memory_mib) {
  const Status fits = check_fargate_size(cpu_units, memory_mib);
  return fits ? "" : fits.error().message;
}

// Every pair of the table, written out, and no other one among all multiples of 128.
TEST(Fargate, HasExactlyTheSizesOfTheTable) {
  std::map<std::int64_t, std::set<std::int64_t>> table{{256, {512, 1'024, 2'048}}};
  const auto steps = [&](std::int64_t cpu, std::int64_t from_gib, std::int64_t to_gib, std::int64_t step_gib) {
    for (std::int64_t gib = from_gib; gib <= to_gib; gib += step_gib) table[cpu].insert(gib * 1'024);
  };
  steps(512, 1, 4, 1);
  steps(1'024, 2, 8, 1);
  steps(2'048, 4, 16, 1);
  steps(4'096, 8, 30, 1);
  steps(8'192, 16, 60, 4);
  steps(16'384, 32, 120, 8);
  int allowed = 0;
  for (std::int64_t cpu = 0; cpu <= 17'408; cpu += 128) {
    for (std::int64_t memory = 0; memory <= 131'072; memory += 128) {
      const bool fits = check_fargate_size(cpu, memory).has_value();
      ASSERT_EQ(fits, table.contains(cpu) && table[cpu].contains(memory)) << cpu << " " << memory;
      allowed += fits ? 1 : 0;
    }
  }
  EXPECT_EQ(allowed, 3 + 4 + 7 + 13 + 23 + 12 + 12);
}

TEST(Fargate, NamesTheNearestSizes) {
  EXPECT_EQ(told(512, 512),
            "Fargate has no tasks of cpu 512 with memory 512 MiB; the nearest it has: cpu 256 with memory 512 and cpu "
            "512 with memory 1024");
  const auto nearest = [](std::int64_t cpu_units, std::int64_t memory_mib) {
    const std::string text = told(cpu_units, memory_mib);
    return text.substr(text.find("has: ") + 5);
  };
  EXPECT_EQ(nearest(256, 1'536), "cpu 256 with memory 1024 and cpu 256 with memory 2048");
  EXPECT_EQ(nearest(256, 8'192), "cpu 256 with memory 2048 and cpu 1024 with memory 8192");
  EXPECT_EQ(nearest(300, 700), "cpu 256 with memory 512 and cpu 512 with memory 1024");
  EXPECT_EQ(nearest(4'096, 31'000), "cpu 4096 with memory 30720 and cpu 8192 with memory 32768");
  EXPECT_EQ(nearest(8'192, 18'000), "cpu 8192 with memory 16384 and cpu 8192 with memory 20480");
}

TEST(Fargate, BeyondTheTableThereIsOneNearest) {
  for (const auto& [cpu, memory] : {std::pair{1, 1}, {0, 0}, {-5, -1}, {256, 511}}) {
    EXPECT_TRUE(told(cpu, memory).ends_with("has: cpu 256 with memory 512")) << told(cpu, memory);
  }
  EXPECT_TRUE(told(16'384, 200'000).ends_with("has: cpu 16384 with memory 122880"));
  EXPECT_TRUE(told(32'768, 122'880).ends_with("has: cpu 16384 with memory 122880"));
  EXPECT_TRUE(told(1LL << 62, 1LL << 62).ends_with("has: cpu 16384 with memory 122880"));
  EXPECT_EQ(check_fargate_size(1, 1).error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace palette::aws
