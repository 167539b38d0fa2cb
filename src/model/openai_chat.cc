#include "model/openai_chat.h"

#include <algorithm>
#include <array>

#include "model/capability_check.h"
#include "model/provider_answer.h"
#include "model/request_body.h"

namespace palette::model {
namespace {

// OpenAI: stop, length, tool_calls, function_call, content_filter. The others are those of servers that speak it.
constexpr std::array<StopName, 11> kStops = {{
    {"stop", StopReason::complete},
    {"tool_calls", StopReason::complete},
    {"function_call", StopReason::complete},
    {"eos", StopReason::complete},
    {"eos_token", StopReason::complete},
    {"end_turn", StopReason::complete},
    {"stop_sequence", StopReason::complete},
    {"length", StopReason::truncated},
    {"max_tokens", StopReason::truncated},
    {"model_length", StopReason::truncated},
    {"content_filter", StopReason::refused},
}};

// prompt_tokens counts cached tokens, too: prompt_tokens_details.cached_tokens of them.
std::optional<Usage> usage_of(const JsonObject& answer) {
  const JsonObject* usage = object_of(answer, "usage");
  std::optional<Usage> out = read_usage(usage, {"prompt_tokens", "completion_tokens", "", ""}, false);
  if (!out) return out;
  // Some servers leave reasoning out of completion_tokens, but not out of the total.
  const std::int64_t rest = token_count(*usage, "total_tokens").value_or(0) - out->input_tokens;
  out->output_tokens = std::max(out->output_tokens, rest);
  const JsonObject* details = object_of(*usage, "prompt_tokens_details");
  const Json* value = details == nullptr ? nullptr : details->if_contains("cached_tokens");
  if (value == nullptr || value->is_null()) return out;
  const std::optional<std::int64_t> cached = token_count(*details, "cached_tokens");
  if (!cached || *cached > out->input_tokens) return std::nullopt;
  out->input_tokens -= *cached;
  out->cache_read_tokens = *cached;
  return out;
}

// `content` is a text, or a list of parts of which those of type "text" count.
std::string content_text(const Json* content) {
  if (content == nullptr) return {};
  if (content->is_string()) return std::string(content->get_string());
  std::string text;
  if (!content->is_array()) return text;
  for (const Json& part : content->get_array()) {
    if (part.is_object() && text_of(part.get_object(), "type") == "text") text += text_of(part.get_object(), "text");
  }
  return text;
}

// The arguments of the functions that the model calls, each on a line: they are JSON already.
std::string tool_text(const JsonObject& message) {
  std::string text;
  if (const JsonObject* call = object_of(message, "function_call")) text += text_of(*call, "arguments");
  const Json* calls = message.if_contains("tool_calls");
  if (calls == nullptr || !calls->is_array()) return text;
  for (const Json& call : calls->get_array()) {
    const JsonObject* function = call.is_object() ? object_of(call.get_object(), "function") : nullptr;
    if (function == nullptr) continue;
    if (!text.empty()) text += '\n';
    text += text_of(*function, "arguments");
  }
  return text;
}

// Mistral's models on Bedrock call it stop_reason.
std::string_view reason_of(const JsonObject& choice) {
  const std::string_view reason = text_of(choice, "finish_reason");
  return reason.empty() ? text_of(choice, "stop_reason") : reason;
}

}  // namespace

void append_chat_messages(std::string& out, const ModelRequest& request, const job::ResolvedModel& model) {
  std::string room;
  out += '[';
  if (has_own_system(request, model)) {
    out += R"({"role":"system","content":)";
    append_json_string(out, request.system);
    out += "},";
  }
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (i > 0) out += ',';
    out += R"({"role":")";
    out += role_name(request.messages[i].role);
    out += R"(","content":)";
    append_json_string(out, message_text(request, i, model, room));
    out += '}';
  }
  out += ']';
}

std::string chat_body(const ModelRequest& request, const job::ResolvedModel& model) {
  const job::CallOptions& options = request.options;
  std::string out;
  // As of converse_body().
  std::size_t size = 128 + model.id.size() + request.system.size();
  for (const Message& message : request.messages) size += message.text.size() + 48;
  out.reserve(size + size / 16);
  BodyObject body(out, additional_fields_of(request));
  body.text("model", model.id);
  append_chat_messages(body.member("messages"), request, model);
  if (options.max_tokens) {
    const bool newer = capabilities_of(model).max_completion_tokens;
    body.integer(newer ? "max_completion_tokens" : "max_tokens", *options.max_tokens);
  }
  if (options.temperature) body.number("temperature", *options.temperature);
  if (options.top_p) body.number("top_p", *options.top_p);
  if (!options.stop.empty()) body.texts("stop", options.stop);
  if (has_service_tier(request)) body.text("service_tier", *options.service_tier);
  body.end();
  return out;
}

ProviderResult parse_chat(std::string_view body, const ChatPlace& place) {
  AnswerRoom room;
  const Result<Json> json = parse_json(body, room.storage());
  if (!json || !json->is_object()) {
    return std::unexpected(unreadable_answer("is not a JSON object", body, std::nullopt, *place.model));
  }
  if (std::optional<ProviderFailure> failed = error_in_answer(json->get_object(), place)) {
    return std::unexpected(std::move(*failed));
  }
  return read_chat(json->get_object(), body, std::nullopt, *place.model);
}

ProviderResult read_chat(const JsonObject& answer, std::string_view body, std::optional<Usage> told,
                         const job::ResolvedModel& model) {
  std::optional<Usage> usage = usage_of(answer);
  if (!usage) usage = told;
  const JsonObject* choice = first_object_of(answer, "choices");
  const JsonObject* message = choice == nullptr ? nullptr : object_of(*choice, "message");
  if (message == nullptr) {
    return std::unexpected(unreadable_answer("has no choices[0].message", body, usage, model));
  }
  ReadAnswer read;
  read.text = content_text(message->if_contains("content"));
  if (read.text.empty()) read.text = tool_text(*message);
  read.reason = reason_of(*choice);
  // Some servers name no reason; an answer that was cut would have one.
  read.stop = read.reason.empty() ? StopReason::complete : stop_of(read.reason, kStops);
  read.usage = usage;
  if (const std::string_view refusal = text_of(*message, "refusal"); !refusal.empty()) {
    read.stop = StopReason::refused;
    if (read.text.empty()) read.text = refusal;
  }
  return judge_answer(std::move(read), model);
}

}  // namespace palette::model
