#include "model/model_health.h"

#include <gtest/gtest.h>

#include <vector>

#include "model/retry.h"
#include "model/test_loop.h"

namespace palette::model {
namespace {

const Error kAway{ErrorKind::unavailable, "connection refused"};

struct ModelHealthTest : LoopTest {
  using Admitted = Pending<Result<Admission>>;

  std::shared_ptr<ModelHealth> health_of(HealthPolicy policy = {}) {
    return kept(std::make_shared<ModelHealth>(loop.context().get_executor(), "bedrock/m", policy, stop, clock));
  }
  // A model that is away, and whose circuit has just opened.
  std::shared_ptr<ModelHealth> away(HealthPolicy policy = {}) {
    auto health = health_of(policy);
    for (int i = 0; i < policy.failures_max; ++i) health->on_failure(kAway, {});
    EXPECT_TRUE(health->is_open());
    return health;
  }
  Admitted ask(ModelHealth& health, async::TurnKey key = {}, bool has_fallback = false) {
    Admitted out = start(health.admit(key, has_fallback));
    turn();
    return out;
  }
  static bool is_in(const Admitted& admitted) { return admitted->has_value() && (*admitted)->has_value(); }
  static std::int64_t probe_of(const Admitted& admitted) { return admitted->value()->probe; }
  // Of one who has a fallback, and so never waits.
  bool lets_in(ModelHealth& health) { return is_in(ask(health, {}, true)); }
};

TEST_F(ModelHealthTest, OpensAfterEightFailuresInARow) {
  const auto health = health_of();
  for (int i = 0; i < 7; ++i) health->on_failure(kAway, {});
  health->on_answer();
  for (int i = 0; i < 7; ++i) health->on_failure(kAway, {});
  EXPECT_FALSE(health->is_open());
  EXPECT_TRUE(is_in(ask(*health)));
  health->on_failure(kAway, {});
  EXPECT_TRUE(health->is_open());
  EXPECT_FALSE(is_in(ask(*health)));
}

TEST_F(ModelHealthTest, OneProbeOnlyAndItsAnswerOpensTheWayForAll) {
  const auto health = away({.pause_ms = 60});
  const Admitted third = ask(*health, {3, 0}), first = ask(*health, {1, 0}), second = ask(*health, {1, 1});
  EXPECT_FALSE(is_in(first) || is_in(second) || is_in(third));
  run_until([&] { return is_in(second); });
  EXPECT_NE(probe_of(second), 0);
  loop.context().restart();
  loop.context().run_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(is_in(first) || is_in(third)) << "only the probe is out";
  const Admitted late = ask(*health, {0, 0});
  EXPECT_FALSE(is_in(late));
  EXPECT_TRUE(health->still_admits(second->value().value()));
  health->on_answer();
  turn();
  EXPECT_TRUE(is_in(first) && is_in(third) && is_in(late));
  EXPECT_EQ(probe_of(first), 0);
  EXPECT_FALSE(health->is_open());
}

TEST_F(ModelHealthTest, ThePauseDoublesUpToHalfAMinute) {
  const auto health = away();
  for (const std::int64_t pause_ms : {500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000}) {
    clock.now_ms += pause_ms - 1;
    EXPECT_FALSE(lets_in(*health)) << pause_ms;
    clock.now_ms += 1;
    const Admitted probe = ask(*health, {}, true);
    ASSERT_TRUE(is_in(probe)) << pause_ms;
    EXPECT_FALSE(lets_in(*health)) << "a probe is out";
    health->on_failure(kAway, probe->value().value());
  }
  clock.now_ms += 30'000;
  ASSERT_TRUE(lets_in(*health));
  health->on_answer();
  for (int i = 0; i < 8; ++i) health->on_failure(kAway, {});
  clock.now_ms += 500;
  EXPECT_TRUE(lets_in(*health)) << "after an answer the pause is short again";
}

TEST_F(ModelHealthTest, WithAFallbackItFailsAtOnce) {
  const auto health = away();
  const Admitted asked = ask(*health, {}, true);
  ASSERT_TRUE(asked->has_value());
  EXPECT_EQ(asked->value().error().kind, ErrorKind::outage);
  EXPECT_EQ(asked->value().error().message, "the model 'bedrock/m' is away: connection refused");
}

TEST_F(ModelHealthTest, WhatWasLetInBeforeItOpenedAsksAgain) {
  const auto health = health_of();
  const Admitted before = ask(*health);
  ASSERT_TRUE(is_in(before));
  EXPECT_TRUE(health->still_admits(before->value().value()));
  for (int i = 0; i < 8; ++i) health->on_failure(kAway, {});
  EXPECT_FALSE(health->still_admits(before->value().value()));
  clock.now_ms += 500;
  ASSERT_TRUE(lets_in(*health));
  EXPECT_FALSE(health->still_admits(before->value().value())) << "another one is the probe";
}

TEST_F(ModelHealthTest, FailuresOfCallsThatLeftBeforeTellNothingAboutTheProbe) {
  const auto health = away();
  clock.now_ms += 500;
  const Admitted probe = ask(*health, {}, true);
  ASSERT_TRUE(is_in(probe));
  health->on_failure(kAway, {});
  health->on_nothing({});
  clock.now_ms += 100'000;
  EXPECT_FALSE(lets_in(*health)) << "the probe is still out";
  health->on_failure(kAway, probe->value().value());
  clock.now_ms += 1'000;
  EXPECT_TRUE(lets_in(*health)) << "doubled once";
}

TEST_F(ModelHealthTest, ACancelledProbeDoesNotBlockTheOthers) {
  const auto health = away({.pause_ms = 2});
  const Admitted first = ask(*health, {1, 0}), second = ask(*health, {2, 0});
  run_until([&] { return is_in(first); });
  health->on_nothing(first->value().value());
  EXPECT_TRUE(health->is_open());
  run_until([&] { return is_in(second); });
  EXPECT_NE(probe_of(second), 0);
  health->on_answer();
  EXPECT_FALSE(health->is_open());
}

TEST_F(ModelHealthTest, AWaiterThatIsTakenBackIsNotTheProbe) {
  const auto health = away({.pause_ms = 60});
  const Admitted taken_back = start_in(others, health->admit({1, 0}, false));
  const Admitted second = ask(*health, {2, 0});
  take_back(others);
  EXPECT_EQ(taken_back->value().error().kind, ErrorKind::cancelled);
  run_until([&] { return is_in(second); });
}

TEST_F(ModelHealthTest, PatienceWithAModelThatNeverAnsweredIsShort) {
  const auto health = away({.pause_ms = 2});
  clock.now_ms += 14'999;
  const Admitted probe = ask(*health);
  ASSERT_TRUE(is_in(probe));
  const Admitted first = ask(*health, {1, 0}), second = ask(*health, {2, 0});
  clock.now_ms += 1;
  health->on_failure(Error{ErrorKind::timeout, "no answer"}, probe->value().value());
  run_until([&] { return first->has_value() && second->has_value(); });
  for (const Admitted& waited : {first, second}) {
    EXPECT_EQ(waited->value().error().kind, ErrorKind::outage);
    EXPECT_EQ(waited->value().error().message,
              "the model 'bedrock/m' has not answered for 15 s; the last try said: no answer");
  }
}

TEST_F(ModelHealthTest, TellsOnceThatTheModelIsAwayAndThatItIsBack) {
  std::vector<std::string> told;
  const auto health =
      kept(std::make_shared<ModelHealth>(loop.context().get_executor(), "bedrock/m", HealthPolicy{}, stop, clock,
                                         [&](const std::string& text) { told.push_back(text); }));
  for (int i = 0; i < 8; ++i) health->on_failure(kAway, {});
  EXPECT_TRUE(told.empty()) << "a few failures in a row are not worth a word";
  for (int probes = 0; probes < 3; ++probes) {
    clock.now_ms += 60'000;
    const Admitted probe = ask(*health);
    ASSERT_TRUE(is_in(probe));
    health->on_failure(kAway, probe->value().value());
  }
  EXPECT_EQ(told, std::vector<std::string>{"The model 'bedrock/m' does not answer, and is tried again now and then: "
                                           "connection refused"});
  health->on_answer();
  health->on_answer();
  EXPECT_EQ(told.size(), 2u);
  EXPECT_EQ(told.back(), "The model 'bedrock/m' answers again.");
}

TEST_F(ModelHealthTest, PatienceWithAModelThatAnsweredBeforeEndsAsAnOutage) {
  const auto health = health_of({.pause_ms = 2});
  health->on_answer();
  for (int i = 0; i < 8; ++i) health->on_failure(kAway, {});
  const Admitted first = ask(*health, {1, 0}), second = ask(*health, {2, 0});
  clock.now_ms += 299'999;
  run_until([&] { return is_in(first); });
  EXPECT_FALSE(second->has_value());
  clock.now_ms += 1;
  health->on_failure(kAway, first->value().value());
  run_until([&] { return second->has_value(); });
  EXPECT_EQ(second->value().error().kind, ErrorKind::outage);
  EXPECT_EQ(second->value().error().message,
            "the model 'bedrock/m' has not answered for 300 s; the last try said: connection refused");
  // Whoever comes later is a probe again.
  clock.now_ms += 1'000;
  EXPECT_TRUE(is_in(ask(*health)));
}

TEST_F(ModelHealthTest, TheStopFlagEndsEveryWait) {
  const auto health = away();
  const Admitted waiting = ask(*health);
  stop->request();
  turn();
  EXPECT_EQ(waiting->value().error().kind, ErrorKind::cancelled);
}

TEST_F(ModelHealthTest, EndsWhileItsTimerIsStillRunning) {
  auto health = std::make_unique<ModelHealth>(loop.context().get_executor(), "bedrock/m",
                                              HealthPolicy{.failures_max = 1, .pause_ms = 1}, stop, clock);
  health->on_failure(kAway, {});
  ASSERT_TRUE(health->is_open());
  health.reset();
  loop.context().restart();
  loop.context().run_for(std::chrono::milliseconds(5));
}

// --- The budget of retries

// How many retries are spent until the circuit opens.
int retries_until_open(ModelHealth& health, ErrorKind kind) {
  int spent = 0;
  for (; !health.is_open() && spent < 10'000; ++spent) health.spend_retry(kind);
  return spent;
}

TEST_F(ModelHealthTest, RetriesHaveABudget) {
  EXPECT_EQ(retries_until_open(*health_of(), ErrorKind::unavailable), 100);
  EXPECT_EQ(retries_until_open(*health_of(), ErrorKind::timeout), 50);
}

TEST_F(ModelHealthTest, AnswersFillTheBudgetUpToItsMost) {
  const auto health = health_of();
  for (int i = 0; i < 99; ++i) health->spend_retry(ErrorKind::unavailable);
  for (int i = 0; i < 45; ++i) health->on_answer();
  EXPECT_EQ(retries_until_open(*health, ErrorKind::unavailable), 10) << "5 and 45 are ten retries";
  const auto full = health_of();
  for (int i = 0; i < 1'000; ++i) full->on_answer();
  EXPECT_EQ(retries_until_open(*full, ErrorKind::unavailable), 100);
}

TEST_F(ModelHealthTest, AnOutageDoesNotUseUpTheBudgetForAfterwards) {
  const auto health = health_of();
  retries_until_open(*health, ErrorKind::unavailable);
  for (int i = 0; i < 1'000; ++i) health->spend_retry(ErrorKind::timeout);  // they wait for the probe
  health->on_answer();
  ASSERT_FALSE(health->is_open());
  EXPECT_EQ(retries_until_open(*health, ErrorKind::unavailable), 26) << "a quarter of the budget, and one answer";
}

// --- With a fallback behind it

// A model that is there or not, with the circuit around it that MeteredModel has.
class Switched final : public Model {
 public:
  Switched(std::string name, std::shared_ptr<ModelHealth> health)
      : name_(std::move(name)), health_(std::move(health)) {}

  const std::string& name() const override { return name_; }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    const Result<Admission> admission = co_await health_->admit({}, request->has_fallback);
    if (!admission) co_return std::unexpected(admission.error());
    ++calls;
    if (!is_there) {
      health_->on_failure(kAway, *admission);
      co_return std::unexpected(kAway);
    }
    health_->on_answer();
    ModelResult result;
    result.model = name_;
    co_return result;
  }

  bool is_there = true;
  int calls = 0;

 private:
  std::string name_;
  std::shared_ptr<ModelHealth> health_;
};

TEST_F(ModelHealthTest, TheFallbackAnswersUntilAProbeComesBackToTheFirst) {
  const auto first = std::make_shared<Switched>("first", health_of({.failures_max = 2}));
  const auto second = std::make_shared<Switched>("second", health_of());
  const auto both = with_fallbacks({first, second});
  const auto who_answers = [&] {
    const auto answer = start(both->call(std::make_shared<ModelRequest>()));
    turn();
    return answer->has_value() && answer->value() ? answer->value()->model : std::string("nobody");
  };
  first->is_there = false;
  EXPECT_EQ(who_answers(), "second");
  EXPECT_EQ(who_answers(), "second");
  EXPECT_EQ(first->calls, 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(who_answers(), "second");
  EXPECT_EQ(first->calls, 2) << "nobody asks it during the pause";
  clock.now_ms += 500;
  EXPECT_EQ(who_answers(), "second");
  EXPECT_EQ(first->calls, 3) << "the probe";
  first->is_there = true;
  EXPECT_EQ(who_answers(), "second");
  clock.now_ms += 1'000;
  EXPECT_EQ(who_answers(), "first");
  EXPECT_EQ(who_answers(), "first");
}

}  // namespace
}  // namespace palette::model
