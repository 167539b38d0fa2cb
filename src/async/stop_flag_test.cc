#include "async/stop_flag.h"

#include <gtest/gtest.h>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace palette::async {
namespace {

constexpr std::int64_t kHour_ms = 3'600'000;

Task<Status> sleep_a_little(StopFlag* flag) { co_return co_await flag->sleep_for(1); }

TEST(StopFlag, SleepsToTheEndWhileItIsDown) {
  EventLoop loop;
  StopFlag flag;
  EXPECT_TRUE(loop.run(sleep_a_little(&flag)));
  EXPECT_FALSE(flag.requested());
}

Task<void> sleep_an_hour(StopFlag* flag, int* cancelled) {
  const Status slept = co_await flag->sleep_for(kHour_ms);
  *cancelled += !slept && slept.error().kind == ErrorKind::cancelled;
}

enum class Stop { by_flag, before_sleeping, by_cancel };

Task<int> stop_two_sleepers(StopFlag* flag, Stop stop) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  int cancelled = 0;
  if (stop == Stop::before_sleeping) flag->request();
  group.spawn(sleep_an_hour(flag, &cancelled));
  group.spawn(sleep_an_hour(flag, &cancelled));
  for (int i = 0; i < 3; ++i) co_await sleep_for(0);
  if (stop == Stop::by_flag) {
    flag->request();
    flag->request();  // twice does no harm
  }
  if (stop == Stop::by_cancel) group.cancel();
  co_await group.join();
  co_return cancelled;
}

TEST(StopFlag, WakesEverySleeperWhenItIsRaised) {
  for (const Stop stop : {Stop::by_flag, Stop::before_sleeping, Stop::by_cancel}) {
    EventLoop loop;
    StopFlag flag;
    EXPECT_EQ(loop.run(stop_two_sleepers(&flag, stop)), 2);
    EXPECT_EQ(flag.requested(), stop != Stop::by_cancel);
  }
}

Task<bool> sleep_after_a_cancelled_one(StopFlag* flag) {
  co_await stop_two_sleepers(flag, Stop::by_cancel);  // their sleepers are gone from the flag
  flag->request();
  co_return !co_await flag->sleep_for(kHour_ms);
}

TEST(StopFlag, ForgetsSleepersThatHaveEnded) {
  EventLoop loop;
  StopFlag flag;
  EXPECT_TRUE(loop.run(sleep_after_a_cancelled_one(&flag)));
}

}  // namespace
}  // namespace palette::async
