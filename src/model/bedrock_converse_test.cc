#include "model/bedrock_converse.h"

#include <gtest/gtest.h>

#include "model/bedrock_metadata.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

// --- Bodies

TEST(ConverseBody, HasTheMessagesAndNothingThatWasNotSet) {
  EXPECT_EQ(converse_body(asking("Hi"), bedrock_model().resolved),
            R"({"messages":[{"role":"user","content":[{"text":"Hi"}]}]})");
}

TEST(ConverseBody, HasEverythingThatWasSet) {
  ModelRequest request = asking("Say \"hé\"\n", "Be brief.");
  request.messages.push_back({Message::Role::assistant, "Well,"});
  request.options.max_tokens = 512;
  request.options.temperature = 0;
  request.options.top_p = 0.9;
  request.options.stop = {"END", "\n\n"};
  request.options.service_tier = "flex";
  request.options.additional_fields = parse_json(R"({"inferenceConfig":{"topK":20}})")->as_object();
  request.identity = {"job-1", "question", RecordIndex{12}};
  EXPECT_EQ(converse_body(request, bedrock_model().resolved),
            R"({"system":[{"text":"Be brief."}],)"
            R"("messages":[{"role":"user","content":[{"text":"Say \"hé\"\n"}]},)"
            R"({"role":"assistant","content":[{"text":"Well,"}]}],)"
            R"("inferenceConfig":{"maxTokens":512,"temperature":0.0,"topP":0.9,"stopSequences":["END","\n\n"]},)"
            R"("additionalModelRequestFields":{"inferenceConfig":{"topK":20}},)"
            R"("requestMetadata":{"job":"job-1","record":"12","step":"question"},)"
            R"("serviceTier":{"type":"flex"}})");
}

TEST(ConverseBody, EachOptionStandsAlone) {
  const auto body_with = [](auto change) {
    ModelRequest request = asking("p");
    change(request.options);
    const std::string body = converse_body(request, bedrock_model().resolved);
    return body.substr(std::string_view(R"({"messages":[{"role":"user","content":[{"text":"p"}]}])").size());
  };
  EXPECT_EQ(body_with([](auto& o) { o.max_tokens = 1; }), R"(,"inferenceConfig":{"maxTokens":1}})");
  EXPECT_EQ(body_with([](auto& o) { o.temperature = 0.5; }), R"(,"inferenceConfig":{"temperature":0.5}})");
  EXPECT_EQ(body_with([](auto& o) { o.top_p = 1; }), R"(,"inferenceConfig":{"topP":1.0}})");
  EXPECT_EQ(body_with([](auto& o) { o.stop = {"x"}; }), R"(,"inferenceConfig":{"stopSequences":["x"]}})");
  EXPECT_EQ(body_with([](auto& o) { o.service_tier = "default"; }), "}") << "the default tier needs no word";
  EXPECT_EQ(body_with([](auto& o) { o.additional_fields = JsonObject(); }), "}");
}

TEST(ConverseBody, TheSystemTextIsMarkedForTheCacheWhereTheModelHasOne) {
  TestModel model = bedrock_model();
  ModelRequest request = asking("p", "s");
  request.cache_system = true;
  EXPECT_EQ(converse_body(request, model.resolved).find("cachePoint"), std::string::npos);
  model.can().cache = true;
  EXPECT_TRUE(converse_body(request, model.resolved)
                  .starts_with(R"({"system":[{"text":"s"},{"cachePoint":{"type":"default"}}],"messages")"));
  request.cache_system = false;
  EXPECT_EQ(converse_body(request, model.resolved).find("cachePoint"), std::string::npos);
}

TEST(ConverseBody, WithoutAPlaceForItTheSystemTextStandsBeforeThePrompt) {
  TestModel model = bedrock_model();
  model.can().system = false;
  EXPECT_EQ(converse_body(asking("p", "Be brief."), model.resolved),
            R"({"messages":[{"role":"user","content":[{"text":"Be brief.\n\np"}]}]})");
}

TEST(ConverseBody, AModelThatTheCatalogueDoesNotKnowIsAskedLikewise) {
  TestModel model = bedrock_model();
  model.resolved.info = nullptr;
  EXPECT_EQ(converse_body(asking("p", "s"), model.resolved),
            R"({"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"p"}]}]})");
}

