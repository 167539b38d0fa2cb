#include "async/gate.h"

#include <gtest/gtest.h>

#include <vector>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace palette::async {
namespace {

Task<void> go_through(Gate* gate, std::int64_t record, std::vector<std::int64_t>* passed, Status* status) {
  *status = co_await gate->pass({record, 0});
  if (*status) passed->push_back(record);
}

// Three come to a closed gate; then `act`.
template <class Act>
Task<std::vector<std::int64_t>> three_at_a_closed_gate(Gate* gate, std::vector<Status>* statuses, Act act) {
  std::vector<std::int64_t> passed;
  TaskGroup group(co_await boost::asio::this_coro::executor);
  gate->close();
  const std::int64_t records[] = {3, 1, 2};
  statuses->resize(3);
  for (std::size_t i = 0; i < 3; ++i) group.spawn(go_through(gate, records[i], &passed, &(*statuses)[i]));
  EXPECT_TRUE(co_await sleep_for(1));
  EXPECT_TRUE(passed.empty());
  act();
  co_await group.join();
  co_return passed;
}

TEST(Gate, LetsInWhoWaitedInTheirOrderWhenItOpens) {
  EventLoop loop;
  Gate gate(std::make_shared<StopFlag>());
  std::vector<Status> statuses;
  EXPECT_EQ(loop.run(three_at_a_closed_gate(&gate, &statuses, [&] { gate.open(); })),
            (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(loop.run(gate.pass({1, 0}))) << "it is open";
}

TEST(Gate, WhoWaitsIsToldToStop) {
  EventLoop loop;
  const auto stop = std::make_shared<StopFlag>();
  Gate gate(stop);
  std::vector<Status> statuses;
  EXPECT_TRUE(loop.run(three_at_a_closed_gate(&gate, &statuses, [&] { stop->request(); })).empty());
  for (const Status& status : statuses) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::cancelled);
  }
}

TEST(Gate, ThatClosesAgainBeforeAnybodyIsThroughKeepsThemWaiting) {
  EventLoop loop;
  const auto stop = std::make_shared<StopFlag>();
  Gate gate(stop);
  std::vector<Status> statuses;
  const auto flutter = [&] {
    gate.open();
    gate.close();
    stop->request();
  };
  EXPECT_TRUE(loop.run(three_at_a_closed_gate(&gate, &statuses, flutter)).empty());
}

}  // namespace
}  // namespace palette::async
