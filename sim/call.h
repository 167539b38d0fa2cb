// One call of a model as the stand-in sees it: what decides the answer, its cost and how it is written. Made by the
// readers below from a request's body; a body that the service would refuse is bad_input with the service's own words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "job/catalogue.h"
#include "prompt_meter.h"

namespace palette::sim {

// How the answer is written.
enum class Shape : std::uint8_t {
  converse,
  anthropic,
  llama,
  mistral_text,
  mistral_chat,
  nova,
  titan,
  titan_embedding,
  openai,          // api.openai.com and those that speak like it
  openai_bedrock,  // the same body through InvokeModel
};

struct Call {
  Shape shape = Shape::converse;
  std::string model;     // decoded: model id, profile id, ARN, or OpenAI's `model`
  std::string identity;  // "<job>-<record>/<step>"; empty: the call carried none
  std::uint64_t prompt_hash = 0;
  std::int64_t input_tokens = 0;  // all of them, cached ones included
  std::vector<CachePoint> cache_points;
  std::optional<std::int64_t> max_tokens;
  std::vector<std::string> stop;
  std::string service_tier;  // as asked; empty: none
  bool has_temperature = false, has_top_p = false;
  std::int64_t dimensions = 0;  // of an embedding

  bool is_openai() const { return shape == Shape::openai; }
};

// The body of POST /model/{id}/converse.
Result<Call> read_converse(std::string model, const JsonObject& body);

// The body of POST /model/{id}/invoke. Mistral's two bodies are told apart by what they hold.
Result<Call> read_invoke(std::string model, job::ModelFamily family, const JsonObject& body);

// The body of POST /v1/chat/completions.
Result<Call> read_openai(const JsonObject& body);

// "<job>-<record>/<step>" of request metadata; empty unless all three are there.
std::string identity_of(const JsonObject& metadata);

// The family of a Bedrock id by its vendor and name, for ids that no catalogue knows.
job::ModelFamily family_of(std::string_view model);

}  // namespace palette::sim
