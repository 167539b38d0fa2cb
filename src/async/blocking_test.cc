#include "async/blocking.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace palette::async {
namespace {

struct Threads {
  std::thread::id work, before, after;
};

Task<Threads> where_it_runs(BlockingPool* pool) {
  Threads out;
  out.before = std::this_thread::get_id();
  out.work = co_await pool->run([] { return std::this_thread::get_id(); });
  out.after = std::this_thread::get_id();
  co_return out;
}

TEST(BlockingPool, WorksOnAnotherThreadAndComesBackToTheLoop) {
  EventLoop loop;
  BlockingPool pool(2);
  const Threads threads = loop.run(where_it_runs(&pool));
  EXPECT_EQ(threads.before, threads.after);
  EXPECT_NE(threads.before, threads.work);
}

Task<void> open_the_gate(std::atomic<bool>* gate) {
  for (int i = 0; i < 5; ++i) co_await sleep_for(0);
  *gate = true;
  gate->notify_all();
}

Task<bool> loop_goes_on(BlockingPool* pool) {
  std::atomic<bool> gate = false;
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(open_the_gate(&gate));
  // Would wait for ever if the loop stood still meanwhile.
  const bool opened = co_await pool->run([&gate] {
    gate.wait(false);
    return gate.load();
  });
  co_await group.join();
  co_return opened;
}

TEST(BlockingPool, TheLoopGoesOnMeanwhile) {
  EventLoop loop;
  BlockingPool pool(1);
  EXPECT_TRUE(loop.run(loop_goes_on(&pool)));
}

Task<void> add_on_pool(BlockingPool* pool, std::int64_t value, std::int64_t* sum) {
  *sum += co_await pool->run([value] { return value * 2; });  // `sum` is the loop's alone
}

Task<std::int64_t> add_many(BlockingPool* pool) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  std::int64_t sum = 0;
  for (std::int64_t i = 1; i <= 1'000; ++i) group.spawn(add_on_pool(pool, i, &sum));
  co_await group.join();
  co_return sum;
}

TEST(BlockingPool, ManyAtOnceAllComeBack) {
  EventLoop loop;
  BlockingPool pool(3);
  EXPECT_EQ(loop.run(add_many(&pool)), 1'001'000);
}

Task<int> move_only(BlockingPool* pool) {
  auto boxed = std::make_unique<int>(7);
  auto back = co_await pool->run([boxed = std::move(boxed)]() mutable { return std::move(boxed); });
  co_return *back;
}

TEST(BlockingPool, WorkAndValueMayBeMoveOnly) {
  EventLoop loop;
  BlockingPool pool(1);
  EXPECT_EQ(loop.run(move_only(&pool)), 7);
}

}  // namespace
}  // namespace palette::async
