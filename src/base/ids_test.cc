#include "base/ids.h"

#include <gtest/gtest.h>

namespace palette {
namespace {

TEST(Ids, PaddingNeverCutsDigits) {
  EXPECT_EQ(zero_padded(7, 4), "0007");
  EXPECT_EQ(zero_padded(12345, 4), "12345");
  EXPECT_EQ(zero_padded(0, 1), "0");
}

TEST(Ids, RandomIdsAreThirtyTwoHexDigitsAndDiffer) {
  const std::string a = random_hex_id(), b = random_hex_id();
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace palette
