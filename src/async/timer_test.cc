#include "async/timer.h"

#include <gtest/gtest.h>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "base/time.h"

namespace palette::async {
namespace {

constexpr std::int64_t kHour_ms = 3'600'000;

Task<Status> sleep_a_little() { co_return co_await sleep_for(5); }

TEST(Timer, SleepsAsLongAsAsked) {
  EventLoop loop;
  const std::int64_t started_ms = system_clock().monotonic_ms();
  EXPECT_TRUE(loop.run(sleep_a_little()));
  EXPECT_GE(system_clock().monotonic_ms() - started_ms, 4);
}

Task<void> sleep_an_hour(Status* slept) { *slept = co_await sleep_for(kHour_ms); }

Task<Status> cancel_a_sleep() {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  Status slept;
  group.spawn(sleep_an_hour(&slept));
  co_await sleep_for(0);  // the task has begun to sleep
  group.cancel();
  co_await group.join();
  co_return slept;
}

TEST(Timer, ASleepThatIsCancelledSaysSo) {
  EventLoop loop;
  const Status slept = loop.run(cancel_a_sleep());
  ASSERT_FALSE(slept);
  EXPECT_EQ(slept.error(), (Error{ErrorKind::cancelled, "the wait was cancelled"}));
}

}  // namespace
}  // namespace palette::async
