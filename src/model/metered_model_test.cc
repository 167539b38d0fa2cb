#include "model/metered_model.h"

#include <gtest/gtest.h>

#include "model/call_bound.h"
#include "model/test_loop.h"
#include "model/test_metering.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

using Billed = ProviderFailure::Billed;
using End = CallBill::End;

constexpr job::TokenPrices kPrices{.input = 3, .output = 15, .cache_read = 1, .cache_write = 4};
constexpr std::int64_t kOutputTokens = 400;

struct MeteredModelTest : LoopTest {
  using Answer = Pending<Result<ModelResult>>;

  std::shared_ptr<ScriptedProvider> provider = std::make_shared<ScriptedProvider>();
  std::shared_ptr<RecordingMeter> meter = std::make_shared<RecordingMeter>();
  std::shared_ptr<CallLimiter> limiter;
  std::shared_ptr<ModelHealth> health;
  std::shared_ptr<async::Gate> gate = std::make_shared<async::Gate>(stop);
  std::shared_ptr<MeteredModel> model;

  MeteredModelTest() {
    provider->script = {answer_of({10, 20, 0, 0})};
    make({});
  }
  void make(CallLimits limits, HealthPolicy policy = {}) {
    TestModel test = openai_model();
    test.info->prices["geo"] = kPrices;
    const auto executor = loop.context().get_executor();
    limiter = std::make_shared<CallLimiter>(executor, limits, stop, clock);
    health = std::make_shared<ModelHealth>(executor, "openai/gpt", policy, stop, clock);
    model = std::make_shared<MeteredModel>(MeteredParts{provider, test.resolved, limiter, health, meter, &clock, gate});
  }

  static ModelRequest request(std::int64_t record = 3) {
    ModelRequest out = asking("prompt", "system");
    out.options.max_tokens = kOutputTokens;
    out.key.record = RecordIndex{record};
    out.identity = {"job-1", "question", RecordIndex{record}, 2};
    return out;
  }
  static CallBound bound() { return bound_of(request(), kOutputTokens, kPrices); }

  Answer call(ModelRequest asked = request()) {
    Answer out = start(model->call(shared(std::move(asked))));
    turn();
    return out;
  }
  Result<ModelResult> answer(ModelRequest asked = request()) {
    const Answer out = call(std::move(asked));
    if (!out->has_value()) {
      ADD_FAILURE() << "the call waits";
      return fail(ErrorKind::internal, "it waits");
    }
    return **out;
  }
  void expect_nothing_is_held() {
    EXPECT_EQ(limiter->in_flight(), 0);
    EXPECT_EQ(limiter->waiting(), 0u);
    EXPECT_EQ(meter->open, 0);
    EXPECT_EQ(meter->reserved, Money{});
  }
};

// DESIGN.md section 6, promise 5: the lease may end, and then nobody calls.
TEST_F(MeteredModelTest, Promise5_NoCallStartsWhileTheGateIsClosed) {
  gate->close();
  const Answer second = call(request(2)), first = call(request(1));
  EXPECT_TRUE(provider->asked.empty());
  EXPECT_EQ(limiter->in_flight(), 0) << "who waits at the gate takes no turn from others";
  gate->open();
  turn();
  ASSERT_TRUE(first->has_value() && second->has_value());
  EXPECT_TRUE(first->value() && second->value());
  ASSERT_EQ(provider->asked.size(), 2u);
  EXPECT_EQ(provider->asked[0].key.record.value, 1) << "older records first";
  expect_nothing_is_held();

  gate->close();
  const Answer third = call(request(3));
  stop->request();
  turn();
  ASSERT_TRUE(third->has_value());
  EXPECT_EQ(third->value().error().kind, ErrorKind::cancelled);
  EXPECT_EQ(provider->asked.size(), 2u);
  expect_nothing_is_held();
}

// --- Money

