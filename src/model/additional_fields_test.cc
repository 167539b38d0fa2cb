#include "model/additional_fields.h"

#include <gtest/gtest.h>

#include "model/test_provider.h"

namespace palette::model {
namespace {

std::string complaint(std::string_view json) {
  const Status status = check_additional_fields(parse_json(json)->as_object(), bedrock_model().resolved);
  if (!status) EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  return status ? "" : status.error().message;
}

TEST(AdditionalFields, WhatAProviderHasOfItsOwnIsAllowed) {
  for (const char* json :
       {"{}", R"({"top_k":5,"thinking":{"type":"enabled","budget_tokens":1024},"anthropic_beta":["x"]})",
        R"({"inferenceConfig":{"topK":20}})", R"({"textGenerationConfig":{"topP":0.5}})",
        R"({"seed":1,"logit_bias":{},"reasoning_effort":"low","response_format":{"type":"json_object"},"tools":[]})",
        R"({"metadata":{"n":1,"model":"x"}})"}) {
    EXPECT_EQ(complaint(json), "") << json;
  }
}

TEST(AdditionalFields, WhatTheProgramOwnsIsRefused) {
  for (const char* key : {"n",           "n_cmpl",         "best_of",        "num_return_sequences",
                          "stream",      "stream_options", "max_tokens",     "max_completion_tokens",
                          "max_gen_len", "maxTokens",      "max_new_tokens", "maxTokenCount",
                          "n_predict",   "num_predict",    "model",          "models",
                          "modelId",     "messages",       "prompt",         "inputText",
                          "system",      "service_tier",   "serviceTier",    "web_search_options",
                          "plugins",     "prediction",     "modalities",     "audio"}) {
    EXPECT_TRUE(complaint(R"({"top_k":1,")" + std::string(key) + R"(":1})")
                    .starts_with("additional_fields." + std::string(key) + " is not allowed for bedrock/m: "))
        << key;
    EXPECT_TRUE(is_owned_field("", key));
  }
  for (const char* json : {R"({"inferenceConfig":{"maxTokens":1}})", R"({"inferenceConfig":{"max_new_tokens":1}})",
                           R"({"textGenerationConfig":{"maxTokenCount":1}})"}) {
    EXPECT_NE(complaint(json), "") << json;
  }
}

TEST(AdditionalFields, TheMessageSaysWhatToUseInstead) {
  EXPECT_EQ(
      complaint(R"({"inferenceConfig":{"topK":1,"maxTokens":9}})"),
      "additional_fields.inferenceConfig.maxTokens is not allowed for bedrock/m: the budget counts with the limit of "
      "an answer; set max_tokens of the step or of the job");
  EXPECT_EQ(
      complaint(R"({"service_tier":"flex"})"),
      "additional_fields.service_tier is not allowed for bedrock/m: the tier decides the price; set service_tier of "
      "the step or of the job");
  EXPECT_EQ(complaint(R"({"inferenceConfig":5})"),
            "additional_fields.inferenceConfig is an integer; an object is expected");
}

}  // namespace
}  // namespace palette::model
