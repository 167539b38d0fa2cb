#include "model/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "contract/model_contract.h"

namespace palette::model {
namespace {

using contract::await, contract::error_text;

// Answers what it is told to, by the number of the call.
class ScriptedModel final : public Model {
 public:
  explicit ScriptedModel(std::string name, std::vector<std::optional<ErrorKind>> script)
      : name_(std::move(name)), script_(std::move(script)) {}

  const std::string& name() const override { return name_; }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    attempts.push_back(request->key.attempt);
    if (on_call) on_call();
    const std::size_t at = std::min(attempts.size(), script_.size()) - 1;
    if (script_[at]) co_return fail(*script_[at], "failed");
    ModelResult result;
    result.text = "answer";
    result.model = name_;
    co_return result;
  }

  std::vector<int> attempts;
  std::function<void()> on_call;

 private:
  std::string name_;
  std::vector<std::optional<ErrorKind>> script_;  // the last goes on for ever; nothing: an answer
};

constexpr RetryPolicy kAtOnce{.tries_max = 5, .base_ms = 0, .pause_ms_max = 0};

struct Retry : ::testing::Test {
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();
  int tries = -1;  // of the latest call()

  static std::shared_ptr<ScriptedModel> scripted(std::vector<std::optional<ErrorKind>> script, std::string name = "m") {
    return std::make_shared<ScriptedModel>(std::move(name), std::move(script));
  }
  static std::shared_ptr<ModelRequest> request() {
    auto out = std::make_shared<ModelRequest>();
    out->messages.push_back({Message::Role::user, "p"});
    return out;
  }
  Result<ModelResult> call(std::shared_ptr<Model> inner, RetryPolicy policy = kAtOnce) {
    const std::shared_ptr<ModelRequest> asked = request();
    const auto answer = await(with_retries(std::move(inner), policy, stop)->call(asked));
    tries = asked->tries;
    return answer;
  }
};

TEST_F(Retry, WhatPassesIsTriedAgainAndTheTriesAreTold) {
  const auto model = scripted({ErrorKind::throttled, ErrorKind::unavailable, ErrorKind::timeout, std::nullopt});
  const auto answer = call(model);
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->text, "answer");
  EXPECT_EQ(answer->tries, 4);
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(model->attempts, (std::vector<int>{1, 2, 3, 4})) << "each try knows its number";
}

TEST_F(Retry, AnAnswerAtOnceIsOneTry) {
  const auto answer = call(scripted({std::nullopt}));
  EXPECT_EQ(answer.value().tries, 1);
  EXPECT_EQ(tries, 1);
}

TEST_F(Retry, WhoAsksToWaitForLongIsTakenAsAQuotaThatIsUsedUp) {
  const auto answer = call(scripted({ErrorKind::throttled}),
                           {.tries_max = 5, .base_ms = 0, .pause_ms_max = 0, .retry_after_ms_max = -1});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::quota);
  EXPECT_EQ(answer.error().message, "failed (it asks to wait for 0 minutes)");
}

// Promise 7: every retry has a cap.
TEST_F(Retry, Promise7_GivesUpAfterTheMostTries) {
  const auto model = scripted({ErrorKind::throttled});
  const auto answer = call(model);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::throttled);
  EXPECT_EQ(answer.error().message, "failed (tried 5 times)");
  EXPECT_EQ(model->attempts.size(), 5u);
  EXPECT_EQ(tries, 5);
}

TEST_F(Retry, WhatWouldFailAgainIsNotTriedAgain) {
  for (const ErrorKind kind :
       {ErrorKind::bad_input, ErrorKind::not_found, ErrorKind::cancelled, ErrorKind::refused, ErrorKind::truncated,
        ErrorKind::too_large, ErrorKind::denied, ErrorKind::corrupt, ErrorKind::io, ErrorKind::internal,
        ErrorKind::fenced, ErrorKind::held, ErrorKind::conflict, ErrorKind::changed, ErrorKind::already_exists}) {
    EXPECT_FALSE(is_retryable(kind)) << to_string(kind);
    const auto model = scripted({kind, std::nullopt});
    const auto answer = call(model);
    ASSERT_FALSE(answer) << to_string(kind);
    EXPECT_EQ(answer.error().kind, kind);
    EXPECT_EQ(answer.error().message, "failed");
    EXPECT_EQ(model->attempts.size(), 1u);
    EXPECT_EQ(tries, 1);
  }
  for (const ErrorKind kind : {ErrorKind::throttled, ErrorKind::unavailable, ErrorKind::timeout}) {
    EXPECT_TRUE(is_retryable(kind)) << to_string(kind);
  }
}

