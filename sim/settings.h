// How the stand-in behaves: from the command line at the start, by POST /_sim/config while it runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
#include "base/json.h"
#include "faults.h"
#include "metadata_endpoints.h"
#include "quota.h"

namespace palette::sim {

// What can change while it runs.
struct Behaviour {
  std::int64_t latency_ms = 0;  // of every answer
  std::int64_t jitter_ms = 0;   // more, uniform between 0 and this
  double tail_share = 0;        // of calls that take tail_ms more
  std::int64_t tail_ms = 0;
  std::int64_t slow_start_ms = 0;  // more, for the first slow_start_calls calls
  std::int64_t slow_start_calls = 100;
  Quota::Limits limits;           // of every model
  std::int64_t answer_words = 0;  // 0: between 20 and 60
  std::int64_t cache_tokens_min = 1'024;
  bool outage = false;  // every call of a model gets 503
  FaultRates rates;
};

struct Settings {
  Behaviour behaviour;
  std::uint64_t seed = 1;
  bool verify_signatures = false;
  std::vector<aws::SigningCredentials> credentials;
  std::string api_key;  // empty: any key will do
  bool strict = false;  // refuse what the catalogue says that a model refuses
  MetadataSettings metadata;
};

// "KEY:SECRET", or "KEY:SECRET:SESSION_TOKEN".
Result<aws::SigningCredentials> parse_credentials(std::string_view text);
// "0.05:2000": share and milliseconds.
Status parse_latency_tail(std::string_view text, Behaviour& behaviour);

// Changes what the object names ({"latency_ms": 50, "faults": {"throttle": 0.1}, "outage": true, …}); `faults` replaces
// all rates. bad_input names the member that is wrong, and nothing has changed then.
Status apply_config(const JsonObject& config, Behaviour& behaviour);
std::string config_json(const Behaviour& behaviour);

// {"faults": [{"kind": "hang", "count": 3, "after": 10, "model": "…", "identity": "…"}]}: all of them, or none.
Status add_scripts(const JsonObject& body, FaultScripts& scripts);

}  // namespace palette::sim
