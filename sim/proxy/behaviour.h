// How the proxy behaves: from the command line at the start, by POST /_proxy/config while it runs.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "fault.h"

namespace palette::proxy {

inline constexpr std::int64_t kWaitMax_ms = 24 * 3'600'000;

struct Behaviour {
  std::int64_t latency_ms = 0;   // of every request, before the upstream is asked
  std::int64_t jitter_ms = 0;    // more, uniform between 0 and this
  std::int64_t slow_ms = 1'000;  // more, of requests with the fault `slow`
  bool outage = false;           // no request gets an answer, and none reaches the upstream
  FaultRates rates = {};
};

// Changes what the object names ({"latency_ms": 50, "faults": {"throttle": 0.1}, "outage": true, …}); `faults` replaces
// all rates. bad_input names the member that is wrong, and nothing has changed then.
Status apply_config(const JsonObject& config, Behaviour& behaviour);
std::string config_json(const Behaviour& behaviour);

// {"faults": [{"kind": "cut_after", "count": 3, "after": 10, "op": "PutItem", "key": "…"}]}: all of them, or none.
Status add_scripts(const JsonObject& body, FaultScripts& scripts);

}  // namespace palette::proxy
