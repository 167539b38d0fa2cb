#include "model/call_limiter.h"

#include <gtest/gtest.h>

#include <vector>

#include "model/test_loop.h"

namespace palette::model {
namespace {

// --- The window

TEST(AdaptiveWindow, StartsAtEightUnderTheUsersConcurrencyAndIsNeverBelowOne) {
  EXPECT_EQ(AdaptiveWindow(256).size(), 8);
  EXPECT_EQ(AdaptiveWindow(3).size(), 3);
  EXPECT_EQ(AdaptiveWindow(1).size(), 1);
  EXPECT_EQ(AdaptiveWindow(0).size(), 1);
  AdaptiveWindow window(256);
  for (std::int64_t now_ms = 10; now_ms < 1'000; now_ms += 10) window.on_throttle(now_ms - 1, now_ms);
  EXPECT_EQ(window.size(), 1);
  AdaptiveWindow small(3);
  for (int i = 0; i < 100; ++i) small.on_answer(true);
  EXPECT_EQ(small.size(), 3);
}

TEST(AdaptiveWindow, DoesNotGrowUnlessItIsUsed) {
  AdaptiveWindow window(256);
  for (int i = 0; i < 100; ++i) window.on_answer(false);
  EXPECT_EQ(window.size(), 8);
}

TEST(AdaptiveWindow, ShrinksBySevenTenthsOnceARoundTrip) {
  AdaptiveWindow window(256);
  for (int i = 0; i < 92; ++i) window.on_answer(true);
  ASSERT_EQ(window.size(), 100);
  window.on_throttle(1'000, 1'500);
  EXPECT_EQ(window.size(), 70);
  for (int i = 0; i < 50; ++i) window.on_throttle(1'000 + 10 * i, 1'510 + 10 * i);  // had left by then
  EXPECT_EQ(window.size(), 70);
  window.on_throttle(1'501, 2'100);
  EXPECT_EQ(window.size(), 49);
}

TEST(AdaptiveWindow, GrowsByOneARoundTripOnceItWasThrottled) {
  AdaptiveWindow window(256);
  window.on_throttle(0, 10);
  EXPECT_EQ(window.size(), 5);  // 5.6
  for (int round = 1; round <= 20; ++round) {
    const std::int64_t in_flight = window.size();
    for (std::int64_t i = 0; i < in_flight; ++i) window.on_answer(true);
    EXPECT_NEAR(static_cast<double>(window.size()), 5.6 + round, 2) << "round " << round;
  }
}

// --- Both together

struct CallLimiterTest : LoopTest {
  using Entered = Pending<Result<CallSlot>>;

  std::shared_ptr<CallLimiter> limited(CallLimits limits) {
    return kept(std::make_shared<CallLimiter>(loop.context().get_executor(), limits, stop, clock));
  }
  static bool is_in(const Entered& entered) { return entered->has_value() && (*entered)->has_value(); }
  static ErrorKind error_of(const Entered& entered) { return entered->value().error().kind; }

  // Everything in flight answers at once: a round trip. How many were in flight.
  std::int64_t round_trip(CallLimiter& limiter, std::vector<Entered>& calls, CallEnd end = CallEnd::answered) {
    turn();
    const std::int64_t in_flight = limiter.in_flight();
    clock.now_ms += 100;
    std::vector<CallSlot> slots;
    for (Entered& call : calls) {
      if (call == nullptr || !is_in(call)) continue;
      slots.push_back(call->value().value());
      call = nullptr;
    }
    EXPECT_EQ(static_cast<std::int64_t>(slots.size()), in_flight);
    for (const CallSlot& slot : slots) limiter.leave(slot, end, 0);
    return in_flight;
  }
  std::vector<Entered> many(CallLimiter& limiter, int count) {
    std::vector<Entered> calls;
    for (int i = 0; i < count; ++i) calls.push_back(start(limiter.enter({i, 0}, 0)));
    return calls;
  }
};

TEST_F(CallLimiterTest, DoublesEachRoundTripUpToTheUsersConcurrency) {
  const auto limiter = limited({.concurrency = 100});
  auto calls = many(*limiter, 1'000);
  std::vector<std::int64_t> in_flight;
  for (int i = 0; i < 7; ++i) in_flight.push_back(round_trip(*limiter, calls));
  EXPECT_EQ(in_flight, (std::vector<std::int64_t>{8, 16, 32, 64, 100, 100, 100}));
}

TEST_F(CallLimiterTest, GrowsByOneARoundTripOnceItWasThrottled) {
  const auto limiter = limited({.concurrency = 256});
  auto calls = many(*limiter, 2'000);
  EXPECT_EQ(round_trip(*limiter, calls), 8);
  EXPECT_EQ(round_trip(*limiter, calls), 16);
  EXPECT_EQ(round_trip(*limiter, calls, CallEnd::throttled), 32);
  EXPECT_EQ(limiter->window(), 22) << "32 throttled answers of one round trip shrink it once";
  std::int64_t before = 22;
  for (int round = 0; round < 10; ++round) {
    const std::int64_t in_flight = round_trip(*limiter, calls);
    EXPECT_EQ(in_flight, before);
    before = limiter->window();
    EXPECT_LE(before - in_flight, 2);
  }
  EXPECT_NEAR(static_cast<double>(before), 22.4 + 10, 2);
}

TEST_F(CallLimiterTest, ACallThatFailsNeitherGrowsNorShrinksIt) {
  const auto limiter = limited({.concurrency = 256});
  auto calls = many(*limiter, 100);
  round_trip(*limiter, calls, CallEnd::failed);
  EXPECT_EQ(limiter->window(), 8);
  turn();
  EXPECT_EQ(limiter->in_flight(), 8) << "the next ones have gone in";
}

TEST_F(CallLimiterTest, LaterStepsOfOldRecordsGoBeforeFirstStepsOfNewOnes) {
  const auto limiter = limited({.concurrency = 1});
  const Entered now = start(limiter->enter({0, 0}, 0));
  turn();
  ASSERT_TRUE(is_in(now));
  const async::TurnKey keys[] = {{7, 0}, {3, 0}, {9, 2}, {3, 1}, {7, 1}};
  std::vector<Entered> waiting;
  for (const async::TurnKey key : keys) waiting.push_back(start(limiter->enter(key, 0)));
  std::vector<std::size_t> order;
  CallSlot slot = now->value().value();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    turn();
    limiter->leave(slot, CallEnd::answered, 0);
    turn();
    for (std::size_t k = 0; k < waiting.size(); ++k) {
      if (waiting[k] == nullptr || !is_in(waiting[k])) continue;
      order.push_back(k);
      slot = waiting[k]->value().value();
      waiting[k] = nullptr;
    }
  }
  EXPECT_EQ(order, (std::vector<std::size_t>{3, 1, 4, 0, 2}));
}

TEST_F(CallLimiterTest, WaitsUntilTheRequestsOfAMinuteAllowIt) {
  const auto limiter = limited({.concurrency = 1'000, .requests_per_minute = 600});
  for (int i = 0; i < 10; ++i) {
    const Entered entered = start(limiter->enter({i, 0}, 0));
    turn();
    ASSERT_TRUE(is_in(entered)) << i;
    limiter->leave(entered->value().value(), CallEnd::answered, 0);
  }
  const Entered next = start(limiter->enter({10, 0}, 0));
  turn();
  EXPECT_FALSE(is_in(next));
  clock.now_ms += 99;
  loop.context().restart();
  loop.context().run_for(std::chrono::milliseconds(110));  // its timer has gone off: still too early
  EXPECT_FALSE(is_in(next));
  clock.now_ms += 1;
  run_until([&] { return is_in(next); });
  EXPECT_EQ(next->value()->started_ms, clock.now_ms);
}

TEST_F(CallLimiterTest, TokensThatWereNotUsedAreGivenBack) {
  const auto limiter = limited({.tokens_per_minute = 6'000});
  const Entered first = start(limiter->enter({0, 0}, 6'000));
  const Entered second = start(limiter->enter({1, 0}, 100));
  turn();
  ASSERT_TRUE(is_in(first));
  EXPECT_FALSE(is_in(second));
  limiter->leave(first->value().value(), CallEnd::answered, 50);
  turn();
  EXPECT_FALSE(is_in(second)) << "50 of this second's 100 are used";
  clock.now_ms += 500;
  run_until([&] { return is_in(second); });
}

TEST_F(CallLimiterTest, ABiggerCallThatComesLaterDoesNotDelayTheFirst) {
  const auto limiter = limited({.tokens_per_minute = 60'000});
  const Entered used = start(limiter->enter({0, 0}, 1'000));
  const Entered small = start(limiter->enter({1, 0}, 20));
  const Entered big = start(limiter->enter({2, 0}, 60'000));
  turn();
  ASSERT_TRUE(is_in(used));
  EXPECT_EQ(limiter->waiting(), 2u);
  clock.now_ms += 20;
  const auto began = std::chrono::steady_clock::now();
  run_until([&] { return is_in(small); });
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(500));
  EXPECT_FALSE(is_in(big));
}

TEST_F(CallLimiterTest, AnOlderRecordThatFitsDoesNotWaitForABiggerNewerOne) {
  const auto limiter = limited({.tokens_per_minute = 60'000});
  const Entered used = start(limiter->enter({0, 0}, 900));
  const Entered big = start(limiter->enter({9, 0}, 60'000));
  turn();
  EXPECT_FALSE(is_in(big));
  const Entered older = start(limiter->enter({1, 0}, 50));
  run_until([&] { return is_in(older); });
  EXPECT_FALSE(is_in(big));
}

// A call that hangs must not hold up the others for as long as it is waited for.
TEST_F(CallLimiterTest, AnOverdueCallTakesNoPlaceInTheWindow) {
  const auto limiter = limited({.concurrency = 1});
  limiter->set_overdue_after(20);
  const Entered hangs = start(limiter->enter({1, 0}, 0)), waits = start(limiter->enter({2, 0}, 0));
  turn();
  ASSERT_TRUE(is_in(hangs));
  ASSERT_FALSE(is_in(waits));
  clock.now_ms += 20;
  loop.context().restart();
  loop.context().run_for(std::chrono::milliseconds(60));  // its timer goes off after 20 ms
  ASSERT_TRUE(is_in(waits));
  EXPECT_EQ(limiter->in_flight(), 2);
  limiter->leave(hangs->value().value(), CallEnd::failed, 0);
  EXPECT_EQ(limiter->in_flight(), 1);
  const Entered third = start(limiter->enter({3, 0}, 0));
  turn();
  EXPECT_FALSE(is_in(third)) << "the one that is not overdue counts";
  limiter->leave(waits->value().value(), CallEnd::answered, 0);
  turn();
  EXPECT_TRUE(is_in(third));
}

TEST_F(CallLimiterTest, TheStopFlagEndsEveryWait) {
  const auto limiter = limited({.concurrency = 1});
  const Entered in = start(limiter->enter({0, 0}, 0));
  const Entered one = start(limiter->enter({1, 0}, 0)), two = start(limiter->enter({2, 0}, 0));
  turn();
  stop->request();
  turn();
  EXPECT_EQ(error_of(one), ErrorKind::cancelled);
  EXPECT_EQ(error_of(two), ErrorKind::cancelled);
  EXPECT_EQ(limiter->waiting(), 0u);
  EXPECT_EQ(limiter->in_flight(), 1) << "what is in flight may end";
  limiter->leave(in->value().value(), CallEnd::answered, 0);
  EXPECT_EQ(limiter->in_flight(), 0);
}

TEST_F(CallLimiterTest, ACancelledWaitTakesNothing) {
  const auto limiter = limited({.concurrency = 1, .tokens_per_minute = 6'000});
  const Entered in = start(limiter->enter({0, 0}, 10));
  turn();
  const Entered taken_back = start_in(others, limiter->enter({1, 0}, 10));
  const Entered next = start(limiter->enter({2, 0}, 10));
  turn();
  take_back(others);
  EXPECT_EQ(error_of(taken_back), ErrorKind::cancelled);
  EXPECT_EQ(limiter->waiting(), 1u);
  limiter->leave(in->value().value(), CallEnd::answered, 10);
  turn();
  EXPECT_TRUE(is_in(next));
  EXPECT_EQ(limiter->in_flight(), 1);
}

TEST_F(CallLimiterTest, EndsWhileItsTimerIsStillRunning) {
  auto limiter =
      std::make_unique<CallLimiter>(loop.context().get_executor(), CallLimits{.requests_per_minute = 60}, stop, clock);
  const Entered in = start(limiter->enter({0, 0}, 0));
  const Entered waits = start_in(others, limiter->enter({1, 0}, 0));
  turn();
  take_back(others);
  EXPECT_EQ(error_of(waits), ErrorKind::cancelled);
  limiter.reset();
  turn();
}

}  // namespace
}  // namespace palette::model
