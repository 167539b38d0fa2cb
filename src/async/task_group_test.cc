#include "async/task_group.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "async/blocking.h"
#include "async/event_loop.h"
#include "async/timer.h"

namespace palette::async {
namespace {

constexpr std::int64_t kHour_ms = 3'600'000;

Task<void> append_after_turns(std::vector<int>* out, int value, int turns) {
  for (int i = 0; i < turns; ++i) co_await sleep_for(0);
  out->push_back(value);
}

Task<std::vector<int>> run_three() {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  std::vector<int> order;
  group.spawn(append_after_turns(&order, 1, 30));
  group.spawn(append_after_turns(&order, 2, 2));
  group.spawn(append_after_turns(&order, 3, 0));
  EXPECT_EQ(group.running(), 3u);
  co_await group.join();
  EXPECT_EQ(group.running(), 0u);
  co_return order;
}

TEST(TaskGroup, JoinWaitsForEveryTaskAndTheyRunSideBySide) {
  EventLoop loop;
  EXPECT_EQ(loop.run(run_three()), (std::vector<int>{3, 2, 1}));
}

Task<bool> join_nothing() {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  co_await group.join();
  co_return true;
}

TEST(TaskGroup, JoinOfNothingReturnsAtOnce) {
  EventLoop loop;
  EXPECT_TRUE(loop.run(join_nothing()));
}

Task<void> throw_it(std::string message) {
  co_await sleep_for(0);
  throw std::runtime_error(message);
}

Task<std::string> join_with_two_failures(bool* other_ended) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  std::vector<int> order;
  group.spawn(throw_it("first"));
  group.spawn(throw_it("second"));
  group.spawn(append_after_turns(&order, 1, 20));
  std::string caught;
  try {
    co_await group.join();
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  *other_ended = order == std::vector<int>{1};
  co_await group.join();  // told once
  co_return caught;
}

TEST(TaskGroup, JoinThrowsOnTheFirstExceptionWhenAllHaveEnded) {
  EventLoop loop;
  bool other_ended = false;
  EXPECT_EQ(loop.run(join_with_two_failures(&other_ended)), "first");
  EXPECT_TRUE(other_ended);
}

Task<void> sleep_then_count(int* cancelled) {
  const Status slept = co_await sleep_for(kHour_ms);
  *cancelled += !slept && slept.error().kind == ErrorKind::cancelled;
}

Task<int> cancel_many() {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  int cancelled = 0;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) group.spawn(sleep_then_count(&cancelled));
  group.spawn(append_after_turns(&order, 1, 0));
  for (int i = 0; i < 3; ++i) co_await sleep_for(0);
  group.cancel();
  group.cancel();  // twice does no harm
  co_await group.join();
  co_return cancelled;
}

TEST(TaskGroup, CancelReachesEveryTask) {
  EventLoop loop;
  EXPECT_EQ(loop.run(cancel_many()), 100);
}

// What a task does on being cancelled: note it, then save its work, which waits too.
Task<void> save_on_cancel(BlockingPool* pool, std::string* log) {
  const Status slept = co_await sleep_for(kHour_ms);
  *log += slept ? "slept " : "cancelled ";
  *log += co_await pool->run([] { return std::string("saved "); });
  const Status again = co_await sleep_for(kHour_ms);
  *log += again ? "slept" : "cancelled at once";
}

Task<std::string> cancel_a_saver(BlockingPool* pool) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  std::string log;
  group.spawn(save_on_cancel(pool, &log));
  co_await sleep_for(0);
  group.cancel();
  co_await group.join();
  co_return log;
}

TEST(TaskGroup, ACancelledTaskMaySaveItsWorkButSleepsNoMore) {
  EventLoop loop;
  BlockingPool pool(1);
  EXPECT_EQ(loop.run(cancel_a_saver(&pool)), "cancelled saved cancelled at once");
}

}  // namespace
}  // namespace palette::async
