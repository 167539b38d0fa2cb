#include "model/make_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"

namespace palette::model {
namespace {

using contract::await, contract::error_text;

ModelParts parts() {
  return {std::make_shared<const NgramCorpus>("one two. three four."), std::make_shared<async::StopFlag>(),
          RetryPolicy{.tries_max = 3, .base_ms = 0, .pause_ms_max = 0}};
}

ModelRequest request() {
  ModelRequest out;
  out.messages.push_back({Message::Role::user, "hello"});
  return out;
}

TEST(MakeModel, OfTheOfflineModels) {
  for (const char* name : {"offline", "offline/ngram", "offline/echo"}) {
    const auto model = make_model({name}, parts());
    ASSERT_TRUE(model) << error_text(model);
    EXPECT_EQ((*model)->name(), name);
    const auto answer = await((*model)->call(request()));
    ASSERT_TRUE(answer) << error_text(answer);
    EXPECT_EQ(answer->model, name);
    EXPECT_NE(answer->text, "");
  }
}

TEST(MakeModel, WithRetries) {
  const auto model = make_model({"offline/echo?fail_rate=1&fail_kind=throttled"}, parts());
  ASSERT_TRUE(model) << error_text(model);
  EXPECT_THAT(await((*model)->call(request())).error().message, ::testing::EndsWith("(tried 3 times)"));
}

TEST(MakeModel, WithFallbacksInTheirOrder) {
  const auto model = make_model({"offline/echo?fail_rate=1", "offline/echo", "offline"}, parts());
  ASSERT_TRUE(model) << error_text(model);
  const auto answer = await((*model)->call(request()));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->model, "offline/echo");
  EXPECT_EQ(answer->text, "hello");
}

TEST(MakeModel, RefusesWhatIsNoModel) {
  for (const char* name : {"none", "bedrock/anthropic.claude", "openai/gpt", "offlin", "", "offline?speed=1"}) {
    for (const bool second : {false, true}) {
      const auto model =
          make_model(second ? std::vector<std::string>{"offline/echo", name} : std::vector<std::string>{name}, parts());
      ASSERT_FALSE(model) << name;
      EXPECT_EQ(model.error().kind, ErrorKind::bad_input) << name;
    }
  }
}

TEST(MakeModel, OnlyTheNgramModelNeedsACorpus) {
  EXPECT_TRUE(needs_corpus({"offline"}));
  EXPECT_TRUE(needs_corpus({"offline/echo", "offline?latency_ms=3"}));
  EXPECT_FALSE(needs_corpus({"offline/echo?latency_ms=3"}));
  EXPECT_FALSE(needs_corpus({"none"}));
  EXPECT_FALSE(needs_corpus({"no such model"}));
  EXPECT_FALSE(needs_corpus({}));
}

}  // namespace
}  // namespace palette::model
