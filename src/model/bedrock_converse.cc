#include "model/bedrock_converse.h"

#include <array>

#include "model/bedrock_metadata.h"
#include "model/capability_check.h"
#include "model/provider_answer.h"
#include "model/request_body.h"

namespace palette::model {
namespace {

// API reference, Converse, stopReason. malformed_model_output and malformed_tool_use are not here on purpose.
constexpr std::array<StopName, 7> kStops = {{
    {"end_turn", StopReason::complete},
    {"stop_sequence", StopReason::complete},
    {"tool_use", StopReason::complete},
    {"max_tokens", StopReason::truncated},
    {"model_context_window_exceeded", StopReason::truncated},
    {"guardrail_intervened", StopReason::refused},
    {"content_filtered", StopReason::refused},
}};

constexpr UsageNames kUsage = {"inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"};
// As Nova's own body has them (InvokeModel).
constexpr UsageNames kNovaUsage = {"inputTokens", "outputTokens", "cacheReadInputTokenCount",
                                   "cacheWriteInputTokenCount"};

void append_system(std::string& out, const ModelRequest& request, const job::ResolvedModel& model) {
  out += R"([{"text":)";
  append_json_string(out, request.system);
  out += '}';
  if (request.cache_system && offers_cache(model)) out += R"(,{"cachePoint":{"type":"default"}})";
  out += ']';
}

void append_messages(std::string& out, const ModelRequest& request, const job::ResolvedModel& model) {
  std::string room;
  out += '[';
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (i > 0) out += ',';
    out += R"({"role":")";
    out += role_name(request.messages[i].role);
    out += R"(","content":[{"text":)";
    append_json_string(out, message_text(request, i, model, room));
    out += "}]}";
  }
  out += ']';
}

void append_inference_config(BodyObject& body, const job::CallOptions& options) {
  if (!options.max_tokens && !options.temperature && !options.top_p && options.stop.empty()) return;
  BodyObject config(body.member("inferenceConfig"));
  if (options.max_tokens) config.integer("maxTokens", *options.max_tokens);
  if (options.temperature) config.number("temperature", *options.temperature);
  if (options.top_p) config.number("topP", *options.top_p);
  if (!options.stop.empty()) config.texts("stopSequences", options.stop);
  config.end();
}

std::optional<Usage> usage_of(const JsonObject& answer, const job::ResolvedModel& model) {
  const JsonObject* usage = object_of(answer, "usage");
  const bool is_nova =
      usage != nullptr && (usage->contains(kNovaUsage.cache_read) || usage->contains(kNovaUsage.cache_write));
  return read_usage(usage, is_nova ? kNovaUsage : kUsage, capabilities_of(model).usage_includes_cache);
}

// The text of the content blocks; tool uses where there is none. Members of the union that we do not know are skipped:
// new ones appear.
std::string content_text(const JsonArray& content) {
  std::string text, tools;
  for (const Json& block : content) {
    if (!block.is_object()) continue;
    text += text_of(block.get_object(), "text");
    const JsonObject* tool = object_of(block.get_object(), "toolUse");
    const Json* input = tool == nullptr ? nullptr : tool->if_contains("input");
    if (input == nullptr) continue;
    if (!tools.empty()) tools += '\n';
    append_json(tools, *input);
  }
  return text.empty() ? tools : text;
}

}  // namespace

std::string converse_body(const ModelRequest& request, const job::ResolvedModel& model) {
  std::string out;
  // Thousands of bodies are held at once: room for the frame, and for what has to be escaped, not for more.
  std::size_t size = 224 + request.system.size() + request.identity.job.size() + request.identity.step.size();
  for (const Message& message : request.messages) size += message.text.size() + 48;
  out.reserve(size + size / 16);
  BodyObject body(out);
  if (has_own_system(request, model)) append_system(body.member("system"), request, model);
  append_messages(body.member("messages"), request, model);
  append_inference_config(body, request.options);
  if (const JsonObject* fields = additional_fields_of(request); fields != nullptr && !fields->empty()) {
    append_json(body.member("additionalModelRequestFields"), *fields);
  }
  if (has_identity(request.identity)) append_request_metadata(body.member("requestMetadata"), request.identity);
  if (has_service_tier(request)) {
    BodyObject tier(body.member("serviceTier"));
    tier.text("type", *request.options.service_tier);
    tier.end();
  }
  body.end();
  return out;
}

ProviderResult parse_converse(std::string_view body, const job::ResolvedModel& model) {
  AnswerRoom room;
  const Result<Json> json = parse_json(body, room.storage());
  if (!json || !json->is_object()) {
    return std::unexpected(unreadable_answer("is not a JSON object", body, std::nullopt, model));
  }
  return read_converse(json->get_object(), body, std::nullopt, model);
}

ProviderResult read_converse(const JsonObject& answer, std::string_view body, std::optional<Usage> told,
                             const job::ResolvedModel& model) {
  std::optional<Usage> usage = usage_of(answer, model);
  if (!usage) usage = told;
  const JsonObject* output = object_of(answer, "output");
  const JsonObject* message = output == nullptr ? nullptr : object_of(*output, "message");
  const Json* content = message == nullptr ? nullptr : message->if_contains("content");
  const std::string_view reason = text_of(answer, "stopReason");
  if (content == nullptr || !content->is_array()) {
    return std::unexpected(unreadable_answer("has no output.message.content", body, usage, model));
  }
  if (reason.empty()) return std::unexpected(unreadable_answer("has no stopReason", body, usage, model));
  ReadAnswer read;
  read.text = content_text(content->get_array());
  read.reason = reason;
  read.stop = stop_of(reason, kStops);
  read.usage = usage;
  return judge_answer(std::move(read), model);
}

}  // namespace palette::model