// Promise 3: before a call an upper bound of its cost is reserved.
TEST_F(MeteredModelTest, Promise3_TheBoundIsReservedBeforeTheCallAndSettledAtTheRealUsage) {
  Money reserved_then;
  provider->before_answer = [&] { reserved_then = meter->reserved; };
  const auto got = answer();
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(reserved_then, bound().cost);
  EXPECT_GT(bound().cost, Money{});
  EXPECT_EQ(got->cost.pico, 3 * 10 + 15 * 20);
  EXPECT_EQ(got->usage, (Usage{10, 20, 0, 0}));
  EXPECT_TRUE(got->usage_known);
  EXPECT_EQ(got->model, "openai/gpt");
  ASSERT_EQ(meter->bills.size(), 1u);
  const WrittenBill& bill = meter->bills[0];
  EXPECT_EQ(bill.model, "openai/gpt");
  EXPECT_EQ(bill.step, "question");
  EXPECT_EQ(bill.reserved, bound().cost);
  EXPECT_EQ(bill.end, End::answered);
  EXPECT_EQ(bill.cost, got->cost);
  EXPECT_FALSE(bill.estimated);
  EXPECT_EQ(meter->asked[0], (async::TurnKey{3, 2}));
  expect_nothing_is_held();
}

TEST_F(MeteredModelTest, Promise3_EveryEndIsSettledAtWhatItMayHaveCost) {
  const Usage bound_usage{bound().input_tokens, bound().output_tokens, 0, 0};
  const Usage used{7, 5, 2, 1};
  const Money used_cost{3 * 7 + 15 * 5 + 2 * 1 + 1 * 4};
  const struct {
    const char* name;
    ProviderResult result;
    End end;
    Usage usage;
    Money cost;
    bool estimated;
  } cases[] = {
      {"answered", answer_of(used), End::answered, used, used_cost, false},
      {"answered without usage", answer_of({}, false), End::answered, bound_usage, bound().cost, true},
      {"refused before it was done", failure_of(ErrorKind::throttled), End::free, {}, {}, false},
      {"failed for free", failure_of(ErrorKind::unavailable), End::free, {}, {}, false},
      {"bad input", failure_of(ErrorKind::bad_input), End::free, {}, {}, false},
      {"empty, with usage", failure_of(ErrorKind::unavailable, Billed::usage, used), End::wasted, used, used_cost,
       false},
      {"refused, with usage", failure_of(ErrorKind::refused, Billed::usage, used), End::wasted, used, used_cost, false},
      {"lost", failure_of(ErrorKind::timeout, Billed::unknown), End::wasted, bound_usage, bound().cost, true},
      {"cut", failure_of(ErrorKind::unavailable, Billed::unknown), End::wasted, bound_usage, bound().cost, true},
  };
  for (const auto& c : cases) {
    meter->bills.clear();
    provider->script = {c.result};
    const auto got = answer();
    EXPECT_EQ(got.has_value(), c.result.has_value()) << c.name;
    if (got) EXPECT_EQ(got->usage, c.usage) << c.name;
    if (got) EXPECT_EQ(got->cost, c.cost) << c.name;
    if (!got) EXPECT_EQ(got.error(), c.result.error().error) << c.name;
    ASSERT_EQ(meter->bills.size(), 1u) << c.name;
    EXPECT_EQ(meter->bills[0].end, c.end) << c.name;
    EXPECT_EQ(meter->bills[0].usage, c.usage) << c.name;
    EXPECT_EQ(meter->bills[0].cost, c.cost) << c.name;
    EXPECT_EQ(meter->bills[0].estimated, c.estimated) << c.name;
    EXPECT_EQ(meter->bills[0].reserved, bound().cost) << c.name;
    expect_nothing_is_held();
  }
}

TEST_F(MeteredModelTest, Promise3_WhatDoesNotFitInTheBudgetIsNotAsked) {
  meter->is_over = true;
  const auto got = answer();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::over_budget);
  EXPECT_TRUE(provider->asked.empty());
  EXPECT_TRUE(meter->bills.empty()) << "nothing was reserved";
  expect_nothing_is_held();
  meter->is_over = false;
  EXPECT_TRUE(answer());
}

// The money of older records may be held back for them: who waits for money must not hold a turn.
TEST_F(MeteredModelTest, WhatWaitsForATurnHasItsMoney) {
  make({.concurrency = 1});
  provider->hangs = true;
  const Answer hanging = call(), waiting = call();
  EXPECT_EQ(meter->open, 2);
  EXPECT_EQ(limiter->waiting(), 1u);
}

