// Running tasks from a test: one alone, or many side by side.
#pragma once

#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/event_loop.h"
#include "async/task_group.h"
#include "base/result.h"

namespace palette::contract {

template <class T>
async::Task<void> keep_result(async::Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

// All of them at once; the results in their order.
template <class T>
async::Task<std::vector<T>> all_of(std::vector<async::Task<T>> tasks) {
  std::vector<std::optional<T>> results(tasks.size());
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  for (std::size_t i = 0; i < tasks.size(); ++i) group.spawn(keep_result(std::move(tasks[i]), &results[i]));
  co_await group.join();
  std::vector<T> values;
  values.reserve(results.size());
  for (auto& result : results) values.push_back(std::move(*result));
  co_return values;
}

// The loop of this process (a fork's is its own). It outlives every pool: a pool's thread may still be busy with the
// loop that it woke when the task that waited has gone on.
inline async::EventLoop& process_loop() {
  static std::map<pid_t, async::EventLoop> loops;
  return loops[::getpid()];
}

// Runs the task to its end.
template <class T>
T await(async::Task<T> task) {
  return process_loop().run(std::move(task));
}

// For messages: "" for a value.
template <class T>
std::string error_text(const Result<T>& result) {
  return result ? "" : std::string(to_string(result.error().kind)) + ": " + result.error().text();
}

}  // namespace palette::contract
