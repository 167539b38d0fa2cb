// Work that blocks (files, SQLite, Parquet, compression) runs on a small pool of threads; the coroutine that
// asked sleeps meanwhile and goes on, on the loop.
//
//   Result<std::string> body = co_await pool.run([path] { return read_file(path); });
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <type_traits>
#include <utility>

#include "async/task.h"

namespace palette::async {

class BlockingPool {
 public:
  explicit BlockingPool(unsigned threads) : pool_(threads) {}
  ~BlockingPool() { pool_.join(); }

  // Runs `work` on a thread of the pool and gives its value. Not cancellable: `work` must be bounded.
  template <class Work>
  Task<std::invoke_result_t<Work>> run(Work work) {
    using Value = std::invoke_result_t<Work>;
    auto executor = co_await boost::asio::this_coro::executor;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(Value)>(
        [this, executor]<class Handler>(Handler handler, Work job) {
          boost::asio::post(pool_, [executor, handler = std::move(handler), job = std::move(job)]() mutable {
            auto value = std::make_unique<Value>(job());
            boost::asio::post(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
              std::move(handler)(std::move(*value));
            });
          });
        },
        boost::asio::use_awaitable, std::move(work));
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace palette::async
