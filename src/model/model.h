// Calling a language model. One interface for every provider: a request goes in, a text with its usage comes out, or an
// Error whose kind says what to do about it. tests/contract/model_contract.h holds the implementations to it.
//
//   auto request = std::make_shared<ModelRequest>();
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

// Who asks: goes with the call to the provider's logs, and tells a repeated call from a new one.
struct CallIdentity {
  std::string job;   // job id
  std::string step;  // step id
  RecordIndex record;
  std::int64_t step_position = 0;  // in the order of the steps: later ones go first

  // "<job>-<record>/<step>": the same for every try of the same step.
  std::string text() const;
};

// One for a call with all its tries: what goes down to the provider is shared, and changed on the way (the number of
// the try, the time for the answer). It is the caller's again when the call has ended.
struct ModelRequest {
  std::string system;
  std::vector<Message> messages;
  job::CallOptions options;
  bool cache_system = false;   // mark the system text as a prefix to be cached
  bool has_fallback = false;   // another model stands ready: do not wait for this one
  std::int64_t answer_ms = 0;  // how long the answer may take; 0: as the provider was told
  RequestKey key;
  CallIdentity identity;
  int tries = 1;  // how many calls it took so far, for failures too
};

enum class StopReason : std::uint8_t { complete, truncated, refused };

std::string_view to_string(StopReason reason);

// Tokens by the kinds that have prices of their own. Cached tokens are not in input_tokens.
struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cache_read_tokens = 0;
  std::int64_t cache_write_tokens = 0;

  Usage& operator+=(const Usage& other) {
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    cache_read_tokens += other.cache_read_tokens;
    cache_write_tokens += other.cache_write_tokens;
    return *this;
  }
  Usage& operator-=(const Usage& other) {
    input_tokens -= other.input_tokens;
    output_tokens -= other.output_tokens;
    cache_read_tokens -= other.cache_read_tokens;
    cache_write_tokens -= other.cache_write_tokens;
    return *this;
  }
  std::int64_t total() const { return input_tokens + output_tokens + cache_read_tokens + cache_write_tokens; }
  bool operator==(const Usage&) const = default;
};

struct ModelResult {
  std::string text;
  StopReason stop = StopReason::complete;
  Usage usage;
  bool usage_known = true;  // false: the answer did not say; `usage` and `cost` are upper bounds
  Money cost;
  std::string model;  // which one answered
  int tries = 1;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) = 0;
  virtual const std::string& name() const = 0;
};

}  // namespace palette::model