TEST_F(MeteredModelTest, TokensOfAMinuteAreReservedAtTheBoundAndWhatWasNotUsedComesBack) {
  const std::int64_t bound_tokens = bound().input_tokens + bound().output_tokens;
  make({.tokens_per_minute = bound_tokens});
  provider->script = {failure_of(ErrorKind::bad_input)};
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(answer()) << "nothing was used";
  provider->script = {failure_of(ErrorKind::refused, Billed::unknown)};
  EXPECT_FALSE(answer()) << "all may have been used";
  EXPECT_FALSE(call()->has_value());
}

// --- Being taken back

enum class Where { model_away, turn, money, answer };
struct TakenBack {
  Where where;
  bool is_probe = false;
};

struct MeteredModelTakenBack : MeteredModelTest, ::testing::WithParamInterface<TakenBack> {};

TEST_P(MeteredModelTakenBack, HoldsNothing) {
  const auto [where, is_probe] = GetParam();
  make({.concurrency = 1}, {.failures_max = 1, .pause_ms = kHour_ms});
  if (where == Where::model_away || is_probe) health->on_failure(Error{ErrorKind::unavailable, "away"}, {});
  if (is_probe) clock.now_ms += kHour_ms;
  std::optional<CallSlot> taken;
  if (where == Where::turn) {
    const auto slot = start(limiter->enter({0, 0}, 0));
    turn();
    taken = slot->value().value();
  }
  meter->waits = where == Where::money;
  provider->hangs = where == Where::answer;

  const Answer waiting = start_in(others, model->call(shared(request())));
  turn();
  ASSERT_FALSE(waiting->has_value());
  take_back(others);
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(waiting->value().error().kind, ErrorKind::cancelled);

  if (taken) limiter->leave(*taken, CallEnd::answered, 0);
  expect_nothing_is_held();
  EXPECT_EQ(provider->asked.size(), where == Where::answer ? 1u : 0u);
  ASSERT_EQ(meter->bills.size(), where == Where::money ? 0u : 1u);
  if (where == Where::answer) {
    EXPECT_EQ(meter->bills[0].end, End::wasted) << "it had been sent";
    EXPECT_EQ(meter->bills[0].cost, bound().cost);
  } else if (where != Where::money) {
    EXPECT_EQ(meter->bills[0].end, End::free) << "its money was set aside, and comes back";
  }
  meter->waits = provider->hangs = false;
  clock.now_ms += kHour_ms;
  EXPECT_TRUE(answer()) << "the next one goes, as the probe where the model was away";
}

INSTANTIATE_TEST_SUITE_P(WhereverItWaits, MeteredModelTakenBack,
                         ::testing::Values(TakenBack{Where::model_away}, TakenBack{Where::turn},
                                           TakenBack{Where::money}, TakenBack{Where::answer},
                                           TakenBack{Where::turn, true}, TakenBack{Where::money, true},
                                           TakenBack{Where::answer, true}));

