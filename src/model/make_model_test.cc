#include "model/make_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "job/catalogue.h"
#include "model/test_metering.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

using contract::await, contract::error_text;

job::ResolvedModel resolved(const std::string& name) {
  static const job::Catalogue catalogue = job::Catalogue::built_in().value();
  Result<job::ResolvedModel> out = catalogue.resolve(name, "us-east-1");
  EXPECT_TRUE(out) << error_text(out);
  return out ? *out : job::ResolvedModel{};
}

std::vector<job::ResolvedModel> all_resolved(const std::vector<std::string>& names) {
  std::vector<job::ResolvedModel> out;
  for (const std::string& name : names) out.push_back(resolved(name));
  return out;
}

struct MakeModel : ::testing::Test {
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();
  std::shared_ptr<RecordingMeter> meter = std::make_shared<RecordingMeter>();
  std::map<std::string, std::shared_ptr<ScriptedProvider>> providers;  // by name; what is asked for is made

  ModelParts parts() {
    ModelParts out;
    out.corpus = std::make_shared<const NgramCorpus>("one two. three four.");
    out.stop = stop;
    out.offline_retries = {.tries_max = 3, .throttled_max = 3, .base_ms = 0, .throttled_base_ms = 0, .pause_ms_max = 0};
    out.executor = contract::process_loop().context().get_executor();
    out.clock = &system_clock();
    out.meter = meter;
    out.retries = out.offline_retries;
    out.provider_of = [this](const job::ResolvedModel& model) -> Result<std::shared_ptr<Provider>> {
      auto& provider = providers[model.name];
      if (provider != nullptr) ADD_FAILURE() << model.name << " is made twice";
      provider = std::make_shared<ScriptedProvider>();
      provider->script = {answer_of({5, 5, 0, 0})};
      return provider;
    };
    return out;
  }
  Result<std::shared_ptr<Model>> make(const std::vector<std::string>& names) {
    return ModelMaker(parts()).make(all_resolved(names));
  }
};

std::shared_ptr<ModelRequest> request() {
  auto out = shared(asking("hello"));
  out->options.max_tokens = 10;
  return out;
}

TEST_F(MakeModel, OfTheOfflineModels) {
  for (const char* name : {"offline", "offline/ngram", "offline/echo"}) {
    const auto model = make({name});
    ASSERT_TRUE(model) << error_text(model);
    EXPECT_EQ((*model)->name(), name);
    const auto answer = await((*model)->call(request()));
    ASSERT_TRUE(answer) << error_text(answer);
    EXPECT_EQ(answer->model, name);
    EXPECT_NE(answer->text, "");
  }
  EXPECT_TRUE(meter->asked.empty()) << "they cost nothing";
}

TEST_F(MakeModel, WithRetries) {
  const auto model = make({"offline/echo?fail_rate=1&fail_kind=throttled"});
  ASSERT_TRUE(model) << error_text(model);
  EXPECT_THAT(await((*model)->call(request())).error().message, ::testing::EndsWith("(tried 3 times)"));
}

TEST_F(MakeModel, WithFallbacksInTheirOrder) {
  const auto model = make({"offline/echo?fail_rate=1", "offline/echo", "offline"});
  ASSERT_TRUE(model) << error_text(model);
  const auto answer = await((*model)->call(request()));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->model, "offline/echo");
  EXPECT_EQ(answer->text, "hello");
}

TEST_F(MakeModel, OfRealModelsWithTheirMoneyAndRetries) {
  for (const char* name : {"claude-haiku", "openai/gpt-4o-mini"}) {
    const std::string full = resolved(name).name;
    const auto model = make({name});
    ASSERT_TRUE(model) << error_text(model);
    EXPECT_EQ((*model)->name(), full);
    providers[full]->script = {failure_of(ErrorKind::throttled), answer_of({5, 5, 0, 0})};
    const auto answer = await((*model)->call(request()));
    ASSERT_TRUE(answer) << error_text(answer);
    EXPECT_EQ(answer->model, full);
    EXPECT_EQ(answer->tries, 2);
    EXPECT_GT(answer->cost, Money{});
    ASSERT_EQ(meter->bills.size(), 2u);
    EXPECT_EQ(meter->bills[0].end, CallBill::End::free);
    EXPECT_EQ(meter->bills[1].cost, answer->cost);
    meter->bills.clear();
  }
}

TEST_F(MakeModel, StepsThatNameTheSameModelShareItsTurnsAndItsHealth) {
  ModelParts shared = parts();
  shared.health.failures_max = 1;
  shared.retries = {.tries_max = 1, .throttled_max = 1};
  ModelMaker maker(shared);
  const auto first = maker.make(all_resolved({"openai/gpt-4o-mini", "offline"}));
  const auto second = maker.make(all_resolved({"openai/gpt-4o-mini", "offline/echo"}));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(providers.size(), 1u);
  providers.begin()->second->script = {failure_of(ErrorKind::unavailable)};
  EXPECT_TRUE(await((*first)->call(request())));
  const auto answer = await((*second)->call(request()));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->model, "offline/echo") << "the second step knows that it is away";
  EXPECT_EQ(providers.begin()->second->asked.size(), 1u);
}

TEST_F(MakeModel, RefusesWhatCannotBeCalled) {
  for (const bool second : {false, true}) {
    const auto model =
        make(second ? std::vector<std::string>{"offline/echo", "none"} : std::vector<std::string>{"none"});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(model.error().message, "the model 'none' cannot be called");
  }
}

TEST_F(MakeModel, PassesOnWhyAModelCannotBeReachedAndCanBeAskedAgain) {
  ModelParts failing = parts();
  int asked = 0;
  failing.provider_of = [&](const job::ResolvedModel&) -> Result<std::shared_ptr<Provider>> {
    if (++asked == 1) return fail(ErrorKind::bad_input, "set AWS_REGION");
    auto provider = std::make_shared<ScriptedProvider>();
    provider->script = {answer_of({1, 1, 0, 0})};
    return provider;
  };
  ModelMaker maker(failing);
  const auto first = maker.make(all_resolved({"claude-haiku"}));
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().message, "set AWS_REGION");
  const auto second = maker.make(all_resolved({"claude-haiku"}));
  ASSERT_TRUE(second) << error_text(second);
  EXPECT_TRUE(await((*second)->call(request())));
}

TEST_F(MakeModel, OnlyTheNgramModelNeedsACorpus) {
  EXPECT_TRUE(needs_corpus(all_resolved({"offline"})));
  EXPECT_TRUE(needs_corpus(all_resolved({"offline/echo", "offline?latency_ms=3"})));
  EXPECT_FALSE(needs_corpus(all_resolved({"offline/echo?latency_ms=3"})));
  EXPECT_FALSE(needs_corpus(all_resolved({"none"})));
  EXPECT_FALSE(needs_corpus(all_resolved({"claude-haiku", "openai/gpt-4o-mini"})));
  EXPECT_FALSE(needs_corpus({}));
}

}  // namespace
}  // namespace palette::model