TEST_F(Retry, PausesAreDrawnBelowACeilingThatDoubles) {
  const RetryPolicy policy{.tries_max = 100, .base_ms = 100, .pause_ms_max = 20'000};
  constexpr double kAlmostOne = 0.999999999;
  const std::int64_t ceilings[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 20'000, 20'000};
  for (int failed = 1; failed <= 10; ++failed) {
    EXPECT_EQ(pause_before_retry_ms(policy, ErrorKind::unavailable, failed, 0), 0);
    EXPECT_EQ(pause_before_retry_ms(policy, ErrorKind::unavailable, failed, 0.5), ceilings[failed - 1] / 2);
    EXPECT_EQ(pause_before_retry_ms(policy, ErrorKind::unavailable, failed, kAlmostOne), ceilings[failed - 1] - 1);
  }
  EXPECT_EQ(pause_before_retry_ms(policy, ErrorKind::unavailable, 1'000'000, kAlmostOne), 19'999);
}

// Promise 2: SIGTERM: no new call starts.
TEST_F(Retry, Promise2_NoTryStartsOnceTheFlagIsRaised) {
  const auto model = scripted({ErrorKind::throttled});
  model->on_call = [&] { stop->request(); };
  const auto answer =
      call(model, {.tries_max = 5, .base_ms = 600'000, .throttled_base_ms = 600'000, .pause_ms_max = 600'000});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(model->attempts.size(), 1u);
}

async::Task<void> raise_after(std::shared_ptr<async::StopFlag> flag, std::int64_t pause_ms) {
  (void)co_await async::sleep_for(pause_ms);
  flag->request();
}

async::Task<Result<ModelResult>> call_and_raise(std::shared_ptr<Model> model, std::shared_ptr<ModelRequest> request,
                                                std::shared_ptr<async::StopFlag> stop) {
  std::optional<Result<ModelResult>> answer;
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(contract::call_into(model.get(), std::move(request), &answer));
  group.spawn(raise_after(stop, 1));
  co_await group.join();
  co_return std::move(*answer);
}

TEST_F(Retry, Promise2_WhatWaitsForItsNextTryIsWokenByTheFlag) {
  const auto model = scripted({ErrorKind::throttled});
  const auto patient = with_retries(
      model, {.tries_max = 5, .base_ms = 600'000, .throttled_base_ms = 600'000, .pause_ms_max = 600'000}, stop);
  const std::shared_ptr<ModelRequest> asked = request();
  asked->key = {7, RecordIndex{3}, 1, 1};  // its pause is drawn long
  const auto answer = await(call_and_raise(patient, asked, stop));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(model->attempts.size(), 1u);
}

TEST_F(Retry, WhatWaitsForItsNextTryCanBeTakenBack) {
  const auto model = scripted({ErrorKind::throttled});
  const auto patient = with_retries(
      model, {.tries_max = 5, .base_ms = 600'000, .throttled_base_ms = 600'000, .pause_ms_max = 600'000}, stop);
  const std::shared_ptr<ModelRequest> asked = request();
  asked->key = {7, RecordIndex{3}, 1, 1};
  const auto answer = await(contract::call_and_cancel(patient.get(), asked));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(model->attempts.size(), 1u);
}

TEST_F(Retry, HasTheNameOfItsModel) {
  EXPECT_EQ(with_retries(scripted({std::nullopt}, "x"), kAtOnce, stop)->name(), "x");
}

// --- What counts, and how long it waits

TEST_F(Retry, ThrottledTriesAreCountedApart) {
  const RetryPolicy policy{
      .tries_max = 3, .throttled_max = 10, .base_ms = 0, .throttled_base_ms = 0, .pause_ms_max = 0};
  using Script = std::vector<std::optional<ErrorKind>>;
  const auto t = ErrorKind::throttled, u = ErrorKind::unavailable, o = ErrorKind::timeout;
  const std::pair<Script, std::size_t> cases[] = {
      {{t, t, t, t, t, t, t, t, u, u, std::nullopt}, 11},  // 8 and 2: neither is at its end
      {{u, t, u, t, t, t, o}, 7},                          // the third that was not throttled
      {{t}, 10},
      {{u, t, t, u, t, t, t, t, t, t, t, t}, 12},  // the tenth throttle
  };
  for (const auto& [script, calls] : cases) {
    const auto model = scripted(script);
    const auto answer = call(model, policy);
    EXPECT_EQ(model->attempts.size(), calls);
    EXPECT_EQ(answer.has_value(), !script.back().has_value());
  }
}

TEST_F(Retry, EachKindHasItsFirstPause) {
  constexpr double kAlmostOne = 0.999999999;
  EXPECT_EQ(pause_before_retry_ms(kRemoteRetries, ErrorKind::unavailable, 1, kAlmostOne), 499);
  EXPECT_EQ(pause_before_retry_ms(kRemoteRetries, ErrorKind::timeout, 2, kAlmostOne), 999);
  EXPECT_EQ(pause_before_retry_ms(kRemoteRetries, ErrorKind::throttled, 1, kAlmostOne), 999);
  EXPECT_EQ(pause_before_retry_ms(kRemoteRetries, ErrorKind::throttled, 3, kAlmostOne), 3'999);
  EXPECT_EQ(pause_before_retry_ms(kRemoteRetries, ErrorKind::throttled, 200, kAlmostOne), 19'999);
}

// Is told to come back later once, and then answers.
class ComeBackLater final : public Model {
 public:
  explicit ComeBackLater(std::int64_t later_ms) : later_ms_(later_ms) {}

  const std::string& name() const override { return name_; }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest>) override {
    called_at.push_back(std::chrono::steady_clock::now());
    if (called_at.size() == 1) {
      Error error{ErrorKind::throttled, "later"};
      error.retry_after_ms = later_ms_;
      co_return std::unexpected(std::move(error));
    }
    co_return ModelResult{};
  }

  std::vector<std::chrono::steady_clock::time_point> called_at;

 private:
  std::string name_ = "later";
  std::int64_t later_ms_;
};

TEST_F(Retry, WaitsAtLeastAsLongAsTheOtherSideAsks) {
  const auto model = std::make_shared<ComeBackLater>(20);
  ASSERT_TRUE(call(model));
  ASSERT_EQ(model->called_at.size(), 2u);
  EXPECT_GE(model->called_at[1] - model->called_at[0], std::chrono::milliseconds(20));
}

TEST_F(Retry, Promise2_WhatWasToldToComeBackLaterIsWokenByTheFlag) {
  const auto model = std::make_shared<ComeBackLater>(600'000);
  const auto answer = await(call_and_raise(with_retries(model, kAtOnce, stop), request(), stop));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(model->called_at.size(), 1u);
}

// As MeteredModel: who comes while the model is away is sent off by its health.
class SentOffWhenAway final : public Model {
 public:
  SentOffWhenAway(std::shared_ptr<Model> inner, std::shared_ptr<ModelHealth> health)
      : inner_(std::move(inner)), health_(std::move(health)) {}
  const std::string& name() const override { return inner_->name(); }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    if (health_->is_open()) co_return fail(ErrorKind::outage, "away");
    co_return co_await inner_->call(request);
  }

 private:
  std::shared_ptr<Model> inner_;
  std::shared_ptr<ModelHealth> health_;
};

TEST_F(Retry, WhileTheModelIsAwayNobodysTriesRunOut) {
  const auto health = std::make_shared<ModelHealth>(contract::process_loop().context().get_executor(), "m",
                                                    HealthPolicy{}, stop, system_clock());
  for (int i = 0; i < 8; ++i) health->on_failure(Error{ErrorKind::unavailable, "away"}, {});
  std::vector<std::optional<ErrorKind>> script(20, ErrorKind::unavailable);
  script.push_back(std::nullopt);
  const auto answer = await(with_retries(scripted(script), kAtOnce, stop, health)->call(request()));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->tries, 21);
}

// Each retry is paid from the model's budget; being throttled costs nothing of it.
TEST_F(Retry, RetriesAreSpentFromTheModelsBudget) {
  const std::pair<ErrorKind, int> cases[] = {
      {ErrorKind::unavailable, 25}, {ErrorKind::timeout, 13}, {ErrorKind::throttled, 0}};
  for (const auto& [kind, calls_until_open] : cases) {
    const auto executor = contract::process_loop().context().get_executor();
    const auto health = std::make_shared<ModelHealth>(executor, "m", HealthPolicy{}, stop, system_clock());
    const auto model = std::make_shared<SentOffWhenAway>(scripted({kind}), health);
    const auto patient = with_retries(model, kAtOnce, stop, health);  // 4 retries a call, of 500 tokens
    int calls = 0;
    for (; !health->is_open() && calls < 60; ++calls) EXPECT_FALSE(await(patient->call(request())));
    EXPECT_EQ(calls, calls_until_open == 0 ? 60 : calls_until_open) << to_string(kind);
  }
}

// --- Fallbacks

TEST_F(Retry, AQuotaIsNotTriedAgainAndFallsOverToTheNext) {
  for (const ErrorKind kind : {ErrorKind::quota, ErrorKind::outage}) {
    const auto first = scripted({kind}, "first"), second = scripted({std::nullopt}, "second");
    const auto both = with_fallbacks({with_retries(first, kAtOnce, stop), with_retries(second, kAtOnce, stop)});
    const auto answer = await(both->call(request()));
    ASSERT_TRUE(answer) << error_text(answer);
    EXPECT_EQ(answer->model, "second");
    EXPECT_EQ(first->attempts.size(), 1u) << to_string(kind);
    EXPECT_EQ(answer->tries, 2);
  }
}

// Keeps what each call was told.
class Listening final : public Model {
 public:
  const std::string& name() const override { return name_; }
  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    had_fallback.push_back(request->has_fallback);
    co_return fail(ErrorKind::unavailable, "away");
  }

  std::vector<bool> had_fallback;

 private:
  std::string name_ = "listening";
};

TEST_F(Retry, EachKnowsWhetherAnotherStandsReady) {
  const auto first = std::make_shared<Listening>(), second = std::make_shared<Listening>();
  EXPECT_FALSE(await(with_fallbacks({first, second})->call(request())));
  EXPECT_EQ(first->had_fallback, std::vector<bool>{true});
  EXPECT_EQ(second->had_fallback, std::vector<bool>{false});
}

TEST_F(Retry, TheNextIsAskedWhenTheFirstStaysUnavailable) {
  const auto first = scripted({ErrorKind::unavailable}, "first"), second = scripted({std::nullopt}, "second");
  const auto both = with_fallbacks({with_retries(first, kAtOnce, stop), with_retries(second, kAtOnce, stop)});
  EXPECT_EQ(both->name(), "first");
  const auto answer = await(both->call(request()));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->model, "second");
  EXPECT_EQ(first->attempts.size(), 5u);
  EXPECT_EQ(second->attempts.size(), 1u);
}

TEST_F(Retry, TheNextIsNotAskedWhenTheFirstAnsweredBadly) {
  for (const ErrorKind kind : {ErrorKind::bad_input, ErrorKind::refused, ErrorKind::denied, ErrorKind::cancelled}) {
    const auto first = scripted({kind}), second = scripted({std::nullopt});
    const auto answer = await(with_fallbacks({first, second})->call(request()));
    ASSERT_FALSE(answer) << to_string(kind);
    EXPECT_EQ(answer.error().kind, kind);
    EXPECT_TRUE(second->attempts.empty());
  }
}

TEST_F(Retry, TheErrorOfTheLastFallbackIsTold) {
  const auto first = scripted({ErrorKind::timeout}), second = scripted({ErrorKind::throttled});
  EXPECT_EQ(await(with_fallbacks({first, second})->call(request())).error().kind, ErrorKind::throttled);
}

TEST_F(Retry, OneModelNeedsNoFallback) {
  const std::shared_ptr<Model> only = scripted({std::nullopt});
  EXPECT_EQ(with_fallbacks({only}), only);
}

TEST_F(Retry, Promise2_NoFallbackStartsOnceTheFlagIsRaised) {
  const auto first = scripted({ErrorKind::unavailable}), second = scripted({std::nullopt});
  const RetryPolicy once{.tries_max = 1, .base_ms = 0, .pause_ms_max = 0};
  first->on_call = [&] { stop->request(); };
  const auto both = with_fallbacks({with_retries(first, once, stop), with_retries(second, once, stop)});
  const auto answer = await(both->call(request()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(second->attempts.empty());
}

TEST_F(Retry, TriesOfAllFallbacksAreSummed) {
  const auto away = scripted(std::vector<std::optional<ErrorKind>>(10, ErrorKind::unavailable));
  const auto both = with_fallbacks({with_retries(away, kAtOnce, stop), scripted({std::nullopt})});
  const std::shared_ptr<ModelRequest> asked = request();
  const auto answer = await(both->call(asked));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->tries, 6);
  EXPECT_EQ(asked->tries, 6);
}

}  // namespace
}  // namespace palette::model
