#include "async/turn_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace palette::async {
namespace {

struct TurnQueues : ::testing::Test {
  EventLoop loop;
  std::shared_ptr<StopFlag> stop = std::make_shared<StopFlag>();
  TurnQueue<int> queue{stop};
  std::vector<std::string> ended;

  static Task<void> wait(TurnQueues* test, TurnKey key, int payload) {
    const Status turn = co_await test->queue.wait(key, payload);
    test->ended.push_back(std::to_string(payload) + (turn ? "" : " " + std::string(to_string(turn.error().kind))));
  }
  template <class Between>
  void run(std::vector<TurnKey> keys, Between between) {
    loop.run(run_all(this, std::move(keys), std::move(between)));
  }
  template <class Between>
  static Task<int> run_all(TurnQueues* test, std::vector<TurnKey> keys, Between between) {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    for (std::size_t i = 0; i < keys.size(); ++i) group.spawn(wait(test, keys[i], static_cast<int>(i)));
    (void)co_await sleep_for(0);
    between(group);
    co_await group.join();
    co_return 0;
  }
  void grant_all() {
    while (auto* first = queue.first()) queue.grant(*first);
  }
};

TEST_F(TurnQueues, TheOldestRecordGoesFirstAndOfARecordTheLaterStep) {
  run({{5, 0}, {2, 0}, {2, 1}, {9, 3}}, [&](TaskGroup&) { grant_all(); });
  EXPECT_EQ(ended, (std::vector<std::string>{"2", "1", "0", "3"}));
}

TEST_F(TurnQueues, ARefusalIsTheErrorThatItWasGiven) {
  run({{1, 0}, {2, 0}}, [&](TaskGroup&) {
    queue.refuse(*queue.last(), Error{ErrorKind::over_budget, "no"});
    grant_all();
  });
  EXPECT_EQ(ended, (std::vector<std::string>{"1 over_budget", "0"}));
}

TEST_F(TurnQueues, AStopEndsEveryWaitAndNoNewOneBegins) {
  run({{1, 0}, {2, 0}}, [&](TaskGroup&) { stop->request(); });
  EXPECT_EQ(ended, (std::vector<std::string>{"0 cancelled", "1 cancelled"}));
  ended.clear();
  run({{3, 0}}, [](TaskGroup&) {});
  EXPECT_EQ(ended, (std::vector<std::string>{"0 cancelled"}));
}

TEST_F(TurnQueues, ACancelledTaskLeavesTheQueue) {
  run({{1, 0}, {2, 0}}, [](TaskGroup& group) { group.cancel(); });
  EXPECT_EQ(ended, (std::vector<std::string>{"0 cancelled", "1 cancelled"}));
  EXPECT_TRUE(queue.empty());
}

TEST_F(TurnQueues, WhatWasGrantedStaysGrantedWhenTheTaskIsCancelledInTheSameMoment) {
  run({{1, 0}}, [&](TaskGroup& group) {
    grant_all();
    group.cancel();
  });
  EXPECT_EQ(ended, (std::vector<std::string>{"0"}));
}

}  // namespace
}  // namespace palette::async
