// Is a model there? A circuit breaker: after several failures in a row nobody asks it until a pause has passed; then
// one call is let through as a probe, and its answer opens the way for all. And the budget of retries, so that an
// outage is not made worse by those who ask again.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/turn_queue.h"
#include "base/time.h"

namespace palette::model {

struct HealthPolicy {
  int failures_max = 8;  // in a row: the circuit opens
  std::int64_t pause_ms = 500;
  std::int64_t pause_ms_max = 30'000;     // doubles up to here while probes fail
  std::int64_t patience_ms = 300'000;     // of those who wait for a model that has answered in this run
  std::int64_t patience_new_ms = 15'000;  // the same, when it never has: its address may be wrong
  int retry_tokens = 500;                 // as the AWS SDKs' standard mode: 5 a retry, 10 after a timeout
};

// For a person: that a model is away, or back.
using Notice = std::function<void(const std::string& text)>;

// What a call was let in as.
struct Admission {
  std::int64_t probe = 0;  // its number; 0: it is none
};

// Lives on the loop, longer than every call.
class ModelHealth {
 public:
  ModelHealth(boost::asio::any_io_executor executor, std::string model, HealthPolicy policy,
              std::shared_ptr<async::StopFlag> stop, const Clock& clock, Notice notice = {});

  // May a call start? Waits while the model is away; with a fallback it fails at once instead. Then, and when patience
  // ends: `outage`.
  async::Task<Result<Admission>> admit(async::TurnKey key, bool has_fallback);

  // Does it still hold? Not when the circuit has opened since, unless the call is the probe: then it asks again.
  bool still_admits(Admission admission) const { return state_ == State::closed || is_probe(admission); }

  // The model gave an answer of some kind: it is there.
  void on_answer();
  // It was unavailable, or silent.
  void on_failure(const Error& error, Admission admission);
  // A call that was admitted ended without telling anything (cancelled).
  void on_nothing(Admission admission);

  // May a failed call be tried again at once? Else the circuit opens, and the next try waits at admit().
  void spend_retry(ErrorKind kind);

  bool is_open() const { return state_ != State::closed; }

 private:
  enum class State : std::uint8_t { closed, open, probing };

  // The one that is out now; of an earlier one the answer counts, the failure does not.
  bool is_probe(Admission admission) const { return state_ == State::probing && admission.probe == probes_; }
  Admission new_probe();
  void open();
  void close();
  void wait_out_pause();
  void tell_away();
  std::int64_t patience_end_ms() const;
  Error away() const;

  std::string model_;
  HealthPolicy policy_;
  const Clock& clock_;
  Notice notice_;
  State state_ = State::closed;
  int failures_ = 0;
  std::int64_t probes_ = 0;
  int retry_tokens_;
  bool ever_answered_ = false;
  std::int64_t pause_ms_;
  std::int64_t open_until_ms_ = 0;
  std::int64_t away_since_ms_ = 0;
  std::string last_error_;
  bool told_away_ = false;
  async::TurnQueue<Admission*> queue_;
  std::shared_ptr<boost::asio::steady_timer> timer_;
};

}  // namespace palette::model
