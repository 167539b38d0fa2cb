#include "model/openai_chat.h"

#include <gtest/gtest.h>

#include "model/test_provider.h"

namespace palette::model {
namespace {

// --- Bodies

TEST(ChatBody, HasTheMessagesAndNothingThatWasNotSet) {
  EXPECT_EQ(chat_body(asking("Hi"), openai_model().resolved),
            R"({"model":"gpt","messages":[{"role":"user","content":"Hi"}]})");
}

TEST(ChatBody, HasEverythingThatWasSet) {
  ModelRequest request = asking("Say \"hé\"\n", "Be brief.");
  request.messages.push_back({Message::Role::assistant, "Well,"});
  request.options.max_tokens = 512;
  request.options.temperature = 0.5;
  request.options.top_p = 1;
  request.options.stop = {"END"};
  request.options.service_tier = "flex";
  request.options.additional_fields = parse_json(R"({"seed":7})")->as_object();
  EXPECT_EQ(chat_body(request, openai_model().resolved),
            R"({"model":"gpt","messages":[{"role":"system","content":"Be brief."},)"
            R"({"role":"user","content":"Say \"hé\"\n"},{"role":"assistant","content":"Well,"}],)"
            R"("max_tokens":512,"temperature":0.5,"top_p":1.0,"stop":["END"],"service_tier":"flex","seed":7})");
}

TEST(ChatBody, TheLimitHasTheNameThatTheModelKnows) {
  TestModel model = openai_model();
  model.can().max_completion_tokens = true;
  ModelRequest request = asking("p");
  request.options.max_tokens = 5;
  EXPECT_TRUE(chat_body(request, model.resolved).ends_with(R"("max_completion_tokens":5})"));
}

TEST(ChatBody, AdditionalFieldsWinButForThoseThatWeOwn) {
  ModelRequest request = asking("p");
  request.options.max_tokens = 5;
  request.options.temperature = 0.5;
  request.options.additional_fields =
      parse_json(R"({"temperature":1,"n":8,"model":"dearer","stream":true,"max_completion_tokens":9,"logit_bias":{}})")
          ->as_object();
  EXPECT_EQ(
      chat_body(request, openai_model().resolved),
      R"({"model":"gpt","messages":[{"role":"user","content":"p"}],"max_tokens":5,"temperature":1,"logit_bias":{}})");
}

TEST(ChatBody, TheDefaultTierNeedsNoWord) {
  ModelRequest request = asking("p");
  request.options.service_tier = "default";
  EXPECT_EQ(chat_body(request, openai_model().resolved).find("service_tier"), std::string::npos);
}

TEST(ChatBody, WithoutAPlaceForItTheSystemTextStandsBeforeThePrompt) {
  TestModel model = openai_model();
  model.can().system = false;
  EXPECT_EQ(chat_body(asking("p", "Be brief."), model.resolved),
            R"({"model":"gpt","messages":[{"role":"user","content":"Be brief.\n\np"}]})");
}

// --- Answers

std::string answer(std::string_view message, std::string_view finish,
                   std::string_view usage = R"({"prompt_tokens":11,"completion_tokens":22,"total_tokens":33})") {
  return R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-1","choices":[{"index":0,"message":)" +
         std::string(message) + R"(,"logprobs":null,"finish_reason":)" + std::string(finish) + R"(}],"usage":)" +
         std::string(usage) + R"(,"system_fingerprint":null})";
}

std::string parsed(std::string_view body) {
  const TestModel model = openai_model();
  return in_words(parse_chat(body, {&model.resolved, "models.example"}));
}

TEST(ChatAnswer, ContentBecomesText) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"role":"assistant","content":"Hello.","refusal":null,"annotations":[]})", "Hello."},
      {R"({"content":[{"type":"text","text":"a"},{"type":"image_url"},{"type":"text","text":"b"},3]})", "ab"},
      {R"({"content":"so","reasoning_content":"hm","reasoning":"hm"})", "so"},
      {R"({"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]})",
       R"({"a":1})"},
      {R"({"content":null,"function_call":{"name":"f","arguments":"{}"}})", "{}"},
      {R"({"content":"","tool_calls":[{"function":{"arguments":"1"}},{"function":{"arguments":"2"}},null]})", "1\n2"},
      {R"({"content":"text","tool_calls":[{"function":{"arguments":"1"}}]})", "text"},
  };
  for (const auto& [message, text] : cases) {
    EXPECT_EQ(parsed(answer(message, R"("stop")")),
              "complete '" + std::string(text) + "' (11 in, 22 out, 0 read, 0 written)");
  }
}

