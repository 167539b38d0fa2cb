#include "async/stop_flag.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace palette::async {

StopFlag::Listener::Listener(std::shared_ptr<StopFlag> flag, std::function<void()> on_stop)
    : flag_(std::move(flag)),
      on_stop_(std::move(on_stop)),
      place_(flag_->listeners_.insert(flag_->listeners_.end(), this)) {}

StopFlag::Listener::~Listener() { (told_ ? flag_->told_ : flag_->listeners_).erase(place_); }

void StopFlag::request() {
  const bool first = !requested_;
  requested_ = true;
  for (boost::asio::steady_timer* sleeper : sleepers_) sleeper->cancel();
  if (!first) return;
  while (!listeners_.empty()) {
    Listener* const listener = listeners_.front();
    told_.splice(told_.end(), listeners_, listeners_.begin());
    listener->told_ = true;
    const std::function<void()> on_stop = std::move(listener->on_stop_);  // the listener may end meanwhile
    on_stop();
  }
}

Task<Status> StopFlag::sleep_for(std::int64_t duration_ms) {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (requested_ || state.cancelled() != boost::asio::cancellation_type::none)
    co_return fail(ErrorKind::cancelled, "the work is being stopped");
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(std::chrono::milliseconds(duration_ms));
  const auto place = sleepers_.insert(sleepers_.end(), &timer);
  const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  sleepers_.erase(place);
  if (error || requested_) co_return fail(ErrorKind::cancelled, "the wait was cancelled");
  co_return Status{};
}

}  // namespace palette::async
