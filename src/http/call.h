// One request on its way: its deadlines, and what it waits for at this moment.
#pragma once

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "http/client.h"
#include "http/deadlines.h"
#include "http/transport.h"

namespace palette::http {

class Call final : public Timed {
 public:
  enum class Phase : std::uint8_t { queue, connect, send, first_byte, body };

  Call(std::shared_ptr<DeadlineSweep> sweep, const Deadlines& deadlines);
  ~Call();

  // The deadline of that phase runs from now, under that of the whole.
  void enter(Phase phase);
  // What on_deadline() wakes up. At most one of the two; null when the wait is over.
  void waits_for(Transport* transport) { transport_ = transport; }
  void waits_for(boost::asio::steady_timer* timer) { timer_ = timer; }

  void on_deadline() override;
  bool expired() const { return expired_; }
  // Why a wait ended early: the deadline that has passed, or that the task was cancelled.
  Error ended() const;

 private:
  std::shared_ptr<DeadlineSweep> sweep_;
  Deadlines deadlines_;
  std::int64_t total_due_ms_;
  Transport* transport_ = nullptr;
  boost::asio::steady_timer* timer_ = nullptr;
  Phase phase_ = Phase::queue;
  bool by_total_ = false;  // the deadline that is armed is that of the whole
  bool expired_ = false;
};

// Waits on a timer that something else cancels to wake us; false when the call has ended (cancelled or expired).
async::Task<bool> wait_for_event(Call* call, boost::asio::steady_timer* event);

}  // namespace palette::http
