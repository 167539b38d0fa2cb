// A door that many tasks go through while it is open, and wait at while it is closed.
//
//   if (const Status passed = co_await gate.pass(key); !passed) co_return passed;
#pragma once

#include <memory>

#include "async/turn_queue.h"

namespace palette::async {

// Lives on the loop, longer than every wait. Open at first.
class Gate {
 public:
  // Once `stop` is raised who waits is told `cancelled`.
  explicit Gate(std::shared_ptr<StopFlag> stop) : queue_(std::move(stop)) {}

  bool is_open() const { return open_; }
  void close() { open_ = false; }
  // Those who wait go first, in the order of their keys.
  void open() {
    open_ = true;
    while (auto* first = queue_.first()) queue_.grant(*first);
  }

  // At once while it is open. Looks again after a wait: it may have closed meanwhile.
  Task<Status> pass(TurnKey key) {
    while (!open_) {
      if (const Status waited = co_await queue_.wait(key, {}); !waited) co_return waited;
    }
    co_return Status{};
  }

 private:
  struct Nothing {};
  bool open_ = true;
  TurnQueue<Nothing> queue_;
};

}  // namespace palette::async
