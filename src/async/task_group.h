// Tasks that run side by side and are owned by whoever started them.
//
//   TaskGroup group(co_await boost::asio::this_coro::executor);
//   for (Lane& lane : lanes) group.spawn(lane.work());
//   co_await group.join();
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <exception>
#include <list>

#include "async/task.h"

namespace palette::async {

// Lives on one loop; must be joined before it is destroyed.
class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(Task<void> task);

  // Waits until no task runs; throws on what the first task threw. Not cancellable: tasks are cancelled by cancel().
  Task<void> join();

  // Cancels what every task waits for; each sees ErrorKind::cancelled and ends on its own.
  void cancel();

  std::size_t running() const { return signals_.size(); }

 private:
  boost::asio::any_io_executor executor_;
  std::list<boost::asio::cancellation_signal> signals_;  // one a running task
  std::exception_ptr thrown_;
  boost::asio::steady_timer all_ended_;
};

}  // namespace palette::async