TEST_F(MeteredModelTest, ACallThatIsTakenBackAsItGetsItsTurnIsNotMadeAndFreesIt) {
  make({.concurrency = 1});
  const auto slot = start(limiter->enter({0, 0}, 0));
  turn();
  const Answer waiting = start_in(others, model->call(shared(request())));
  turn();
  boost::asio::post(loop.context(), [&] {
    limiter->leave(slot->value().value(), CallEnd::answered, 0);
    others.cancel();
  });
  turn();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(waiting->value().error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(provider->asked.empty());
  for (const WrittenBill& bill : meter->bills) EXPECT_EQ(bill.cost, Money{});
  expect_nothing_is_held();
}

// Promise 2: no new call starts.
TEST_F(MeteredModelTest, Promise2_TheStopFlagEndsWhatWaitsForATurn) {
  make({.concurrency = 1});
  const auto slot = start(limiter->enter({0, 0}, 0));
  const Answer waiting = call();
  stop->request();
  turn();
  EXPECT_EQ(waiting->value().error().kind, ErrorKind::cancelled);
  limiter->leave(slot->value().value(), CallEnd::answered, 0);
  EXPECT_TRUE(provider->asked.empty());
  expect_nothing_is_held();
}

// --- The deadline

TEST_F(MeteredModelTest, TheProviderIsToldHowLongToWait) {
  EXPECT_TRUE(answer());
  EXPECT_EQ(provider->asked.back().answer_ms, 60'000 + 50 * kOutputTokens);
  ModelRequest hurried = request();
  hurried.answer_ms = 77;
  EXPECT_TRUE(answer(hurried));
  EXPECT_EQ(provider->asked.back().answer_ms, 77);
}

TEST_F(MeteredModelTest, TheDeadlineLearnsFromTwentyAnswers) {
  provider->before_answer = [&] { clock.now_ms += 3'000; };
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(answer());
  EXPECT_EQ(provider->asked.back().answer_ms, 60'000 + 50 * kOutputTokens);
  provider->script = {failure_of(ErrorKind::timeout, Billed::unknown), answer_of({1, 1, 0, 0})};
  ++clock.now_ms;  // it starts when the last answer is there: nothing came meanwhile
  EXPECT_FALSE(answer());
  EXPECT_EQ(provider->asked.back().answer_ms, 30'000);
  EXPECT_TRUE(answer());
  EXPECT_EQ(provider->asked.back().answer_ms, 60'000) << "twice, after one that took longer";
}

TEST_F(MeteredModelTest, ACallThatWaitedForItsTurnHasTheDeadlineOfNow) {
  make({.concurrency = 1});
  const auto slot = start(limiter->enter({0, 0}, 0));
  const Answer newest = call(request(9));
  provider->before_answer = [&] { clock.now_ms += 3'000; };
  std::vector<Answer> older;
  for (int i = 0; i < 50; ++i) older.push_back(call(request(1)));
  limiter->leave(slot->value().value(), CallEnd::failed, 0);
  turn();
  ASSERT_TRUE(newest->has_value());
  ASSERT_EQ(provider->asked.size(), 51u);
  EXPECT_EQ(provider->asked.back().key.record, RecordIndex{9});
  EXPECT_EQ(provider->asked.back().answer_ms, 30'000);
}

// --- The circuit

TEST_F(MeteredModelTest, CallsThatWaitForATurnDoNotAskAModelThatHasGoneAwayMeanwhile) {
  make({}, {.pause_ms = kHour_ms});
  provider->script = {failure_of(ErrorKind::unavailable)};
  provider->slow_ms = 200;  // longer than it takes to start them all
  std::vector<Answer> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(start(model->call(shared(request(i)))));
  turn();
  EXPECT_EQ(limiter->waiting(), 92u) << "let in while all was well";
  run_until([&] { return health->is_open() && limiter->in_flight() == 0; });
  EXPECT_EQ(limiter->waiting(), 0u) << "they wait for the model, not for a turn";
  EXPECT_LE(provider->asked.size(), 16u) << "eight failures, and what was in flight then";
  const std::size_t failed = provider->asked.size();

  provider->script = {answer_of({1, 1, 0, 0})};
  provider->slow_ms = 1;
  health->on_answer();
  run_until([&] { return provider->asked.size() == 100 && limiter->in_flight() == 0; });
  turn();
  std::size_t answered = 0;
  for (const Answer& one : calls) answered += one->has_value() && one->value().has_value();
  EXPECT_EQ(answered, 100 - failed);
  expect_nothing_is_held();
}

TEST_F(MeteredModelTest, AThrottledModelIsThere) {
  provider->script = {failure_of(ErrorKind::throttled)};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(answer());
  EXPECT_FALSE(health->is_open());
  EXPECT_LT(limiter->window(), 8);
  for (const ErrorKind kind : {ErrorKind::bad_input, ErrorKind::denied, ErrorKind::refused, ErrorKind::quota}) {
    provider->script = {failure_of(kind)};
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(answer());
    EXPECT_FALSE(health->is_open()) << to_string(kind);
  }
}

TEST_F(MeteredModelTest, WithAFallbackNobodyWaitsForAModelThatIsAway) {
  provider->script = {failure_of(ErrorKind::timeout, Billed::unknown)};
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(answer());
  ModelRequest asked = request();
  asked.has_fallback = true;
  const auto got = answer(asked);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::outage);
  EXPECT_EQ(provider->asked.size(), 8u);
}

}  // namespace
}  // namespace palette::model
