#include "async/stop_flag.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

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

// --- Listeners

using Listener = StopFlag::Listener;

TEST(StopFlag, TellsEveryListenerOnce) {
  const auto flag = std::make_shared<StopFlag>();
  int first = 0, second = 0;
  const Listener one(flag, [&] { ++first; }), two(flag, [&] { ++second; });
  EXPECT_EQ(first + second, 0);
  flag->request();
  flag->request();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
}

TEST(StopFlag, TheFlagIsUpWhenAListenerIsTold) {
  const auto flag = std::make_shared<StopFlag>();
  bool was_up = false;
  const Listener one(flag, [&] { was_up = flag->requested(); });
  flag->request();
  EXPECT_TRUE(was_up);
}

TEST(StopFlag, TellsNobodyWhoHasGone) {
  const auto flag = std::make_shared<StopFlag>();
  int told = 0;
  {
    const Listener gone(flag, [&] { ++told; });
  }
  flag->request();
  EXPECT_EQ(told, 0);
}

TEST(StopFlag, AListenerMayEndItselfAndOthersWhenItIsTold) {
  const auto flag = std::make_shared<StopFlag>();
  std::string told;
  std::vector<std::unique_ptr<Listener>> listeners(4);
  const auto add = [&](std::size_t i, std::vector<std::size_t> ended) {
    listeners[i] = std::make_unique<Listener>(flag, [&told, &listeners, i, ended] {
      told += std::to_string(i);
      for (const std::size_t other : ended) listeners[other].reset();
    });
  };
  add(0, {});
  add(1, {0, 1, 2});  // one that was told, itself, and one that was not
  add(2, {});
  add(3, {3});
  flag->request();
  EXPECT_EQ(told, "013");
}

TEST(StopFlag, AListenerMayOutliveTheOthersHoldOnTheFlag) {
  auto flag = std::make_shared<StopFlag>();
  const std::weak_ptr<StopFlag> watched = flag;
  {
    const Listener last(flag, [] {});
    flag.reset();
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace palette::async
