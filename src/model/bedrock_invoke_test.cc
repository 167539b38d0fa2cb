#include "model/bedrock_invoke.h"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "model/test_provider.h"

namespace palette::model {
namespace {

using Family = job::ModelFamily;

ModelRequest with_everything() {
  ModelRequest out = asking("p", "s");
  out.options.max_tokens = 9;
  out.options.temperature = 0.5;
  out.options.top_p = 0.75;
  out.options.stop = {"x"};
  return out;
}

std::string body_of(const ModelRequest& request, Family family) {
  return invoke_body(request, invoked_model(family).resolved);
}

// --- Bodies

TEST(InvokeBody, EveryFamilyHasItsOwn) {
  const std::pair<Family, const char*> cases[] = {
      {Family::anthropic, R"({"anthropic_version":"bedrock-2023-05-31","system":"s",)"
                          R"("messages":[{"role":"user","content":[{"type":"text","text":"p"}]}],)"
                          R"("max_tokens":9,"temperature":0.5,"top_p":0.75,"stop_sequences":["x"]})"},
      {Family::llama,
       R"({"prompt":"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|>)"
       R"(<|start_header_id|>user<|end_header_id|>\n\np<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",)"
       R"("max_gen_len":9,"temperature":0.5,"top_p":0.75})"},
      {Family::mistral_text,
       R"({"prompt":"<s>[INST] s\n\np [/INST]","max_tokens":9,"temperature":0.5,"top_p":0.75,"stop":["x"]})"},
      {Family::mistral_chat, R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}],)"
                             R"("max_tokens":9,"temperature":0.5,"top_p":0.75,"stop":["x"]})"},
      {Family::nova, R"({"schemaVersion":"messages-v1","system":[{"text":"s"}],)"
                     R"("messages":[{"role":"user","content":[{"text":"p"}]}],)"
                     R"("inferenceConfig":{"maxTokens":9,"temperature":0.5,"topP":0.75,"stopSequences":["x"]}})"},
      {Family::titan,
       R"({"inputText":"s\n\nUser: p\nBot:",)"
       R"("textGenerationConfig":{"maxTokenCount":9,"temperature":0.5,"topP":0.75,"stopSequences":["x"]}})"},
      {Family::openai, R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}],)"
                       R"("max_completion_tokens":9,"temperature":0.5,"top_p":0.75,"stop":["x"]})"},
  };
  for (const auto& [family, body] : cases) EXPECT_EQ(body_of(with_everything(), family), body);
}

TEST(InvokeBody, HasNothingThatWasNotSet) {
  const std::pair<Family, const char*> cases[] = {
      {Family::anthropic,
       R"({"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":[{"type":"text","text":"p"}]}],)"
       R"("max_tokens":4096})"},
      {Family::mistral_text, R"({"prompt":"<s>[INST] p [/INST]"})"},
      {Family::mistral_chat, R"({"messages":[{"role":"user","content":"p"}]})"},
      {Family::nova,
       R"({"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"p"}]}],"inferenceConfig":{}})"},
      {Family::titan, R"({"inputText":"User: p\nBot:","textGenerationConfig":{}})"},
  };
  for (const auto& [family, body] : cases) EXPECT_EQ(body_of(asking("p"), family), body);
}

TEST(InvokeBody, AnthropicsLimitIsTheModelsWhenNoneIsSet) {
  TestModel model = invoked_model(Family::anthropic);
  model.info->output_tokens_max = 8192;
  EXPECT_TRUE(invoke_body(asking("p"), model.resolved).ends_with(R"("max_tokens":8192})"));
}

TEST(InvokeBody, TheSystemTextIsMarkedForTheCacheWhereTheModelHasOne) {
  ModelRequest request = asking("p", "s");
  request.cache_system = true;
  TestModel claude = invoked_model(Family::anthropic), nova = invoked_model(Family::nova);
  claude.can().cache = nova.can().cache = true;
  EXPECT_NE(invoke_body(request, claude.resolved)
                .find(R"("system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],)"),
            std::string::npos);
  EXPECT_NE(invoke_body(request, nova.resolved).find(R"("system":[{"text":"s"},{"cachePoint":{"type":"default"}}],)"),
            std::string::npos);
  EXPECT_EQ(body_of(request, Family::anthropic).find("cache"), std::string::npos);
}

TEST(InvokeBody, AdditionalFieldsWinButForThoseThatWeOwn) {
  ModelRequest request = with_everything();
  request.options.additional_fields =
      parse_json(R"({"top_k":5,"temperature":0.1,"max_tokens":100000,"messages":[],"anthropic_version":"v2"})")
          ->as_object();
  EXPECT_EQ(
      body_of(request, Family::anthropic),
      R"({"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"p"}]}],)"
      R"("max_tokens":9,"top_p":0.75,"stop_sequences":["x"],"top_k":5,"temperature":0.1,"anthropic_version":"v2"})");
}

