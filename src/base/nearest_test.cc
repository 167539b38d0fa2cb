#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace palette {
namespace {

constexpr std::array<std::string_view, 6> kKeys = {"name",      "num_records", "seed",
                                                   "seed_data", "template",    "output_format"};

TEST(Nearest, FindsTypingErrors) {
  EXPECT_EQ(nearest_name("num_record", kKeys), "num_records");   // one missing
  EXPECT_EQ(nearest_name("num_recrods", kKeys), "num_records");  // two swapped
  EXPECT_EQ(nearest_name("seeddata", kKeys), "seed_data");
  EXPECT_EQ(nearest_name("temlpate", kKeys), "template");
  EXPECT_EQ(nearest_name("nme", kKeys), "name");
  EXPECT_EQ(nearest_name("output_fromats", kKeys), "output_format");
}

TEST(Nearest, GivesNothingWhenNoneIsNear) {
  EXPECT_EQ(nearest_name("budget", kKeys), "");
  EXPECT_EQ(nearest_name("xyz", kKeys), "");
  EXPECT_EQ(nearest_name("name", {}), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'n'), kKeys), "");
}

TEST(Nearest, TheFirstOfEquallyNearOnesWins) {
  constexpr std::array<std::string_view, 2> kTwo = {"cat", "car"};
  EXPECT_EQ(nearest_name("cap", kTwo), "cat");
}

}  // namespace
}  // namespace palette
