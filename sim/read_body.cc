#include "read_body.h"

namespace palette::sim {
namespace {

std::unexpected<Error> wrong(std::string_view where, std::string_view expected) {
  return fail(ErrorKind::bad_input, "Malformed input request: " + std::string(where) + " is not " +
                                        std::string(expected) + ", please reformat your input and try again.");
}

bool is_one_hour(const JsonObject& marker) {
  const Json* ttl = member(marker, "ttl");
  return ttl != nullptr && ttl->is_string() && ttl->get_string() == "1h";
}

Status read_block(const JsonObject& block, const std::string& where, PromptMeter& meter) {
  if (const Json* marker = member(block, "cachePoint"); marker != nullptr) {
    if (!marker->is_object()) return wrong(where + ".cachePoint", "an object");
    meter.cache_point(is_one_hour(marker->get_object()));
    return {};
  }
  const Json* text = member(block, "text");
  if (text == nullptr) {
    meter.text(to_json_text(Json(block)));
    return {};
  }
  if (!text->is_string()) return wrong(where + ".text", "a string");
  if (text->get_string().empty())
    return fail(ErrorKind::bad_input, "The text field in the ContentBlock object at " + where +
                                          " is blank. Add text to the text field, and try again.");
  meter.text(text->get_string());
  // Anthropic's own way of marking the end of a prefix.
  if (const Json* marker = member(block, "cache_control"); marker != nullptr && marker->is_object())
    meter.cache_point(is_one_hour(marker->get_object()));
  return {};
}

}  // namespace

const Json* member(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::int64_t>> read_count(const JsonObject& object, std::string_view key, std::string_view where) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  const std::string name = std::string(where) + std::string(key);
  if (!value->is_int64()) return wrong(name, "an integer");
  if (value->get_int64() < 1)
    return fail(ErrorKind::bad_input, "1 validation error detected: Value '" + std::to_string(value->get_int64()) +
                                          "' at '" + name +
                                          "' failed to satisfy constraint: Member must have value greater than or "
                                          "equal to 1");
  return value->get_int64();
}

Result<std::optional<double>> read_share(const JsonObject& object, std::string_view key, std::string_view where,
                                         double most) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  const std::string name = std::string(where) + std::string(key);
  if (!value->is_number()) return wrong(name, "a number");
  const double number = value->to_number<double>();
  if (number < 0 || number > most)
    return fail(ErrorKind::bad_input, "1 validation error detected: Value at '" + name +
                                          "' failed to satisfy constraint: Member must have value between 0 and " +
                                          std::to_string(static_cast<int>(most)));
  return number;
}

Result<std::vector<std::string>> read_stop(const Json* value, std::string_view where) {
  std::vector<std::string> stop;
  if (value == nullptr) return stop;
  if (value->is_string()) return std::vector<std::string>{std::string(value->get_string())};
  if (!value->is_array()) return wrong(where, "a list of strings");
  for (const Json& item : value->get_array()) {
    if (!item.is_string() || item.get_string().empty()) return wrong(where, "a list of strings that are not empty");
    stop.emplace_back(item.get_string());
  }
  return stop;
}

Status read_sampling(const JsonObject& object, const SamplingNames& names, Call& call, PromptMeter& meter) {
  auto max_tokens = read_count(object, names.max_tokens, names.where);
  if (!max_tokens) return std::unexpected(max_tokens.error());
  call.max_tokens = *max_tokens;
  auto temperature = read_share(object, names.temperature, names.where, call.is_openai() ? 2 : 1);
  if (!temperature) return std::unexpected(temperature.error());
  call.has_temperature = temperature->has_value();
  if (*temperature) meter.parameter(**temperature);
  auto top_p = read_share(object, names.top_p, names.where, 1);
  if (!top_p) return std::unexpected(top_p.error());
  call.has_top_p = top_p->has_value();
  if (*top_p) meter.parameter(-1 - **top_p);  // not the same as a temperature of that value
  if (names.stop.empty()) return {};
  auto stop = read_stop(member(object, names.stop), std::string(names.where) + std::string(names.stop));
  if (!stop) return std::unexpected(stop.error());
  call.stop = std::move(*stop);
  return {};
}

Status read_blocks(const Json& blocks, std::string_view where, PromptMeter& meter) {
  if (!blocks.is_array()) return wrong(where, "a list of content blocks");
  const JsonArray& list = blocks.get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = std::string(where) + "." + std::to_string(i);
    if (!list[i].is_object()) return wrong(place, "a content block");
    if (Status read = read_block(list[i].get_object(), place, meter); !read) return read;
  }
  return {};
}

Status check_roles(const std::vector<std::string_view>& roles) {
  std::string_view before;
  for (const std::string_view role : roles) {
    if (role == "system") continue;
    if (role != "user" && role != "assistant")
      return fail(ErrorKind::bad_input, "1 validation error detected: Value '" + std::string(role) +
                                            "' at 'messages.role' failed to satisfy constraint: Member must satisfy "
                                            "enum value set: [user, assistant, system]");
    if (before.empty() && role != "user")
      return fail(ErrorKind::bad_input,
                  "A conversation must start with a user message. Try again with a conversation that starts with a "
                  "user message.");
    if (role == before)
      return fail(ErrorKind::bad_input,
                  "A conversation must alternate between user and assistant roles. Make sure the conversation "
                  "alternates between user and assistant roles and try again.");
    before = role;
  }
  if (before.empty())
    return fail(ErrorKind::bad_input, "The messages of the request are empty. Add a user message and try again.");
  return {};
}

Call metered(Shape shape, std::string model, const PromptMeter& meter, Call call) {
  call.shape = shape;
  call.model = std::move(model);
  call.prompt_hash = meter.hash();
  call.input_tokens = meter.tokens();
  call.cache_points = meter.cache_points();
  return call;
}

}  // namespace palette::sim
