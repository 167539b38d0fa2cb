// Calling a language model. One interface for every provider: a request goes in, a text with its usage comes out, or an
// Error whose kind says what to do about it. tests/contract/model_contract.h holds the implementations to it.
//
//   Result<ModelResult> answer = co_await model.call(request);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "job/spec.h"

namespace palette::model {

struct Message {
  enum class Role : std::uint8_t { user, assistant } role = Role::user;
  std::string text;
};

// What makes a stand-in's answer reproducible: the job's seed, the record, the step, the try, the round of
// --retry-failed.
struct RequestKey {
  std::uint64_t seed = 0;
  RecordIndex record;
  std::uint32_t step_stream = 0;
  int attempt = 1;         // which try of this call, from 1
  std::int64_t round = 0;  // which retry of a failed record, from 1; 0: made for the first time
};

struct ModelRequest {
  std::string system;
  std::vector<Message> messages;
  job::CallOptions options;
  RequestKey key;
  int* tries = nullptr;  // when set: how many calls it took, told for failures too
};

enum class StopReason : std::uint8_t { complete, truncated, refused };

std::string_view to_string(StopReason reason);

struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;

  Usage& operator+=(const Usage& other) {
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    return *this;
  }
  bool operator==(const Usage&) const = default;
};

struct ModelResult {
  std::string text;
  StopReason stop = StopReason::complete;
  Usage usage;
  Money cost;
  std::string model;  // which one answered
  int tries = 1;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual async::Task<Result<ModelResult>> call(ModelRequest request) = 0;
  virtual const std::string& name() const = 0;
};

}  // namespace palette::model
