// Waking tasks on the same loop: a task waits until somebody tells that something has changed, and looks again.
//
//   while (!queue.has_room()) co_await room.wait();     // elsewhere: room.notify_all();
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/task.h"
#include "base/result.h"

namespace palette::async {

class Event {
 public:
  explicit Event(boost::asio::any_io_executor executor);

  // Sleeps until the next notify_all(); `cancelled` when the task that waits is cancelled.
  Task<Status> wait();

  void notify_all();

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace palette::async
