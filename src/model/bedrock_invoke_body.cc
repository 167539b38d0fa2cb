#include "model/bedrock_invoke.h"
#include "model/capability_check.h"
#include "model/openai_chat.h"
#include "model/prompt_text_formats.h"
#include "model/request_body.h"

namespace palette::model {
namespace {

// The names that a family has for what a user can set; empty: it has none.
struct OptionNames {
  std::string_view max_tokens, temperature, top_p, stop;
};

void append_options(BodyObject& body, const job::CallOptions& options, const OptionNames& names) {
  if (options.max_tokens) body.integer(names.max_tokens, *options.max_tokens);
  if (options.temperature) body.number(names.temperature, *options.temperature);
  if (options.top_p) body.number(names.top_p, *options.top_p);
  if (!options.stop.empty() && !names.stop.empty()) body.texts(names.stop, options.stop);
}

bool marks_cache(const ModelRequest& request, const job::ResolvedModel& model) {
  return request.cache_system && offers_cache(model);
}

// [{"role":"user","content":[{<before>"text":"…"}]}]
void append_block_messages(std::string& out, const ModelRequest& request, const job::ResolvedModel& model,
                           std::string_view before) {
  std::string room;
  out += '[';
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (i > 0) out += ',';
    out += R"({"role":")";
    out += role_name(request.messages[i].role);
    out += R"(","content":[{)";
    out += before;
    out += R"("text":)";
    append_json_string(out, message_text(request, i, model, room));
    out += "}]}";
  }
  out += ']';
}

// "Anthropic Claude Messages API": max_tokens is required; `model` and `stream` are not known to it.
void write_anthropic(BodyObject& body, const ModelRequest& request, const job::ResolvedModel& model) {
  body.text("anthropic_version", "bedrock-2023-05-31");
  job::CallOptions options = request.options;
  if (!options.max_tokens) {
    const std::int64_t limit = model.info->output_tokens_max;
    options.max_tokens = limit > 0 ? limit : kAnthropicMaxTokens;
  }
  if (has_own_system(request, model)) {
    std::string& out = body.member("system");
    if (marks_cache(request, model)) {
      out += R"([{"type":"text","text":)";
      append_json_string(out, request.system);
      out += R"(,"cache_control":{"type":"ephemeral"}}])";
    } else {
      append_json_string(out, request.system);
    }
  }
  append_block_messages(body.member("messages"), request, model, R"("type":"text",)");
  append_options(body, options, {"max_tokens", "temperature", "top_p", "stop_sequences"});
}

// "Amazon Nova: complete request schema".
void write_nova(BodyObject& body, const ModelRequest& request, const job::ResolvedModel& model) {
  body.text("schemaVersion", "messages-v1");
  if (has_own_system(request, model)) {
    std::string& out = body.member("system");
    out += R"([{"text":)";
    append_json_string(out, request.system);
    out += '}';
    if (marks_cache(request, model)) out += R"(,{"cachePoint":{"type":"default"}})";
    out += ']';
  }
  append_block_messages(body.member("messages"), request, model, "");
  BodyObject config = body.object("inferenceConfig");
  append_options(config, request.options, {"maxTokens", "temperature", "topP", "stopSequences"});
  config.end();
}

void write_titan(BodyObject& body, const ModelRequest& request) {
  body.text("inputText", titan_prompt(request));
  BodyObject config = body.object("textGenerationConfig");
  append_options(config, request.options, {"maxTokenCount", "temperature", "topP", "stopSequences"});
  config.end();
}

// "Mistral AI chat completion": as OpenAI's, but for the name of the limit and the model, which the path has.
void write_mistral_chat(BodyObject& body, const ModelRequest& request, const job::ResolvedModel& model) {
  append_chat_messages(body.member("messages"), request, model);
  append_options(body, request.options, {"max_tokens", "temperature", "top_p", "stop"});
}

}  // namespace

std::string invoke_body(const ModelRequest& request, const job::ResolvedModel& model) {
  std::string out;
  BodyObject body(out, additional_fields_of(request));
  switch (model.info->family) {
    case job::ModelFamily::anthropic:
      write_anthropic(body, request, model);
      break;
    case job::ModelFamily::llama:
      body.text("prompt", llama_prompt(request, model));
      append_options(body, request.options, {"max_gen_len", "temperature", "top_p", ""});
      break;
    case job::ModelFamily::mistral_text:
      body.text("prompt", mistral_prompt(request));
      append_options(body, request.options, {"max_tokens", "temperature", "top_p", "stop"});
      break;
    case job::ModelFamily::mistral_chat:
      write_mistral_chat(body, request, model);
      break;
    case job::ModelFamily::nova:
      write_nova(body, request, model);
      break;
    case job::ModelFamily::titan:
      write_titan(body, request);
      break;
    case job::ModelFamily::openai:
      append_chat_messages(body.member("messages"), request, model);
      append_options(body, request.options, {"max_completion_tokens", "temperature", "top_p", "stop"});
      break;
    case job::ModelFamily::other:
      break;  // uses_converse() sends none of these here
  }
  body.end();
  return out;
}

}  // namespace palette::model