TEST(BedrockMetadata, ValuesAreMadeOfWhatBedrockTakes) {
  EXPECT_EQ(metadata_value("job-1_a:b@c$d#e=f/g+h,i.j k"), "job-1_a:b@c$d#e=f/g+h,i.j k");
  EXPECT_EQ(metadata_value("schön\n\"x\"{}"), "sch_n__x___");
  EXPECT_EQ(metadata_value(std::string(300, 'x')), std::string(256, 'x'));
  EXPECT_EQ(metadata_value(""), "");
}

// --- Answers

std::string answer(std::string_view content, std::string_view reason,
                   std::string_view usage = R"({"inputTokens":11,"outputTokens":22,"totalTokens":33})") {
  return R"({"output":{"message":{"role":"assistant","content":)" + std::string(content) + R"(}},"stopReason":")" +
         std::string(reason) + R"(","usage":)" + std::string(usage) +
         R"(,"metrics":{"latencyMs":812},"serviceTier":{"type":"default"},"trace":{}})";
}

std::string parsed(std::string_view body) { return in_words(parse_converse(body, bedrock_model().resolved)); }

TEST(ConverseAnswer, ContentBecomesText) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([{"text":"Hello."}])", "Hello."},
      {R"([{"text":"a"},{"text":"b"}])", "ab"},
      {R"([{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"text":"so"}])", "so"},
      {R"([{"somethingNew":{"text":"x"}},{"text":"known"},7,null])", "known"},
      {R"([{"text":"first"},{"toolUse":{"toolUseId":"t","name":"emit","input":{"a":1}}}])", "first"},
      {R"([{"toolUse":{"toolUseId":"t","name":"emit","input":{"a":[1.5,"x"],"b":null}}}])",
       R"({"a":[1.5,"x"],"b":null})"},
      {R"([{"toolUse":{"input":{"a":1}}},{"toolUse":{"input":{"a":2}}}])", "{\"a\":1}\n{\"a\":2}"},
      {R"([{"text":"\u00e9 \ud83d\ude00"}])", "é 😀"},
  };
  for (const auto& [content, text] : cases) {
    EXPECT_EQ(parsed(answer(content, "end_turn")),
              "complete '" + std::string(text) + "' (11 in, 22 out, 0 read, 0 written)");
  }
}

TEST(ConverseAnswer, NumbersOfAToolKeepAllTheirDigits) {
  EXPECT_EQ(
      parse_converse(answer(R"([{"toolUse":{"input":{"x":0.30000000000000004,"n":9007199254740993}}}])", "tool_use"),
                     bedrock_model().resolved)
          ->text,
      R"({"x":0.30000000000000004,"n":9007199254740993})");
}

TEST(ConverseAnswer, EveryStopReasonIsToldApart) {
  const std::pair<const char*, const char*> cases[] = {
      {"end_turn", "complete"},
      {"stop_sequence", "complete"},
      {"tool_use", "complete"},
      {"max_tokens", "truncated"},
      {"model_context_window_exceeded", "truncated"},
      {"guardrail_intervened", "refused"},
      {"content_filtered", "refused"},
  };
  for (const auto& [reason, stop] : cases) {
    EXPECT_EQ(parsed(answer(R"([{"text":"t"}])", reason)),
              std::string(stop) + " 't' (11 in, 22 out, 0 read, 0 written)");
  }
}

TEST(ConverseAnswer, AStopReasonThatIsNoEndIsAFailureThatWasPaidFor) {
  for (const std::string reason : {"malformed_model_output", "malformed_tool_use", "paused_for_tea"}) {
    EXPECT_EQ(parsed(answer(R"([{"text":"half"}])", reason)),
              "refused: bedrock/m: the answer ended with the stop reason '" + reason +
                  "', which is not that of a whole answer; it was not used (billed 11 in, 22 out, 0 read, 0 written)");
  }
}

TEST(ConverseAnswer, AnEmptyOneIsWorthAnotherTry) {
  const char* expected =
      "unavailable: bedrock/m: the answer was empty (stop reason 'end_turn') (billed 11 in, 22 out, 0 read, 0 written)";
  EXPECT_EQ(parsed(answer("[]", "end_turn")), expected);
  EXPECT_EQ(parsed(answer(R"([{"text":""}])", "end_turn")), expected);
  EXPECT_EQ(parsed(answer(R"([{"reasoningContent":{}}])", "end_turn")), expected);
  EXPECT_EQ(parsed(answer("[]", "max_tokens")), "truncated '' (11 in, 22 out, 0 read, 0 written)")
      << "another try would end alike";
  EXPECT_EQ(parsed(answer("[]", "content_filtered")), "refused '' (11 in, 22 out, 0 read, 0 written)");
}

