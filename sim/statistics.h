// What was counted since the start or the last reset.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "model_table.h"

namespace palette::sim {

// What became of a call.
enum class Outcome : std::uint8_t {
  answered,     // delivered whole and well formed
  faulted,      // see the fault
  client_left,  // the answer was made (and billed), and nobody was there to take it
  rejected,     // the request was wrong
  refused,      // the signature or key was
};

struct CallEnd {
  Outcome outcome = Outcome::answered;
  std::optional<Fault> fault;
  Model* model = nullptr;  // null: it was not found out
  std::string identity;
  Usage usage;  // of billed calls
  std::string service_tier;
};

class Statistics {
 public:
  static constexpr std::size_t kCallsKept = 100'000;

  // A call of a model has come.
  void begin();
  // What became of it: once a call, as soon as that is known.
  void count(const CallEnd& end);
  // Its connection waits no more.
  void leave() { --in_flight_; }
  void count_tokens_call() { ++token_counts_; }
  void reset();

  std::int64_t calls() const { return calls_; }
  // The body of GET /_sim/stats.
  std::string to_json(const ModelTable& models) const;
  // The body of GET /_sim/calls: those after number `since`, of the last kCallsKept.
  std::string calls_json(std::uint64_t since) const;

 private:
  struct Kept {
    std::string identity;
    const Model* model = nullptr;  // null: it was not found out
    std::string_view outcome;      // a fault's name or an outcome's
  };

  void count_billed(const CallEnd& end);
  void keep(const CallEnd& end);
  std::string models_json(const ModelTable& models) const;

  std::int64_t calls_ = 0, answered_ = 0, paid_twice_ = 0, billed_unanswered_ = 0;
  std::int64_t rejected_ = 0, refused_signatures_ = 0, client_left_ = 0, token_counts_ = 0;
  std::int64_t in_flight_ = 0, in_flight_max_ = 0;
  std::array<std::int64_t, kFaults> faults_{};
  PicoSum cost_answered_pico_ = 0, cost_unanswered_pico_ = 0;
  boost::unordered_flat_set<std::uint64_t> answered_identities_;  // hashes of them: eight bytes each
  std::vector<Kept> kept_;                                        // a ring
  std::uint64_t ended_ = 0;                                       // how many went into the ring
};

}  // namespace palette::sim
