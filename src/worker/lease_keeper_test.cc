#include "worker/lease_keeper.h"

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "async/task_group.h"
#include "async/timer.h"
#include "contract/await.h"

namespace palette::worker {
namespace {

class HandClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{1'790'000'000'000 + now_ms}; }
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1'000;
};

// A lease of 60 s, claimed at second 1; what each heartbeat gives, the last one again and again.
struct KeptLease {
  async::Task<Result<store::Pulse>> beat() {
    sent_ms.push_back(clock.now_ms);
    if (hangs && !co_await async::sleep_for(600'000)) co_return fail(ErrorKind::cancelled, "given up");
    clock.now_ms += std::exchange(answer_takes_ms, 0);
    Result<store::Pulse> answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    co_return answer;
  }
  LeaseSettings settings() const {
    LeaseSettings out;
    out.look_ms = 1;
    return out;
  }

  HandClock clock;
  std::deque<Result<store::Pulse>> answers = {store::Pulse{}};
  std::vector<std::int64_t> sent_ms;
  std::int64_t answer_takes_ms = 0;  // the next one
  bool hangs = false;                // no answer comes, and no error
  generate::RunControl control;
  async::Gate gate{control.stop};
  LeaseKeeper keeper{settings(), clock.now_ms, [this] { return beat(); }, clock, control, gate};
};

async::Task<void> step(KeptLease* lease, std::vector<std::int64_t> seconds, std::vector<bool>* open,
                       std::shared_ptr<async::StopFlag> ended, bool flushing) {
  for (const std::int64_t second : seconds) {
    lease->clock.now_ms = std::max(lease->clock.now_ms, 1'000 + second * 1'000);
    if (flushing) lease->control.flushed_ms = lease->clock.now_ms;
    EXPECT_TRUE(co_await async::sleep_for(6));
    open->push_back(lease->gate.is_open());
  }
  ended->request();
}

async::Task<int> walk(KeptLease* lease, LeaseKeeper* keeper, std::vector<std::int64_t> seconds, std::vector<bool>* open,
                      bool flushing) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  auto ended = std::make_shared<async::StopFlag>();
  group.spawn(keeper->run(ended));
  group.spawn(step(lease, std::move(seconds), open, ended, flushing));
  co_await group.join();
  co_return 0;
}

// Whether the gate is open at each of the seconds after the claim.
std::vector<bool> open_at(KeptLease& lease, std::vector<std::int64_t> seconds, bool flushing = true) {
  std::vector<bool> open;
  contract::await(walk(&lease, &lease.keeper, std::move(seconds), &open, flushing));
  return open;
}

TEST(LeaseKeeper, BeatsEveryThirdOfTheLease) {
  KeptLease lease;
  EXPECT_EQ(open_at(lease, {1, 10, 19, 20, 30, 41, 50, 62}), std::vector<bool>(8, true));
  EXPECT_EQ(lease.sent_ms, (std::vector<std::int64_t>{21'000, 42'000, 63'000}));
}

// DESIGN.md section 6, promise 5.
TEST(Promise5, NoCallStartsLaterThanTenSecondsBeforeTheLeaseEnds) {
  KeptLease lease;
  lease.answers = {fail(ErrorKind::unavailable, "away")};
  EXPECT_EQ(open_at(lease, {1, 25, 49, 50, 55, 70}), (std::vector<bool>{true, true, true, false, false, false}));
  EXPECT_FALSE(lease.control.halted) << "it waits with what it holds";
  // A renewal under the same attempt: it goes on.
  lease.answers = {store::Pulse{}};
  EXPECT_EQ(open_at(lease, {72, 75}), (std::vector<bool>{true, true}));
}

// Sent at second 20 and answered at 45: it holds to 80, so calls may start to 70.
TEST(Promise5, TheLeaseCountsFromTheSendingOfTheHeartbeat) {
  KeptLease lease;
  lease.answer_takes_ms = 25'000;
  lease.answers = {store::Pulse{}, fail(ErrorKind::timeout, "no answer")};
  EXPECT_EQ(open_at(lease, {20, 69, 70, 71}), (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(lease.sent_ms.front(), 21'000);
}

// The tables are away, and the heartbeat is tried again and again: the gate is closed in time all the same.
TEST(Promise5, AHeartbeatThatHangsDoesNotKeepTheGateOpen) {
  KeptLease lease;
  lease.hangs = true;
  EXPECT_EQ(open_at(lease, {1, 25, 49, 50, 55}), (std::vector<bool>{true, true, true, false, false}));
  EXPECT_EQ(lease.sent_ms.size(), 1u);
}

// Between two looks of the keeper, as after a freeze of the process.
TEST(Promise5, TheGateAsksForTheLeaseItself) {
  KeptLease lease;
  open_at(lease, {1});
  EXPECT_TRUE(lease.gate.is_open());
  lease.clock.now_ms += 60'000;
  EXPECT_FALSE(lease.gate.is_open());
}

TEST(LeaseKeeper, TheExportOfAJobThatShallStopIsNotDrained) {
  KeptLease lease;
  LeaseSettings settings = lease.settings();
  settings.stops_with_job = false;
  lease.answers = {store::Pulse{"cancelled", Money{3}}};
  LeaseKeeper keeper(
      settings, lease.clock.now_ms, [&] { return lease.beat(); }, lease.clock, lease.control, lease.gate);
  std::vector<bool> open;
  contract::await(walk(&lease, &keeper, {20, 21}, &open, true));
  EXPECT_FALSE(lease.control.stop->requested());
  EXPECT_EQ(keeper.stop_reason(), "cancelled");
}

TEST(Promise5, AFencedOffAttemptHalts) {
  KeptLease lease;
  lease.answers = {fail(ErrorKind::fenced, "attempt 1 no longer owns part 1")};
  EXPECT_EQ(open_at(lease, {1, 20}), (std::vector<bool>{true, false}));
  ASSERT_TRUE(lease.control.halted);
  EXPECT_EQ(lease.control.halted->kind, ErrorKind::fenced);
  EXPECT_TRUE(lease.control.stop->requested());
}

TEST(Promise5, NoCallStartsWhileTheJournalIsFarBehind) {
  KeptLease lease;
  EXPECT_EQ(open_at(lease, {1, 15, 30, 31, 45}, false), (std::vector<bool>{true, true, true, false, false}));
  lease.control.flushed_ms = lease.clock.now_ms;
  EXPECT_TRUE(lease.keeper.holds());
}

TEST(LeaseKeeper, AFailedHeartbeatIsSentAgainAfterASecond) {
  KeptLease lease;
  lease.answers = {fail(ErrorKind::throttled, "slow down"), fail(ErrorKind::timeout, "no answer"), store::Pulse{}};
  EXPECT_EQ(open_at(lease, {20, 21, 22, 30, 42}), std::vector<bool>(5, true));
  EXPECT_EQ(lease.sent_ms, (std::vector<std::int64_t>{21'000, 22'000, 23'000, 43'000}));
}

TEST(LeaseKeeper, AJobThatShallStopIsDrained) {
  KeptLease lease;
  lease.answers = {store::Pulse{"", Money{5}}, store::Pulse{"cancelled", Money{3}}, store::Pulse{"other", Money{2}}};
  open_at(lease, {20});
  EXPECT_FALSE(lease.control.stop->requested());
  EXPECT_EQ(lease.keeper.unallocated(), Money{5});
  open_at(lease, {41, 62});
  EXPECT_TRUE(lease.control.stop->requested());
  EXPECT_FALSE(lease.control.halted);
  EXPECT_EQ(lease.keeper.stop_reason(), "cancelled");
  EXPECT_EQ(lease.keeper.unallocated(), Money{2});
}

TEST(LeaseKeeper, AShortLeaseHasAShortMargin) {
  KeptLease lease;
  LeaseSettings settings = lease.settings();
  settings.lease_ms = 3'000;
  lease.answers = {fail(ErrorKind::unavailable, "away")};
  LeaseKeeper keeper(
      settings, lease.clock.now_ms, [&] { return lease.beat(); }, lease.clock, lease.control, lease.gate);
  lease.control.flushed_ms = lease.clock.now_ms;
  EXPECT_TRUE(keeper.holds());
  lease.clock.now_ms += 1'999;
  EXPECT_TRUE(keeper.holds());
  lease.clock.now_ms += 1;
  EXPECT_FALSE(keeper.holds());
}

}  // namespace
}  // namespace palette::worker
