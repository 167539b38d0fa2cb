#include "job/model_name.h"

#include <array>
#include <charconv>

#include "base/nearest.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 7> kFailKinds = {"throttled", "unavailable", "timeout", "refused",
                                                        "truncated", "bad_input",   "denied"};
constexpr std::array<std::string_view, 3> kParameters = {"latency_ms", "fail_rate", "fail_kind"};
constexpr std::array<std::string_view, 4> kKnown = {"offline", "offline/echo", "none", "offline/ngram"};

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

}  // namespace

Result<ModelName> parse_model_name(std::string_view text) {
  const std::size_t question = text.find('?');
  const std::string_view base = text.substr(0, question);
  ModelName name;
  if (base == "none" && question != std::string_view::npos) {
    return fail(ErrorKind::bad_input, "the model 'none' takes no parameters");
  } else if (base == "none") {
    name.provider = Provider::none;
  } else if (base == "offline" || base == "offline/ngram" || base == "offline/echo") {
    name.variant = base == "offline/echo" ? "echo" : "";
  } else if (base.starts_with("bedrock/") || base.starts_with("openai/")) {
    return fail(ErrorKind::bad_input, "the model '" + std::string(text) +
                                          "' needs a provider that this version does not have yet; use offline or "
                                          "offline/echo (or try the job with --model offline)");
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
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    if (Status set = set_parameter(name, pair.substr(0, equals), value); !set) return std::unexpected(set.error());
  }
  return name;
}

}  // namespace palette::job
