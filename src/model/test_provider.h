// What the tests of the wire formats share: a model of the catalogue, a request, and what came of an answer in words.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "model/provider.h"

namespace palette::model {

// A model whose catalogue entry can be changed before it is used.
struct TestModel {
  std::shared_ptr<job::ModelInfo> info = std::make_shared<job::ModelInfo>();
  job::ResolvedModel resolved;

  TestModel(job::Provider provider, std::string name, std::string id) {
    info->id = id;
    info->provider = provider;
    resolved.name = std::move(name);
    resolved.id = std::move(id);
    resolved.parsed.provider = provider;
    resolved.info = info;
  }
  job::Capabilities& can() { return info->capabilities; }
};

inline TestModel bedrock_model(job::ModelFamily family = job::ModelFamily::other) {
  TestModel out(job::Provider::bedrock, "bedrock/m", "m");
  out.info->family = family;
  return out;
}

inline TestModel invoked_model(job::ModelFamily family) {
  TestModel out = bedrock_model(family);
  out.can().converse = false;
  return out;
}

inline TestModel openai_model() { return {job::Provider::openai, "openai/gpt", "gpt"}; }

inline ModelRequest asking(std::string prompt, std::string system = "") {
  ModelRequest out;
  out.system = std::move(system);
  out.messages.push_back({Message::Role::user, std::move(prompt)});
  return out;
}

inline std::shared_ptr<ModelRequest> shared(ModelRequest request) {
  return std::make_shared<ModelRequest>(std::move(request));
}

inline std::string in_words(const Usage& usage) {
  return std::to_string(usage.input_tokens) + " in, " + std::to_string(usage.output_tokens) + " out, " +
         std::to_string(usage.cache_read_tokens) + " read, " + std::to_string(usage.cache_write_tokens) + " written";
}

// "complete 'text' (1 in, 2 out, 0 read, 0 written)" or "unavailable: message (billed nothing)".
inline std::string in_words(const ProviderResult& result) {
  if (result) {
    return std::string(to_string(result->stop)) + " '" + result->text + "' (" +
           (result->usage_known ? in_words(result->usage) : "usage unknown") + ")";
  }
  const ProviderFailure& failure = result.error();
  std::string billed;
  switch (failure.billed) {
    case ProviderFailure::Billed::nothing:
      billed = "nothing";
      break;
    case ProviderFailure::Billed::usage:
      billed = in_words(failure.usage);
      break;
    case ProviderFailure::Billed::unknown:
      billed = "unknown";
      break;
  }
  return std::string(to_string(failure.error.kind)) + ": " + failure.error.message + " (billed " + billed + ")";
}

}  // namespace palette::model
