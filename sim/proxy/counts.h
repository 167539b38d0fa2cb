// What was counted since the start or the last reset.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "fault.h"
#include "http/message.h"

namespace palette::proxy {

class Counts {
 public:
  void request(const Operation& operation, std::optional<Fault> fault, std::size_t body_bytes);
  void outage() { ++requests_, ++outages_; }
  // An answer of the upstream, or of a fault.
  void answer(const Operation& operation, const http::Response& response);
  void upstream_failure() { ++upstream_failures_; }
  // A request that waits for its end.
  void enter();
  void leave() { --in_flight_; }
  std::int64_t in_flight() const { return in_flight_; }
  // All but what is in flight.
  void reset();

  // The body of GET /_proxy/stats.
  std::string to_json() const;

 private:
  // Names come from clients: beyond so many, they are counted as "other".
  static constexpr std::size_t kNamesMax = 200;
  using ByName = std::map<std::string, std::int64_t, std::less<>>;
  static void add(ByName& counts, const std::string& name, std::int64_t more);

  std::int64_t requests_ = 0, transaction_conflicts_ = 0, upstream_failures_ = 0, outages_ = 0;
  std::int64_t in_flight_ = 0, in_flight_max_ = 0;
  ByName by_operation_, refused_by_operation_, bytes_in_, bytes_out_, errors_;
  std::array<std::int64_t, kFaults> faults_{};
};

}  // namespace palette::proxy
