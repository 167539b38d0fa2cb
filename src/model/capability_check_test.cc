#include "model/capability_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/test_provider.h"

namespace palette::model {
namespace {

using ::testing::ElementsAre, ::testing::IsEmpty;

job::CallOptions everything() {
  job::CallOptions out;
  out.max_tokens = 1'000;
  out.temperature = 0.5;
  out.top_p = 0.5;
  out.stop = {"x"};
  out.cache = true;
  out.service_tier = "flex";
  return out;
}

TEST(CapabilityCheck, AModelThatTakesAllHasNoComplaint) {
  TestModel model = bedrock_model();
  model.can().cache = true;
  model.can().service_tiers = {"flex"};
  model.info->output_tokens_max = 1'000;
  EXPECT_THAT(unsupported_options(everything(), true, model.resolved), IsEmpty());
}

TEST(CapabilityCheck, EveryRefusalIsTold) {
  TestModel model = bedrock_model();
  model.can().temperature = model.can().top_p = model.can().stop = false;
  model.can().service_tiers = {"priority", "reserved"};
  model.info->output_tokens_max = 999;
  EXPECT_THAT(
      unsupported_options(everything(), true, model.resolved),
      ElementsAre("temperature: bedrock/m refuses it; leave it out", "top_p: bedrock/m refuses it; leave it out",
                  "stop: bedrock/m takes no stop sequences; leave it out",
                  "max_tokens: found 1000; an answer of bedrock/m has at most 999 tokens",
                  "service_tier: bedrock/m is not offered as 'flex'; it has default, priority and reserved",
                  "cache: bedrock/m has no prompt caching; leave it out"));
}

TEST(CapabilityCheck, OneOfTemperatureAndTopP) {
  TestModel model = bedrock_model();
  model.can().temperature_with_top_p = false;
  job::CallOptions options;
  options.temperature = 0.5;
  EXPECT_THAT(unsupported_options(options, false, model.resolved), IsEmpty());
  options.top_p = 0.5;
  EXPECT_THAT(unsupported_options(options, false, model.resolved),
              ElementsAre("top_p: bedrock/m takes temperature or top_p, not both in one request; leave one out"));
  model.can().temperature = false;
  EXPECT_THAT(unsupported_options(options, false, model.resolved),
              ElementsAre("temperature: bedrock/m refuses it; leave it out"))
      << "one complaint about one mistake";
}

TEST(CapabilityCheck, LlamasInvokeBodyHasNoStop) {
  job::CallOptions options;
  options.stop = {"x"};
  EXPECT_THAT(unsupported_options(options, false, bedrock_model(job::ModelFamily::llama).resolved), IsEmpty());
  EXPECT_THAT(unsupported_options(options, false, invoked_model(job::ModelFamily::llama).resolved),
              ElementsAre("stop: bedrock/m takes no stop sequences; leave it out"));
}

TEST(CapabilityCheck, ASystemTextIsNeverAComplaint) {
  TestModel model = invoked_model(job::ModelFamily::titan);
  model.can().system = false;
  EXPECT_THAT(unsupported_options({}, true, model.resolved), IsEmpty());
}

TEST(CapabilityCheck, NothingToCacheIsNoComplaint) {
  job::CallOptions options;
  options.cache = true;
  EXPECT_THAT(unsupported_options(options, false, bedrock_model().resolved), IsEmpty());
  EXPECT_THAT(unsupported_options(options, true, openai_model().resolved), IsEmpty());
  options.cache = false;
  EXPECT_THAT(unsupported_options(options, true, bedrock_model().resolved), IsEmpty());
}

TEST(CapabilityCheck, AFamilyWithoutCachePointsHasNoCacheByInvokeModel) {
  job::CallOptions options;
  options.cache = true;
  for (const auto& [family, complaints] :
       {std::pair{job::ModelFamily::anthropic, 0u}, {job::ModelFamily::nova, 0u}, {job::ModelFamily::llama, 1u}}) {
    TestModel model = invoked_model(family);
    model.can().cache = true;
    EXPECT_EQ(unsupported_options(options, true, model.resolved).size(), complaints);
    EXPECT_EQ(offers_cache(model.resolved), complaints == 0);
  }
}

TEST(CapabilityCheck, OfWhatTheCatalogueDoesNotKnowNothingIsSaid) {
  TestModel model = bedrock_model();
  model.resolved.info = nullptr;
  EXPECT_THAT(unsupported_options(everything(), true, model.resolved), IsEmpty());
  EXPECT_TRUE(uses_converse(model.resolved));
  EXPECT_FALSE(offers_cache(model.resolved));
  auto endpoint = std::make_shared<job::Endpoint>();
  endpoint->output_tokens_max = 500;
  model.resolved.endpoint = endpoint;
  EXPECT_THAT(unsupported_options(everything(), true, model.resolved),
              ElementsAre("max_tokens: found 1000; an answer of bedrock/m has at most 500 tokens"));
}

TEST(CapabilityCheck, OfflineModelsTakeAll) {
  TestModel model = bedrock_model();
  model.resolved.parsed.provider = job::Provider::offline;
  model.can().temperature = false;
  EXPECT_THAT(unsupported_options(everything(), true, model.resolved), IsEmpty());
}

TEST(CapabilityCheck, WhatHasNoBodyForInvokeModelIsConversedWith) {
  EXPECT_TRUE(uses_converse(bedrock_model(job::ModelFamily::anthropic).resolved));
  EXPECT_FALSE(uses_converse(invoked_model(job::ModelFamily::anthropic).resolved));
  EXPECT_TRUE(uses_converse(invoked_model(job::ModelFamily::other).resolved));
}

}  // namespace
}  // namespace palette::model
