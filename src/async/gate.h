// A door that many tasks go through while it is open, and wait at while it is closed.
//
//   if (const Status passed = co_await gate.pass(key); !passed) co_return passed;
#pragma once

#include <functional>
#include <memory>

#include "async/turn_queue.h"

namespace palette::async {

// Lives on the loop, longer than every wait. Open at first.
class Gate {
 public:
  // Once `stop` is raised who waits is told `cancelled`.
  explicit Gate(std::shared_ptr<StopFlag> stop) : queue_(std::move(stop)) {}

  // Asked by everyone who wants to pass, beside close(): for what may end at any moment. Once it holds again, open()
  // lets those go who wait.
  void open_only_while(std::function<bool()> condition) { condition_ = std::move(condition); }

  bool is_open() const { return open_ && (!condition_ || condition_()); }
  void close() { open_ = false; }
  // Those who wait go first, in the order of their keys.
  void open() {
    open_ = true;
    while (auto* first = queue_.first()) queue_.grant(*first);
  }

  // At once while it is open. Looks again after a wait: it may have closed meanwhile.
  Task<Status> pass(TurnKey key) {
    while (!is_open()) {
      if (const Status waited = co_await queue_.wait(key, {}); !waited) co_return waited;
    }
    co_return Status{};
  }

 private:
  struct Nothing {};
  bool open_ = true;
  std::function<bool()> condition_;
  TurnQueue<Nothing> queue_;
};

}  // namespace palette::async
