// Faults on purpose: drawn at given rates, or scripted ("the next three calls of this model hang").
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "call.h"

namespace palette::sim {

enum class Fault : std::uint8_t {
  throttle,      // 429; half of them with Retry-After
  error_500,     // InternalServerException
  error_503,     // ServiceUnavailableException
  error_408,     // ModelTimeoutException
  error_424,     // ModelErrorException
  hang,          // no answer, until the client leaves
  cut,           // the connection is closed without a byte
  half,          // half of an answer, then the connection is closed
  malformed,     // 200, but the JSON is broken
  empty,         // 200 with an empty text and its usage
  error_in_200,  // 200 whose body is an error
  not_ready,     // ModelNotReadyException
  quota_day,     // 429, "Too many tokens per day"
  zero_quota,    // the account may not call this model at all
  outage,        // 503 to everybody; by /_sim/config only
  quota,         // 429 because of --rpm or --tpm; never drawn
};
inline constexpr std::size_t kFaults = 16;

// As on the command line: "throttle", "500", …
std::string_view to_string(Fault fault);
// bad_input that names what is known. Only faults that can be asked for.
Result<Fault> parse_fault(std::string_view text);

// Is the call paid for, although it gave no answer that can be used?
bool is_billed(Fault fault);

// Shares of all calls, by fault. Their sum is at most 1.
class FaultRates {
 public:
  // bad_input when the rate is not between 0 and 1, or the sum would be above 1.
  Status set(Fault fault, double rate);
  double rate(Fault fault) const { return rates_[static_cast<std::size_t>(fault)]; }
  bool any() const;
  // The fault at `share` in [0, 1), if one stands there.
  std::optional<Fault> at(double share) const;

 private:
  std::array<double, kFaults> rates_{};
};

// "throttle=0.1".
Status parse_fault_rate(std::string_view text, FaultRates& rates);

// `count` calls that match get the fault, after the first `after` that match.
struct FaultScript {
  Fault fault = Fault::throttle;
  std::int64_t count = 1, after = 0;
  std::string model;     // part of the model's id; empty: any
  std::string identity;  // part of "<job>-<record>/<step>"; empty: any
};

class FaultScripts {
 public:
  static constexpr std::size_t kScriptsMax = 10'000;

  // too_large beyond kScriptsMax.
  Status add(FaultScript script);
  void clear() { scripts_.clear(); }
  std::size_t size() const { return scripts_.size(); }
  // What the scripts say of this call; the first that has something to say wins, and every one counts the call.
  std::optional<Fault> next(const Call& call);

 private:
  std::deque<FaultScript> scripts_;
};

}  // namespace palette::sim