TEST(InvokeBody, NestedAdditionalFieldsAreMergedIntoOurs) {
  ModelRequest request = with_everything();
  request.options.additional_fields =
      parse_json(R"({"inferenceConfig":{"topK":20,"topP":0.1,"maxTokens":100000},"toolConfig":{"tools":[]}})")
          ->as_object();
  EXPECT_EQ(
      body_of(request, Family::nova),
      R"({"schemaVersion":"messages-v1","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"p"}]}],)"
      R"("inferenceConfig":{"maxTokens":9,"temperature":0.5,"stopSequences":["x"],"topK":20,"topP":0.1},)"
      R"("toolConfig":{"tools":[]}})");
}

// --- Answers

struct AnswerCase {
  Family family;
  const char* body;
  const char* words;
};

void expect_all(std::span<const AnswerCase> cases, const TokenHeaders& headers = {}) {
  for (const AnswerCase& one : cases) {
    EXPECT_EQ(in_words(parse_invoke(one.body, headers, invoked_model(one.family).resolved)), one.words) << one.body;
  }
}

TEST(InvokeAnswer, EveryFamilyHasItsOwn) {
  const AnswerCase cases[] = {
      {Family::anthropic,
       R"({"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"hm"},)"
       R"({"type":"text","text":"a"},{"type":"text","text":"b"}],"stop_reason":"end_turn","stop_sequence":null,)"
       R"("usage":{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":3,"cache_read_input_tokens":4}})",
       "complete 'ab' (1 in, 2 out, 4 read, 3 written)"},
      {Family::anthropic,
       R"({"content":[{"type":"tool_use","id":"t","name":"emit","input":{"a":1}}],"stop_reason":"tool_use",)"
       R"("usage":{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":null}})",
       R"(complete '{"a":1}' (1 in, 2 out, 0 read, 0 written))"},
      {Family::llama, R"({"generation":"t","prompt_token_count":1,"generation_token_count":2,"stop_reason":"stop"})",
       "complete 't' (1 in, 2 out, 0 read, 0 written)"},
      {Family::mistral_text, R"({"outputs":[{"text":" t","stop_reason":"stop"}]})", "complete ' t' (usage unknown)"},
      {Family::mistral_chat,
       R"({"choices":[{"index":0,"message":{"role":"assistant","content":"t","tool_calls":null},"stop_reason":"stop"}]})",
       "complete 't' (usage unknown)"},
      {Family::nova,
       R"({"output":{"message":{"role":"assistant","content":[{"text":"t"}]}},"stopReason":"end_turn",)"
       R"("usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokenCount":4,"cacheWriteInputTokenCount":0}})",
       "complete 't' (1 in, 2 out, 4 read, 0 written)"},
      {Family::titan,
       R"({"inputTextTokenCount":1,"results":[{"tokenCount":2,"outputText":"t","completionReason":"FINISH"}]})",
       "complete 't' (1 in, 2 out, 0 read, 0 written)"},
      {Family::openai,
       R"({"choices":[{"message":{"content":"t"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})",
       "complete 't' (1 in, 2 out, 0 read, 0 written)"},
  };
  expect_all(cases);
}

TEST(InvokeAnswer, EveryStopReasonIsToldApart) {
  struct StopCase {
    Family family;
    const char* before;
    const char* after;
    std::vector<std::pair<const char*, const char*>> reasons;  // and what they mean
  };
  const char* kUnknown = "refused: bedrock/m: the answer ended with the stop reason '";
  const StopCase cases[] = {
      {Family::anthropic,
       R"({"content":[{"type":"text","text":"t"}],"stop_reason":")",
       R"("})",
       {{"end_turn", "complete"},
        {"stop_sequence", "complete"},
        {"tool_use", "complete"},
        {"max_tokens", "truncated"},
        {"model_context_window_exceeded", "truncated"},
        {"refusal", "refused 't'"},
        {"pause_turn", kUnknown}}},
      {Family::llama,
       R"({"generation":"t","stop_reason":")",
       R"("})",
       {{"stop", "complete"}, {"length", "truncated"}, {"other", kUnknown}}},
      {Family::mistral_text,
       R"({"outputs":[{"text":"t","stop_reason":")",
       R"("}]})",
       {{"stop", "complete"}, {"length", "truncated"}, {"other", kUnknown}}},
      {Family::mistral_chat,
       R"({"choices":[{"message":{"content":"t"},"stop_reason":")",
       R"("}]})",
       {{"stop", "complete"}, {"tool_calls", "complete"}, {"length", "truncated"}, {"other", kUnknown}}},
      {Family::titan,
       R"({"results":[{"outputText":"t","completionReason":")",
       R"("}]})",
       {{"FINISH", "complete"},
        {"STOP_CRITERIA_MET", "complete"},
        {"LENGTH", "truncated"},
        {"CONTENT_FILTERED", "refused 't'"},
        {"RAG_QUERY_WHEN_RAG_DISABLED", kUnknown}}},
      {Family::nova,
       R"({"output":{"message":{"content":[{"text":"t"}]}},"stopReason":")",
       R"("})",
       {{"end_turn", "complete"},
        {"max_tokens", "truncated"},
        {"content_filtered", "refused 't'"},
        {"other", kUnknown}}},
  };
  for (const StopCase& one : cases) {
    for (const auto& [reason, meaning] : one.reasons) {
      const std::string body = one.before + std::string(reason) + one.after;
      const std::string words = in_words(parse_invoke(body, {}, invoked_model(one.family).resolved));
      EXPECT_TRUE(words.starts_with(meaning)) << body << "\n" << words;
    }
  }
}

