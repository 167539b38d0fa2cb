#include "base/fault.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace palette {
namespace {

// The settings are read once a process, so each runs in a child of its own.
TEST(FaultDeathTest, TheProcessDiesAtTheWriteThatIsAskedFor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::setenv("PALETTE_CRASH_AT_WRITE", "3", 1);
        for (int i = 0; i < 3; ++i) fault::durable_write("x");
        std::exit(0);
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(
      {
        ::setenv("PALETTE_CRASH_AT_WRITE", "3", 1);
        for (int i = 0; i < 2; ++i) fault::durable_write("x");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace palette
