#include "aws/environment.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace palette::aws {
namespace {

TEST(Environment, IsThatOfTheProcess) {
  const char* home = ::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  ::setenv("PALETTE_TEST_VARIABLE", "a=b", 1);
  ::setenv("HOME", "/home/of-test", 1);
  const Environment environment = Environment::of_process();
  ::unsetenv("HOME");
  const Environment without_home = Environment::of_process();
  ::unsetenv("PALETTE_TEST_VARIABLE");
  if (home != nullptr) ::setenv("HOME", before.c_str(), 1);
  EXPECT_EQ(environment.get("PALETTE_TEST_VARIABLE"), "a=b");
  EXPECT_EQ(environment.home, "/home/of-test");
  EXPECT_EQ(environment.get("PALETTE_TEST_ABSENT"), "");
  EXPECT_TRUE(without_home.home.is_absolute()) << "from the user's record";
}

}  // namespace
}  // namespace palette::aws