TEST(ChatAnswer, EveryFinishReasonIsToldApart) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("stop")", "complete"},
      {R"("tool_calls")", "complete"},
      {R"("function_call")", "complete"},
      {R"("eos")", "complete"},
      {"null", "complete"},
      {R"("")", "complete"},
      {R"("length")", "truncated"},
      {R"("max_tokens")", "truncated"},
      {R"("content_filter")", "refused"},
  };
  for (const auto& [finish, stop] : cases) {
    EXPECT_EQ(parsed(answer(R"({"content":"t"})", finish)),
              std::string(stop) + " 't' (11 in, 22 out, 0 read, 0 written)");
  }
  EXPECT_EQ(
      parsed(answer(R"({"content":"t"})", R"("abort")")),
      "refused: openai/gpt: the answer ended with the stop reason 'abort', which is not that of a whole answer; it "
      "was not used (billed 11 in, 22 out, 0 read, 0 written)");
}

TEST(ChatAnswer, ARefusalIsOneWhateverTheFinishReason) {
  EXPECT_EQ(parsed(answer(R"({"content":null,"refusal":"I cannot."})", R"("stop")")),
            "refused 'I cannot.' (11 in, 22 out, 0 read, 0 written)");
  EXPECT_EQ(parsed(answer(R"({"content":null})", R"("content_filter")")),
            "refused '' (11 in, 22 out, 0 read, 0 written)");
}

TEST(ChatAnswer, AnEmptyOneIsWorthAnotherTry) {
  EXPECT_EQ(
      parsed(answer(R"({"content":""})", R"("stop")")),
      "unavailable: openai/gpt: the answer was empty (stop reason 'stop') (billed 11 in, 22 out, 0 read, 0 written)");
  EXPECT_EQ(parsed(answer(R"({"content":null})", "null")),
            "unavailable: openai/gpt: the answer was empty (billed 11 in, 22 out, 0 read, 0 written)");
  EXPECT_EQ(parsed(answer("{}", R"("stop")", "null")),
            "unavailable: openai/gpt: the answer was empty (stop reason 'stop') (billed unknown)");
  EXPECT_EQ(parsed(answer(R"({"content":null})", R"("length")")), "truncated '' (11 in, 22 out, 0 read, 0 written)")
      << "the reasoning took all of it";
}

TEST(ChatAnswer, UsageIsToldByKind) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"prompt_tokens":10,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":7}})",
       "3 in, 6 out, 7 read, 0 written"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"prompt_tokens_details":null})", "10 in, 6 out, 0 read, 0 written"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":null}})",
       "10 in, 6 out, 0 read, 0 written"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"completion_tokens_details":{"reasoning_tokens":4}})",
       "10 in, 6 out, 0 read, 0 written"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":11}})", "usage unknown"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":"7"}})", "usage unknown"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"total_tokens":20})", "10 in, 10 out, 0 read, 0 written"},
      {R"({"prompt_tokens":10,"completion_tokens":6,"total_tokens":1})", "10 in, 6 out, 0 read, 0 written"},
      {R"({"total_tokens":10})", "usage unknown"},
      {R"({"prompt_tokens":0,"completion_tokens":0})", "usage unknown"},
      {"null", "usage unknown"},
  };
  for (const auto& [usage, words] : cases) {
    EXPECT_EQ(parsed(answer(R"({"content":"t"})", R"("stop")", usage)), "complete 't' (" + std::string(words) + ")");
  }
  EXPECT_EQ(parsed(R"({"choices":[{"message":{"content":"t"}}]})"), "complete 't' (usage unknown)");
}

TEST(ChatAnswer, WhatIsNoAnswerIsUnavailable) {
  EXPECT_EQ(
      parsed(R"({"choices":[{"mess)"),
      R"(unavailable: openai/gpt: the answer is not a JSON object; it begins: {"choices":[{"mess (billed unknown))");
  EXPECT_EQ(parsed(""), "unavailable: openai/gpt: the answer is not a JSON object; its body is empty (billed unknown)");
  EXPECT_EQ(
      parsed(R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})"),
      R"(unavailable: openai/gpt: the answer has no choices[0].message; it begins: )"
      R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}} (billed 1 in, 2 out, 0 read, 0 written))");
  EXPECT_EQ(parsed(R"({"choices":[{"text":"t"}]})"),
            R"(unavailable: openai/gpt: the answer has no choices[0].message; it begins: {"choices":[{"text":"t"}]} )"
            R"((billed unknown))");
}

TEST(ChatAnswer, AnErrorInsideIsAFailure) {
  const std::string words = parsed(R"({"error":{"message":"Slow down","type":"rate_limit_error","code":null}})");
  EXPECT_EQ(
      words,
      "throttled: openai/gpt at models.example: an error came instead of an answer (rate_limit_error): Slow down; "
      "lower concurrency, requests_per_minute or tokens_per_minute if this goes on (billed unknown)");
  EXPECT_EQ(parsed(R"({"error":null,"choices":[{"message":{"content":"t"}}]})"), "complete 't' (usage unknown)");
}

}  // namespace
}  // namespace palette::model
