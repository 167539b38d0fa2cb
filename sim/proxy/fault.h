// Faults on purpose: drawn at given rates, or scripted ("the next three conditional PUTs lose their answer").
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "operation.h"

namespace palette::proxy {

enum class Fault : std::uint8_t {
  error_500,        // the upstream is not asked
  error_500_after,  // the upstream does the work, the answer is 500 all the same
  error_503,        // of S3: SlowDown
  throttle,     // of DynamoDB: ProvisionedThroughputExceededException, ThrottlingException, or a transaction's reasons
  conflict,     // another write at the same time
  in_progress,  // a transaction with the same token is still running
  cut_before,   // the connection is closed, the upstream is not asked
  cut_after,    // the upstream does the work, the connection is closed without an answer
  half,         // the upstream does the work, the connection is closed half way through the answer
  slow,         // takes slow_ms longer
  hang,         // the upstream does the work, no answer comes until the client leaves
};
inline constexpr std::size_t kFaults = 11;

// As on the command line: "500", "cut_after", …
std::string_view to_string(Fault fault);
// bad_input that names what is known.
Result<Fault> parse_fault(std::string_view text);

// Does the upstream see the request?
bool asks_upstream(Fault fault);
// Conflicts are of transactions and of writes that one can meet; in_progress is of TransactWriteItems.
bool can_befall(Fault fault, const Operation& operation);

// Shares of all requests, by fault. Their sum is at most 1.
class FaultRates {
 public:
  // bad_input when the rate is not between 0 and 1, or the sum would be above 1.
  Status set(Fault fault, double rate);
  double rate(Fault fault) const { return rates_[static_cast<std::size_t>(fault)]; }
  // The fault at `share` in [0, 1), if one stands there.
  std::optional<Fault> at(double share) const;

 private:
  std::array<double, kFaults> rates_{};
};

// "throttle=0.1".
Status parse_fault_rate(std::string_view text, FaultRates& rates);

// `count` requests that match get the fault, after the first `after` that match. A request that the fault cannot befall
// does not match.
struct FaultScript {
  Fault fault = Fault::error_500;
  std::int64_t count = 1, after = 0;
  std::string operation;  // its name; empty: any
  std::string key;        // occurs in what the request is about (is_about); empty: any
};

class FaultScripts {
 public:
  static constexpr std::size_t kScriptsMax = 10'000;

  // too_large beyond kScriptsMax.
  Status add(FaultScript script);
  void clear() { scripts_.clear(); }
  std::size_t size() const { return scripts_.size(); }
  // What the scripts say of this request; the first that has something to say wins, and every one counts the request.
  std::optional<Fault> next(const http::ServerRequest& request, const Operation& operation);

 private:
  std::deque<FaultScript> scripts_;
};

}  // namespace palette::proxy
