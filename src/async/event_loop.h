// The event loop: one thread that runs every task.
//
//   EventLoop loop;
//   int status = loop.run(serve(settings));   // until that task has ended
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "async/task.h"

namespace palette::async {

class EventLoop {
 public:
  boost::asio::io_context& context() { return context_; }

  // Runs the loop until `task` has ended, and gives its value; an exception of the task is thrown on. What else still
  // waits on the loop then (a signal handler, say) is left as it is.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    std::exception_ptr thrown;
    boost::asio::co_spawn(context_, std::move(task), [&](std::exception_ptr error, T result) {
      thrown = error;
      value.emplace(std::move(result));
      context_.stop();
    });
    context_.run();
    context_.restart();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }

 private:
  boost::asio::io_context context_{1};
};

}  // namespace palette::async
