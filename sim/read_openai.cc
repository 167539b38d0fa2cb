// The body of OpenAI's chat completions, as the service itself and vLLM, llama.cpp and Ollama take it.
#include "read_body.h"

namespace palette::sim {
namespace {

Status read_content(const Json* content, const std::string& place, PromptMeter& meter) {
  if (content == nullptr) return {};  // an assistant's message that only called tools
  if (content->is_string()) {
    meter.text(content->get_string());
    return {};
  }
  return read_blocks(*content, place + ".content", meter);
}

bool is_known_role(std::string_view role) {
  return role == "system" || role == "developer" || role == "user" || role == "assistant" || role == "tool" ||
         role == "function";
}

Status read_messages(const JsonObject& body, PromptMeter& meter) {
  const Json* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty())
    return fail(ErrorKind::bad_input, "Missing required parameter: 'messages', a list of at least one message.");
  std::size_t index = 0;
  for (const Json& message : messages->get_array()) {
    const std::string place = "messages[" + std::to_string(index++) + "]";
    const JsonObject* object = message.if_object();
    const Json* role = object == nullptr ? nullptr : member(*object, "role");
    if (role == nullptr || !role->is_string() || !is_known_role(role->get_string()))
      return fail(ErrorKind::bad_input, "Invalid value: '" + place +
                                            ".role'. Supported values are: 'system', 'assistant', 'user', 'function', "
                                            "'tool', and 'developer'.");
    meter.message(role->get_string());
    if (Status read = read_content(member(*object, "content"), place, meter); !read) return read;
  }
  return {};
}

Status check_supported(const JsonObject& body) {
  const Json* stream = member(body, "stream");
  if (stream != nullptr && stream->is_bool() && stream->get_bool())
    return fail(ErrorKind::bad_input, "plot-palette-sim does not stream: leave 'stream' out, or make it false.");
  const Json* count = member(body, "n");
  if (count != nullptr && !(count->is_int64() && count->get_int64() == 1))
    return fail(ErrorKind::bad_input, "plot-palette-sim gives one choice: leave 'n' out, or make it 1.");
  if (member(body, "max_tokens") != nullptr && member(body, "max_completion_tokens") != nullptr)
    return fail(ErrorKind::bad_input,
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.");
  return {};
}

}  // namespace

Result<Call> read_openai(const JsonObject& body) {
  const Json* model = member(body, "model");
  if (model == nullptr || !model->is_string() || model->get_string().empty())
    return fail(ErrorKind::bad_input, "you must provide a model parameter");
  if (Status supported = check_supported(body); !supported) return std::unexpected(supported.error());
  std::string name(model->get_string());
  PromptMeter meter(name);
  Call call;
  call.shape = Shape::openai;
  if (Status read = read_messages(body, meter); !read) return std::unexpected(read.error());
  if (const Json* tools = member(body, "tools"); tools != nullptr) meter.text(to_json_text(*tools));
  const std::string_view limit = member(body, "max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
  if (Status read = read_sampling(body, {limit, "temperature", "top_p", "stop", ""}, call, meter); !read)
    return std::unexpected(read.error());
  if (const Json* tier = member(body, "service_tier"); tier != nullptr && tier->is_string())
    call.service_tier = std::string(tier->get_string());
  return metered(Shape::openai, std::move(name), meter, std::move(call));
}

}  // namespace palette::sim