TEST(ConverseAnswer, UsageIsToldByKind) {
  const std::string text = R"([{"text":"t"}])";
  const std::pair<const char*, const char*> cases[] = {
      {R"({"inputTokens":5,"outputTokens":6,"cacheReadInputTokens":7,"cacheWriteInputTokens":8,"cacheDetails":[]})",
       "5 in, 6 out, 7 read, 8 written"},
      {R"({"inputTokens":5,"outputTokens":6,"cacheReadInputTokens":null})", "5 in, 6 out, 0 read, 0 written"},
      {R"({"inputTokens":5,"outputTokens":6,"cacheReadInputTokenCount":7,"cacheWriteInputTokenCount":8})",
       "5 in, 6 out, 7 read, 8 written"},
      {R"({"inputTokens":5.0,"outputTokens":6})", "5 in, 6 out, 0 read, 0 written"},
      {R"({"inputTokens":5})", "usage unknown"},
      {R"({"inputTokens":-5,"outputTokens":6})", "usage unknown"},
      {R"({"inputTokens":"5","outputTokens":6})", "usage unknown"},
      {R"({"inputTokens":5.5,"outputTokens":6})", "usage unknown"},
      {R"({"inputTokens":18446744073709551615,"outputTokens":6})", "usage unknown"},
      {R"({"inputTokens":5,"outputTokens":6,"cacheReadInputTokens":-1})", "usage unknown"},
      {R"({"inputTokens":0,"outputTokens":0})", "usage unknown"},
      {"null", "usage unknown"},
      {"[]", "usage unknown"},
  };
  for (const auto& [usage, words] : cases) {
    EXPECT_EQ(parsed(answer(text, "end_turn", usage)), "complete 't' (" + std::string(words) + ")") << usage;
  }
}

TEST(ConverseAnswer, CachedTokensAreTakenOffWhereTheModelCountsThemTwice) {
  TestModel model = bedrock_model();
  model.can().usage_includes_cache = true;
  const std::string usage =
      R"({"inputTokens":100,"outputTokens":6,"cacheReadInputTokens":70,"cacheWriteInputTokens":10})";
  EXPECT_EQ(in_words(parse_converse(answer(R"([{"text":"t"}])", "end_turn", usage), model.resolved)),
            "complete 't' (20 in, 6 out, 70 read, 10 written)");
}

TEST(ConverseAnswer, WhatIsNoAnswerIsUnavailable) {
  const std::string half = answer(R"([{"text":"t"}])", "end_turn").substr(0, 60);
  EXPECT_EQ(parsed(half),
            "unavailable: bedrock/m: the answer is not a JSON object; it begins: " + half + " (billed unknown)");
  EXPECT_EQ(parsed(""), "unavailable: bedrock/m: the answer is not a JSON object; its body is empty (billed unknown)");
  EXPECT_EQ(parsed("<html>\nbusy</html>"),
            "unavailable: bedrock/m: the answer is not a JSON object; it begins: <html> busy</html> (billed unknown)");
  EXPECT_EQ(parsed("[]"), "unavailable: bedrock/m: the answer is not a JSON object; it begins: [] (billed unknown)");
  EXPECT_EQ(parsed("\xff\xfe"),
            "unavailable: bedrock/m: the answer is not a JSON object; it begins: ?? (billed unknown)");
  EXPECT_EQ(parsed(R"({"usage":{"inputTokens":3,"outputTokens":4}})"),
            R"(unavailable: bedrock/m: the answer has no output.message.content; it begins: {"usage":{"inputTokens":3,)"
            R"("outputTokens":4}} (billed 3 in, 4 out, 0 read, 0 written))");
  EXPECT_EQ(parsed(R"({"output":{"message":{"content":"text"}},"stopReason":"end_turn"})"),
            R"(unavailable: bedrock/m: the answer has no output.message.content; it begins: )"
            R"({"output":{"message":{"content":"text"}},"stopReason":"end_turn"} (billed unknown))");
  EXPECT_EQ(parsed(R"({"output":{"message":{"content":[{"text":"t"}]}}})"),
            R"(unavailable: bedrock/m: the answer has no stopReason; it begins: )"
            R"({"output":{"message":{"content":[{"text":"t"}]}}} (billed unknown))");
}

TEST(ConverseAnswer, SaysWhichModelAnswered) {
  EXPECT_EQ(parse_converse(answer(R"([{"text":"t"}])", "end_turn"), bedrock_model().resolved)->model, "bedrock/m");
}

}  // namespace
}  // namespace palette::model
