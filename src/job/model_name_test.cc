#include "job/model_name.h"

#include <gtest/gtest.h>

namespace palette::job {
namespace {

TEST(ModelName, ReadsTheOfflineModels) {
  EXPECT_EQ(parse_model_name("offline")->provider, Provider::offline);
  EXPECT_EQ(parse_model_name("offline")->variant, "");
  EXPECT_EQ(parse_model_name("offline/ngram")->variant, "");
  EXPECT_EQ(parse_model_name("offline/echo")->variant, "echo");
  EXPECT_EQ(parse_model_name("none")->provider, Provider::none);
}

TEST(ModelName, ReadsWhatIsToGoWrongOnPurpose) {
  const Result<ModelName> name = parse_model_name("offline/echo?latency_ms=20&fail_rate=0.1&fail_kind=throttled");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->variant, "echo");
  EXPECT_EQ(name->latency_ms, 20);
  EXPECT_EQ(name->fail_rate, 0.1);
  EXPECT_EQ(name->fail_kind, ErrorKind::throttled);
  EXPECT_EQ(parse_model_name("offline?fail_rate=1")->fail_kind, ErrorKind::unavailable);
}

TEST(ModelName, KeepsAProvidersOwnIdAsItIs) {
  const Result<ModelName> bedrock = parse_model_name("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0");
  ASSERT_TRUE(bedrock);
  EXPECT_EQ(bedrock->provider, Provider::bedrock);
  EXPECT_EQ(bedrock->variant, "us.anthropic.claude-haiku-4-5-20251001-v1:0");
  const Result<ModelName> openai = parse_model_name("openai/meta-llama/Llama-3.1-8B-Instruct");
  ASSERT_TRUE(openai);
  EXPECT_EQ(openai->provider, Provider::openai);
  EXPECT_EQ(openai->variant, "meta-llama/Llama-3.1-8B-Instruct");
}

TEST(ModelName, RefusesIdsThatNoProviderHas) {
  const std::string too_long = "bedrock/" + std::string(2049, 'a');
  for (const std::string& text : {std::string("bedrock/"), std::string("openai/"), std::string("bedrock/a b"),
                                  std::string("bedrock/a?latency_ms=5"), std::string("openai/a\tb"), too_long}) {
    const Result<ModelName> name = parse_model_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().kind, ErrorKind::bad_input) << text;
  }
}

TEST(ModelName, SaysWhatIsWrongAndWhatIsKnown) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"ofline", "the model 'ofline' is not known; did you mean offline?"},
      {"offline/ehco", "the model 'offline/ehco' is not known; did you mean offline/echo?"},
      {"gpt",
       "the model 'gpt' is not known; known are offline, offline/echo and none (or try the job with --model offline)"},
      {"", "the model '' is not known; known are offline, offline/echo and none (or try the job with --model offline)"},
      {"offline?latency=5",
       "the model's parameter 'latency' is not known; known are latency_ms, fail_rate and fail_kind"},
      {"offline?latencyms=5", "the model's parameter 'latencyms' is not known; did you mean latency_ms?"},
      {"offline?latency_ms=-1", "the model's parameter latency_ms is '-1'; allowed is an integer of 0 to 600000"},
      {"offline?latency_ms=1s", "the model's parameter latency_ms is '1s'; allowed is an integer of 0 to 600000"},
      {"offline?latency_ms", "the model's parameter latency_ms is ''; allowed is an integer of 0 to 600000"},
      {"offline?fail_rate=1.5", "the model's parameter fail_rate is '1.5'; allowed is a number of 0 to 1"},
      {"offline?fail_rate=nan", "the model's parameter fail_rate is 'nan'; allowed is a number of 0 to 1"},
      {"offline?fail_kind=io",
       "the model's parameter fail_kind is 'io'; allowed is throttled, unavailable, timeout, refused, truncated, "
       "bad_input "
       "or denied"},
      {"none?latency_ms=5", "the model 'none' takes no parameters"},
  };
  for (const auto& c : cases) {
    const Result<ModelName> name = parse_model_name(c.text);
    ASSERT_FALSE(name) << c.text;
    EXPECT_EQ(name.error().message, c.message) << c.text;
    EXPECT_EQ(name.error().kind, ErrorKind::bad_input) << c.text;
  }
}

}  // namespace
}  // namespace palette::job
