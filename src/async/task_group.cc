#include "async/task_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>

namespace palette::async {
namespace {

// A cancelled task goes on with the error of what it waited for, as a value, instead of an exception at its next
// co_await.
Task<void> cancelled_by_value(Task<void> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(boost::asio::any_io_executor executor)
    : executor_(std::move(executor)), all_ended_(executor_, boost::asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() { assert(signals_.empty()); }

void TaskGroup::spawn(Task<void> task) {
  const auto signal = signals_.emplace(signals_.end());
  boost::asio::co_spawn(executor_, cancelled_by_value(std::move(task)),
                        boost::asio::bind_cancellation_slot(signal->slot(), [this, signal](std::exception_ptr error) {
                          if (error && !thrown_) thrown_ = error;
                          signals_.erase(signal);
                          if (signals_.empty()) all_ended_.cancel();
                        }));
}

Task<void> TaskGroup::join() {
  while (!signals_.empty()) {
    co_await all_ended_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void TaskGroup::cancel() {
  // A task that ends at once erases its signal: step on before it is emitted.
  for (auto signal = signals_.begin(); signal != signals_.end();) {
    auto current = signal++;
    current->emit(boost::asio::cancellation_type::terminal);
  }
}

}  // namespace palette::async
