#include "http/call.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>
#include <string>

namespace palette::http {

Call::Call(std::shared_ptr<DeadlineSweep> sweep, const Deadlines& deadlines)
    : sweep_(std::move(sweep)), deadlines_(deadlines), total_due_ms_(due_in(deadlines.total_ms)) {
  sweep_->add(*this);
  enter(Phase::queue);
}

Call::~Call() { sweep_->remove(*this); }

void Call::enter(Phase phase) {
  phase_ = phase;
  std::int64_t due_ms = kNever_ms;
  switch (phase) {
    case Phase::queue:
      break;
    case Phase::connect:
      due_ms = due_in(deadlines_.connect_ms);
      break;
    case Phase::first_byte:
      due_ms = due_in(deadlines_.first_byte_ms);
      break;
    case Phase::send:
    case Phase::body:
      due_ms = due_in(deadlines_.idle_ms);
      break;
  }
  by_total_ = total_due_ms_ <= due_ms;
  sweep_->arm(*this, by_total_ ? total_due_ms_ : due_ms);
}

void Call::on_deadline() {
  expired_ = true;
  if (transport_ != nullptr) transport_->cancel();
  if (timer_ != nullptr) timer_->cancel();
}

Error Call::ended() const {
  if (!expired_) return Error{ErrorKind::cancelled, "the request was cancelled"};
  const auto within = [](std::string what, std::int64_t wait_ms) {
    return Error{ErrorKind::timeout, std::move(what) + " within " + std::to_string(wait_ms) + " ms"};
  };
  switch (phase_) {
    case Phase::queue:
      return within("no connection was free", deadlines_.total_ms);
    case Phase::connect:
      return within("no connection", by_total_ ? deadlines_.total_ms : deadlines_.connect_ms);
    case Phase::send:
      return within("the request could not be sent on", by_total_ ? deadlines_.total_ms : deadlines_.idle_ms);
    case Phase::first_byte:
      return within("no answer", by_total_ ? deadlines_.total_ms : deadlines_.first_byte_ms);
    case Phase::body:
      return by_total_ ? within("the answer was not whole", deadlines_.total_ms)
                       : within("the answer stopped half way: no more of it came", deadlines_.idle_ms);
  }
  return Error{ErrorKind::internal, "a deadline of no phase"};
}

async::Task<bool> wait_for_event(Call* call, boost::asio::steady_timer* event) {
  const auto before = co_await boost::asio::this_coro::cancellation_state;
  if (call->expired() || before.cancelled() != boost::asio::cancellation_type::none) co_return false;
  call->waits_for(event);
  auto waiting = event->async_wait(boost::asio::as_tuple(boost::asio::deferred));
  co_await std::move(waiting);  // NOLINT(performance-move-const-arg): it wants an rvalue
  call->waits_for(static_cast<boost::asio::steady_timer*>(nullptr));
  const auto after = co_await boost::asio::this_coro::cancellation_state;
  co_return !call->expired() && after.cancelled() == boost::asio::cancellation_type::none;
}

}  // namespace palette::http
