#include "async/event.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace palette::async {

Event::Event(boost::asio::any_io_executor executor)
    : timer_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}

Task<Status> Event::wait() {
  co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (state.cancelled() != boost::asio::cancellation_type::none) {
    co_return fail(ErrorKind::cancelled, "the wait was cancelled");
  }
  co_return Status{};
}

void Event::notify_all() { timer_.cancel(); }

}  // namespace palette::async
