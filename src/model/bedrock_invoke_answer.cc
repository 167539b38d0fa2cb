#include <array>
#include <charconv>

#include "model/bedrock_converse.h"
#include "model/bedrock_invoke.h"
#include "model/capability_check.h"
#include "model/openai_chat.h"
#include "model/provider_answer.h"

namespace palette::model {
namespace {

// Messages API, stop_reason. pause_turn is not here on purpose: the answer goes on in another call.
constexpr std::array<StopName, 6> kAnthropicStops = {{
    {"end_turn", StopReason::complete},
    {"stop_sequence", StopReason::complete},
    {"tool_use", StopReason::complete},
    {"max_tokens", StopReason::truncated},
    {"model_context_window_exceeded", StopReason::truncated},
    {"refusal", StopReason::refused},
}};
// Of Llama and both kinds of Mistral.
constexpr std::array<StopName, 4> kTextStops = {{
    {"stop", StopReason::complete},
    {"tool_calls", StopReason::complete},
    {"length", StopReason::truncated},
    {"model_length", StopReason::truncated},
}};
constexpr std::array<StopName, 5> kTitanStops = {{
    {"FINISH", StopReason::complete},
    {"FINISHED", StopReason::complete},
    {"STOP_CRITERIA_MET", StopReason::complete},
    {"LENGTH", StopReason::truncated},
    {"CONTENT_FILTERED", StopReason::refused},
}};

std::int64_t header_count(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() ? value : -1;
}

std::optional<Usage> usage_of(const TokenHeaders& headers, const job::ResolvedModel& model) {
  JsonObject counts;
  for (const auto& [name, text] : {std::pair<std::string_view, std::string_view>{"input", headers.input},
                                   {"output", headers.output},
                                   {"cache_read", headers.cache_read},
                                   {"cache_write", headers.cache_write}}) {
    if (!text.empty()) counts[name] = header_count(text);
  }
  return read_usage(&counts, {"input", "output", "cache_read", "cache_write"},
                    capabilities_of(model).usage_includes_cache);
}

// What a family's answer holds; a complaint where it is not of the family's shape.
struct FamilyAnswer {
  ReadAnswer read;
  std::string_view missing;  // the member that is not there; empty: all are
};

FamilyAnswer read_anthropic(const JsonObject& answer) {
  FamilyAnswer out;
  out.read.usage =
      read_usage(object_of(answer, "usage"),
                 {"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}, false);
  const Json* content = answer.if_contains("content");
  if (content == nullptr || !content->is_array()) {
    out.missing = "content";
    return out;
  }
  std::string tools;
  for (const Json& block : content->get_array()) {
    if (!block.is_object()) continue;
    const JsonObject& object = block.get_object();
    const std::string_view type = text_of(object, "type");
    if (type == "text") out.read.text += text_of(object, "text");
    const Json* input = type == "tool_use" ? object.if_contains("input") : nullptr;
    if (input == nullptr) continue;
    if (!tools.empty()) tools += '\n';
    append_json(tools, *input);
  }
  if (out.read.text.empty()) out.read.text = std::move(tools);
  out.read.reason = text_of(answer, "stop_reason");
  out.read.stop = stop_of(out.read.reason, kAnthropicStops);
  return out;
}

// One text in `holder`.
FamilyAnswer read_text(const JsonObject* holder, std::string_view text_key, std::string_view reason_key,
                       std::span<const StopName> stops) {
  FamilyAnswer out;
  const Json* text = holder == nullptr ? nullptr : holder->if_contains(text_key);
  if (text == nullptr || !text->is_string()) {
    out.missing = text_key;
    return out;
  }
  out.read.text = text_of(*holder, text_key);
  out.read.reason = text_of(*holder, reason_key);
  out.read.stop = stop_of(out.read.reason, stops);
  return out;
}

FamilyAnswer read_llama(const JsonObject& answer) {
  FamilyAnswer out = read_text(&answer, "generation", "stop_reason", kTextStops);
  out.read.usage = read_usage(&answer, {"prompt_token_count", "generation_token_count", "", ""}, false);
  return out;
}

FamilyAnswer read_titan(const JsonObject& answer) {
  const JsonObject* result = first_object_of(answer, "results");
  FamilyAnswer out = read_text(result, "outputText", "completionReason", kTitanStops);
  if (result == nullptr) return out;
  const std::optional<std::int64_t> input = token_count(answer, "inputTextTokenCount");
  const std::optional<std::int64_t> output = token_count(*result, "tokenCount");
  if (input && output && *input + *output > 0) out.read.usage = Usage{*input, *output};
  return out;
}

FamilyAnswer read_family(const JsonObject& answer, job::ModelFamily family) {
  switch (family) {
    case job::ModelFamily::anthropic:
      return read_anthropic(answer);
    case job::ModelFamily::llama:
      return read_llama(answer);
    case job::ModelFamily::mistral_text:
      return read_text(first_object_of(answer, "outputs"), "text", "stop_reason", kTextStops);
    case job::ModelFamily::titan:
      return read_titan(answer);
    case job::ModelFamily::mistral_chat:
    case job::ModelFamily::nova:
    case job::ModelFamily::openai:
    case job::ModelFamily::other:
      break;  // parse_invoke() reads them with the codec that they share
  }
  FamilyAnswer out;
  out.missing = "body of a known family";
  return out;
}

}  // namespace

ProviderResult parse_invoke(std::string_view body, const TokenHeaders& headers, const job::ResolvedModel& model) {
  const std::optional<Usage> told = usage_of(headers, model);
  AnswerRoom room;
  const Result<Json> json = parse_json(body, room.storage());
  if (!json || !json->is_object()) {
    return std::unexpected(unreadable_answer("is not a JSON object", body, told, model));
  }
  const job::ModelFamily family = model.info->family;
  if (family == job::ModelFamily::nova) return read_converse(json->get_object(), body, told, model);
  if (family == job::ModelFamily::mistral_chat || family == job::ModelFamily::openai) {
    return read_chat(json->get_object(), body, told, model);
  }
  FamilyAnswer answer = read_family(json->get_object(), family);
  if (!answer.read.usage) answer.read.usage = told;
  if (!answer.missing.empty()) {
    return std::unexpected(unreadable_answer("has no " + std::string(answer.missing), body, answer.read.usage, model));
  }
  if (answer.read.reason.empty()) {
    return std::unexpected(unreadable_answer("has no stop reason", body, answer.read.usage, model));
  }
  return judge_answer(std::move(answer.read), model);
}

}  // namespace palette::model