TEST(InvokeAnswer, HeadersTellTheUsageThatTheBodyDoesNot) {
  const char* silent = R"({"outputs":[{"text":"t","stop_reason":"stop"}]})";
  const std::pair<TokenHeaders, const char*> cases[] = {
      {{"5", "6", "7", "8"}, "complete 't' (5 in, 6 out, 7 read, 8 written)"},
      {{"5", "6", "", ""}, "complete 't' (5 in, 6 out, 0 read, 0 written)"},
      {{"5", "", "", ""}, "complete 't' (usage unknown)"},
      {{"5", "six", "", ""}, "complete 't' (usage unknown)"},
      {{"5", "6x", "", ""}, "complete 't' (usage unknown)"},
      {{"-5", "6", "", ""}, "complete 't' (usage unknown)"},
  };
  for (const auto& [headers, words] : cases) {
    EXPECT_EQ(in_words(parse_invoke(silent, headers, invoked_model(Family::mistral_text).resolved)), words);
  }
  const AnswerCase told[] = {
      {Family::llama, R"({"generation":"t","prompt_token_count":1,"generation_token_count":2,"stop_reason":"stop"})",
       "complete 't' (1 in, 2 out, 0 read, 0 written)"},
      {Family::mistral_chat, R"({"choices":[{"message":{"content":"t"},"stop_reason":"stop"}]})",
       "complete 't' (50 in, 60 out, 0 read, 0 written)"},
      {Family::nova, R"({"output":{"message":{"content":[{"text":"t"}]}},"stopReason":"end_turn"})",
       "complete 't' (50 in, 60 out, 0 read, 0 written)"},
  };
  expect_all(told, {"50", "60", "", ""});
}

TEST(InvokeAnswer, WhatIsNoAnswerIsUnavailable) {
  const AnswerCase cases[] = {
      {Family::anthropic, R"({"content":[{"type":"te)",
       R"(unavailable: bedrock/m: the answer is not a JSON object; it begins: {"content":[{"type":"te (billed unknown))"},
      {Family::anthropic, "",
       "unavailable: bedrock/m: the answer is not a JSON object; its body is empty (billed unknown)"},
      {Family::anthropic, R"({"usage":{"input_tokens":1,"output_tokens":2}})",
       R"(unavailable: bedrock/m: the answer has no content; it begins: {"usage":{"input_tokens":1,"output_tokens":2}} )"
       R"((billed 1 in, 2 out, 0 read, 0 written))"},
      {Family::anthropic, R"({"content":[{"type":"text","text":"t"}]})",
       R"(unavailable: bedrock/m: the answer has no stop reason; it begins: {"content":[{"type":"text","text":"t"}]} )"
       R"((billed unknown))"},
      {Family::anthropic, R"({"content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}})",
       "unavailable: bedrock/m: the answer was empty (stop reason 'end_turn') (billed 1 in, 2 out, 0 read, 0 written)"},
      {Family::llama, R"({"generation":null})",
       R"(unavailable: bedrock/m: the answer has no generation; it begins: {"generation":null} (billed unknown))"},
      {Family::mistral_text, R"({"outputs":[]})",
       R"(unavailable: bedrock/m: the answer has no text; it begins: {"outputs":[]} (billed unknown))"},
      {Family::mistral_chat, R"({"choices":[]})",
       R"(unavailable: bedrock/m: the answer has no choices[0].message; it begins: {"choices":[]} (billed unknown))"},
      {Family::titan, R"({"results":{}})",
       R"(unavailable: bedrock/m: the answer has no outputText; it begins: {"results":{}} (billed unknown))"},
      {Family::nova, "7", "unavailable: bedrock/m: the answer is not a JSON object; it begins: 7 (billed unknown)"},
  };
  expect_all(cases);
}

}  // namespace
}  // namespace palette::model
