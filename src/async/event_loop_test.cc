#include "async/event_loop.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "async/timer.h"
#include "base/result.h"

namespace palette::async {
namespace {

Task<Result<int>> answer() {
  co_await sleep_for(0);
  co_return 42;
}

Task<int> throw_it() {
  co_await sleep_for(0);
  throw std::runtime_error("a bug");
}

TEST(EventLoop, GivesTheValueOfTheTask) {
  EventLoop loop;
  EXPECT_EQ(*loop.run(answer()), 42);
  EXPECT_EQ(*loop.run(answer()), 42);  // and may run again
}

TEST(EventLoop, ThrowsOnWhatTheTaskThrew) {
  EventLoop loop;
  EXPECT_THROW(loop.run(throw_it()), std::runtime_error);
  EXPECT_EQ(*loop.run(answer()), 42);
}

Task<int> sleep_an_hour() {
  co_await sleep_for(3'600'000);
  co_return 0;
}

TEST(EventLoop, EndsWithItsTaskWhateverElseStillWaits) {
  EventLoop loop;
  boost::asio::co_spawn(loop.context(), sleep_an_hour(), [](std::exception_ptr, int) {});
  EXPECT_EQ(*loop.run(answer()), 42);
}

}  // namespace
}  // namespace palette::async
