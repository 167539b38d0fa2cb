// The bodies of InvokeModel, one function a family (reference: Amazon Bedrock user guide, inference request
// parameters).
#include "read_body.h"

namespace palette::sim {
namespace {

std::unexpected<Error> missing(std::string_view field) {
  return fail(ErrorKind::bad_input, "Malformed input request: #: required key [" + std::string(field) +
                                        "] not found, please reformat your input and try again.");
}

const JsonObject& object_or_empty(const Json* value) {
  static const JsonObject kEmpty;
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

// A string, or a list of blocks.
Status read_text(const Json* value, const std::string& where, PromptMeter& meter) {
  if (value == nullptr) return missing(where);
  if (!value->is_string()) return read_blocks(*value, where, meter);
  meter.text(value->get_string());
  return {};
}

// Messages with roles whose content is text or blocks.
Result<std::vector<std::string_view>> read_messages(const JsonObject& body, PromptMeter& meter) {
  const Json* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array()) return missing("messages");
  std::vector<std::string_view> roles;
  for (const Json& message : messages->get_array()) {
    const std::string place = "messages." + std::to_string(roles.size());
    const JsonObject& object = object_or_empty(&message);
    const Json* role = member(object, "role");
    if (role == nullptr || !role->is_string()) return missing(place + ".role");
    roles.emplace_back(role->get_string());
    meter.message(roles.back());
    if (Status read = read_text(member(object, "content"), place + ".content", meter); !read)
      return std::unexpected(read.error());
  }
  return roles;
}

Result<Call> read_anthropic(std::string model, const JsonObject& body) {
  if (member(body, "anthropic_version") == nullptr) return missing("anthropic_version");
  if (member(body, "max_tokens") == nullptr) return missing("max_tokens");
  for (const std::string_view extra : {"model", "stream"}) {
    if (body.contains(extra))
      return fail(ErrorKind::bad_input, "Malformed input request: #: extraneous key [" + std::string(extra) +
                                            "] is not permitted, please reformat your input and try again.");
  }
  PromptMeter meter(model);
  Call call;
  if (const Json* tools = member(body, "tools"); tools != nullptr) meter.text(to_json_text(*tools));
  if (const Json* system = member(body, "system"); system != nullptr) {
    if (Status read = read_text(system, "system", meter); !read) return std::unexpected(read.error());
  }
  const auto roles = read_messages(body, meter);
  if (!roles) return std::unexpected(roles.error());
  if (Status alternate = check_roles(*roles); !alternate) return std::unexpected(alternate.error());
  const SamplingNames names = {"max_tokens", "temperature", "top_p", "stop_sequences", ""};
  if (Status read = read_sampling(body, names, call, meter); !read) return std::unexpected(read.error());
  return metered(Shape::anthropic, std::move(model), meter, std::move(call));
}

Result<Call> read_prompt(Shape shape, std::string model, const JsonObject& body, const SamplingNames& names) {
  const Json* prompt = member(body, "prompt");
  if (prompt == nullptr || !prompt->is_string()) return missing("prompt");
  PromptMeter meter(model);
  Call call;
  meter.message("user");
  meter.text(prompt->get_string());
  if (Status read = read_sampling(body, names, call, meter); !read) return std::unexpected(read.error());
  return metered(shape, std::move(model), meter, std::move(call));
}

Result<Call> read_chat(Shape shape, std::string model, const JsonObject& body, const SamplingNames& names) {
  PromptMeter meter(model);
  Call call;
  const auto roles = read_messages(body, meter);
  if (!roles) return std::unexpected(roles.error());
  if (roles->empty()) return missing("messages.0");
  if (Status read = read_sampling(body, names, call, meter); !read) return std::unexpected(read.error());
  return metered(shape, std::move(model), meter, std::move(call));
}

Result<Call> read_mistral(std::string model, const JsonObject& body) {
  if (member(body, "messages") != nullptr)
    return read_chat(Shape::mistral_chat, std::move(model), body, {"max_tokens", "temperature", "top_p", "stop", ""});
  return read_prompt(Shape::mistral_text, std::move(model), body, {"max_tokens", "temperature", "top_p", "stop", ""});
}

Result<Call> read_nova(std::string model, const JsonObject& body) {
  PromptMeter meter(model);
  Call call;
  if (const Json* system = member(body, "system"); system != nullptr) {
    if (Status read = read_blocks(*system, "system", meter); !read) return std::unexpected(read.error());
  }
  const auto roles = read_messages(body, meter);
  if (!roles) return std::unexpected(roles.error());
  if (Status alternate = check_roles(*roles); !alternate) return std::unexpected(alternate.error());
  const JsonObject& config = object_or_empty(member(body, "inferenceConfig"));
  // Nova once called it max_new_tokens, and still takes that.
  const std::string_view limit = member(config, "max_new_tokens") != nullptr ? "max_new_tokens" : "maxTokens";
  const SamplingNames names = {limit, "temperature", "topP", "stopSequences", "inferenceConfig."};
  if (Status read = read_sampling(config, names, call, meter); !read) return std::unexpected(read.error());
  return metered(Shape::nova, std::move(model), meter, std::move(call));
}

Result<Call> read_titan(std::string model, const JsonObject& body) {
  const Json* text = member(body, "inputText");
  if (text == nullptr || !text->is_string()) return missing("inputText");
  PromptMeter meter(model);
  Call call;
  meter.message("user");
  meter.text(text->get_string());
  if (model.find("titan-embed") != std::string::npos) {
    auto dimensions = read_count(body, "dimensions", "");
    if (!dimensions) return std::unexpected(dimensions.error());
    call.dimensions = dimensions->value_or(1024);
    if (call.dimensions != 256 && call.dimensions != 512 && call.dimensions != 1024)
      return fail(ErrorKind::bad_input, "dimensions must be 256, 512 or 1024.");
    return metered(Shape::titan_embedding, std::move(model), meter, std::move(call));
  }
  const JsonObject& config = object_or_empty(member(body, "textGenerationConfig"));
  const SamplingNames names = {"maxTokenCount", "temperature", "topP", "stopSequences", "textGenerationConfig."};
  if (Status read = read_sampling(config, names, call, meter); !read) return std::unexpected(read.error());
  return metered(Shape::titan, std::move(model), meter, std::move(call));
}

}  // namespace

Result<Call> read_invoke(std::string model, job::ModelFamily family, const JsonObject& body) {
  switch (family) {
    case job::ModelFamily::anthropic:
      return read_anthropic(std::move(model), body);
    case job::ModelFamily::llama:
      return read_prompt(Shape::llama, std::move(model), body, {"max_gen_len", "temperature", "top_p", "", ""});
    case job::ModelFamily::mistral_text:
    case job::ModelFamily::mistral_chat:
      return read_mistral(std::move(model), body);
    case job::ModelFamily::nova:
      return read_nova(std::move(model), body);
    case job::ModelFamily::titan:
      return read_titan(std::move(model), body);
    case job::ModelFamily::openai: {
      const std::string_view limit = member(body, "max_tokens") ? "max_tokens" : "max_completion_tokens";
      return read_chat(Shape::openai_bedrock, std::move(model), body, {limit, "temperature", "top_p", "stop", ""});
    }
    case job::ModelFamily::other:
      break;
  }
  return fail(ErrorKind::bad_input, "plot-palette-sim does not know the InvokeModel body of " + model +
                                        ": use Converse, or an id of Anthropic, Llama, Mistral, Nova, Titan or "
                                        "gpt-oss.");
}

job::ModelFamily family_of(std::string_view model) {
  const auto has = [&](std::string_view part) { return model.find(part) != std::string_view::npos; };
  if (has("anthropic.")) return job::ModelFamily::anthropic;
  if (has("meta.llama")) return job::ModelFamily::llama;
  if (has("mistral.")) return job::ModelFamily::mistral_text;  // the body says which of the two
  if (has("amazon.nova")) return job::ModelFamily::nova;
  if (has("amazon.titan")) return job::ModelFamily::titan;
  if (has("openai.")) return job::ModelFamily::openai;
  return job::ModelFamily::other;
}

}  // namespace palette::sim
