#include "job/model_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/nearest.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 7> kFailKinds = {"throttled", "unavailable", "timeout", "refused",
                                                        "truncated", "bad_input",   "denied"};
constexpr std::array<std::string_view, 3> kParameters = {"latency_ms", "fail_rate", "fail_kind"};
constexpr std::array<std::string_view, 4> kKnown = {"offline", "offline/echo", "none", "offline/ngram"};
constexpr std::size_t kBedrockIdBytesMax = 2048;  // of Converse's modelId
constexpr std::size_t kOpenaiIdBytesMax = 512;

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size();
}

std::unexpected<Error> bad_parameter(std::string_view key, std::string_view value, std::string_view allowed) {
  return fail(ErrorKind::bad_input, "the model's parameter " + std::string(key) + " is '" + std::string(value) +
                                        "'; allowed is " + std::string(allowed));
}

Status set_parameter(ModelName& name, std::string_view key, std::string_view value) {
  if (key == "latency_ms") {
    if (!read_number(value, name.latency_ms) || name.latency_ms < 0 || name.latency_ms > 600'000) {
      return bad_parameter(key, value, "an integer of 0 to 600000");
    }
  } else if (key == "fail_rate") {
    if (!read_number(value, name.fail_rate) || !(name.fail_rate >= 0 && name.fail_rate <= 1)) {
      return bad_parameter(key, value, "a number of 0 to 1");
    }
  } else if (key == "fail_kind") {
    for (std::string_view kind : kFailKinds) {
      if (kind == value) {
        name.fail_kind = error_kind_from(value);
        return {};
      }
    }
    return bad_parameter(key, value, "throttled, unavailable, timeout, refused, truncated, bad_input or denied");
  } else {
    std::string message = "the model's parameter '" + std::string(key) + "' is not known";
    if (const auto near = nearest_name(key, kParameters); !near.empty()) {
      message += "; did you mean " + std::string(near) + "?";
    } else {
      message += "; known are latency_ms, fail_rate and fail_kind";
    }
    return fail(ErrorKind::bad_input, message);
  }
  return {};
}

Status set_parameters(ModelName& name, std::string_view rest) {
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    if (Status set = set_parameter(name, pair.substr(0, equals), value); !set) return set;
  }
  return {};
}

bool is_bedrock_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.:/").find(c) != std::string_view::npos;
}

bool is_visible(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }

}  // namespace

std::string_view to_string(Provider provider) {
  switch (provider) {
    case Provider::none:
      return "none";
    case Provider::offline:
      return "offline";
    case Provider::bedrock:
      return "bedrock";
    case Provider::openai:
      return "openai";
  }
  return {};
}

Result<ModelName> named_model(Provider provider, std::string_view id, std::string_view text) {
  const bool bedrock = provider == Provider::bedrock;
  const bool fits = !id.empty() && id.size() <= (bedrock ? kBedrockIdBytesMax : kOpenaiIdBytesMax) &&
                    std::all_of(id.begin(), id.end(), bedrock ? is_bedrock_character : is_visible);
  if (!fits) {
    const std::string what = id.empty() ? " names no model; " : " is no id of a model; ";
    const std::string expected = bedrock ? "after bedrock/ stands a model id, a profile id or an ARN: letters, digits "
                                           "and - _ . : / (parameters such as ?latency_ms= are for offline models)"
                                         : "after the / stands the name that the server knows the model by, without "
                                           "blanks, e.g. openai/gpt-4o-mini";
    return fail(ErrorKind::bad_input, "the model '" + std::string(text) + "'" + what + expected);
  }
  ModelName name;
  name.provider = provider;
  name.variant = id;
  return name;
}

Result<ModelName> parse_model_name(std::string_view text) {
  if (text.starts_with("bedrock/")) return named_model(Provider::bedrock, text.substr(8), text);
  if (text.starts_with("openai/")) return named_model(Provider::openai, text.substr(7), text);
  const std::size_t question = text.find('?');
  const std::string_view base = text.substr(0, question);
  ModelName name;
  if (base == "none" && question != std::string_view::npos) {
    return fail(ErrorKind::bad_input, "the model 'none' takes no parameters");
  } else if (base == "none") {
    name.provider = Provider::none;
  } else if (base == "offline" || base == "offline/ngram" || base == "offline/echo") {
    name.variant = base == "offline/echo" ? "echo" : "";
  } else {
    std::string message = "the model '" + std::string(text) + "' is not known";
    if (const auto near = nearest_name(base, kKnown); !near.empty()) {
      message += "; did you mean " + std::string(near) + "?";
    } else {
      message += "; known are offline, offline/echo and none (or try the job with --model offline)";
    }
    return fail(ErrorKind::bad_input, message);
  }
  if (question == std::string_view::npos) return name;
  if (Status set = set_parameters(name, text.substr(question + 1)); !set) return std::unexpected(set.error());
  return name;
}

}  // namespace palette::job
