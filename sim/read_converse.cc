// The body of Converse (reference: Amazon Bedrock API, Converse).
#include "read_body.h"

namespace palette::sim {
namespace {

constexpr std::size_t kCachePointsMax = 4;
constexpr std::size_t kMetadataPairsMax = 16;

Status read_tools(const JsonObject& body, PromptMeter& meter) {
  const Json* config = member(body, "toolConfig");
  if (config == nullptr) return {};
  if (!config->is_object()) return fail(ErrorKind::bad_input, "toolConfig must be an object.");
  const Json* choice = member(config->get_object(), "toolChoice");
  if (choice != nullptr && choice->is_object() && !choice->get_object().contains("auto"))
    return fail(ErrorKind::bad_input,
                "plot-palette-sim answers with text only: leave toolChoice out, or make it {\"auto\":{}}.");
  const Json* tools = member(config->get_object(), "tools");
  return tools == nullptr ? Status{} : read_blocks(*tools, "toolConfig.tools", meter);
}

Status read_messages(const JsonObject& body, PromptMeter& meter) {
  const Json* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array())
    return fail(ErrorKind::bad_input,
                "1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must not be "
                "null");
  std::vector<std::string_view> roles;
  for (const Json& message : messages->get_array()) {
    const JsonObject* object = message.if_object();
    const Json* role = object == nullptr ? nullptr : member(*object, "role");
    const Json* content = object == nullptr ? nullptr : member(*object, "content");
    const std::string place = "messages." + std::to_string(roles.size());
    if (role == nullptr || !role->is_string() || content == nullptr)
      return fail(ErrorKind::bad_input, "Malformed input request: " + place + " needs a role and a content.");
    roles.emplace_back(role->get_string());
    meter.message(roles.back());
    if (Status read = read_blocks(*content, place + ".content", meter); !read) return read;
  }
  return check_roles(roles);
}

Status read_metadata(const JsonObject& body, Call& call) {
  const Json* metadata = member(body, "requestMetadata");
  if (metadata == nullptr) return {};
  if (!metadata->is_object() || metadata->get_object().size() > kMetadataPairsMax)
    return fail(ErrorKind::bad_input, "requestMetadata must be an object of 1 to 16 strings.");
  for (const auto& [key, value] : metadata->get_object()) {
    if (!value.is_string())
      return fail(ErrorKind::bad_input, "requestMetadata." + std::string(key) + " must be a string.");
  }
  call.identity = identity_of(metadata->get_object());
  return {};
}

// A member of an object that holds one object with a string: {"serviceTier":{"type":"flex"}}.
std::string read_tier(const JsonObject& body) {
  const Json* tier = member(body, "serviceTier");
  const Json* type = tier == nullptr || !tier->is_object() ? nullptr : member(tier->get_object(), "type");
  return type == nullptr || !type->is_string() ? std::string() : std::string(type->get_string());
}

}  // namespace

Result<Call> read_converse(std::string model, const JsonObject& body) {
  PromptMeter meter(model);
  Call call;
  // Prompt caching takes its prefixes in the order tools, system, messages.
  if (Status read = read_tools(body, meter); !read) return std::unexpected(read.error());
  if (const Json* system = member(body, "system"); system != nullptr) {
    if (Status read = read_blocks(*system, "system", meter); !read) return std::unexpected(read.error());
  }
  if (Status read = read_messages(body, meter); !read) return std::unexpected(read.error());
  if (meter.cache_points().size() > kCachePointsMax)
    return fail(ErrorKind::bad_input, "The request has more than 4 cache points.");
  if (const Json* config = member(body, "inferenceConfig"); config != nullptr) {
    if (!config->is_object()) return fail(ErrorKind::bad_input, "inferenceConfig must be an object.");
    const SamplingNames names = {"maxTokens", "temperature", "topP", "stopSequences", "inferenceConfig."};
    if (Status read = read_sampling(config->get_object(), names, call, meter); !read)
      return std::unexpected(read.error());
  }
  if (Status read = read_metadata(body, call); !read) return std::unexpected(read.error());
  call.service_tier = read_tier(body);
  return metered(Shape::converse, std::move(model), meter, std::move(call));
}

std::string identity_of(const JsonObject& metadata) {
  const auto text = [&](std::string_view key) {
    const Json* value = member(metadata, key);
    return value == nullptr || !value->is_string() ? std::string_view() : std::string_view(value->get_string());
  };
  const std::string_view job = text("job"), record = text("record"), step = text("step");
  if (job.empty() || record.empty() || step.empty()) return "";
  std::string identity;
  identity.reserve(job.size() + record.size() + step.size() + 2);
  return identity.append(job).append("-").append(record).append("/").append(step);
}

}  // namespace palette::sim
