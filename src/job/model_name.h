// How a model is named in a job: "offline", "offline/echo?latency_ms=20&fail_rate=0.1&fail_kind=throttled",
// "bedrock/<id>", "openai/<name>", or "none" for a step that is only there to be included. Aliases, bare ids and named
// endpoints need the catalogue (catalogue.h), which reads the rest with this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::job {

enum class Provider : std::uint8_t { none, offline, bedrock, openai };
std::string_view to_string(Provider provider);

struct ModelName {
  Provider provider = Provider::offline;
  std::string variant;  // offline: "" or "echo"; others: the provider's id
  // On purpose slow or failing, for tests and demonstrations; offline only.
  std::int64_t latency_ms = 0;
  double fail_rate = 0;  // of all calls, drawn by record, step, try and round of --retry-failed
  ErrorKind fail_kind = ErrorKind::unavailable;
};

// bad_input with what is wrong and what is known.
Result<ModelName> parse_model_name(std::string_view text);

// A provider's own id of a model, as it stands in `text` behind the provider's or endpoint's name. Bedrock: 1 to 2048
// letters, digits and - _ . : / (a model id, profile id or ARN); OpenAI: up to 512 bytes without blanks. bad_input
// else.
Result<ModelName> named_model(Provider provider, std::string_view id, std::string_view text);

}  // namespace palette::job
