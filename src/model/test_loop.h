// What the tests of waiting share: a loop that is turned by hand, a clock that stands still, and tasks that can be
// taken back one by one.
//
//   auto answer = start(limiter.enter({1, 0}, 10));
//   turn();
//   EXPECT_FALSE(answer->has_value());   // it waits
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "async/stop_flag.h"
#include "base/time.h"
#include "contract/await.h"

namespace palette::model {

class HandClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{1'764'000'000'000 + now_ms}; }
  std::int64_t monotonic_ms() const override { return now_ms; }

  std::int64_t now_ms = 5'000;
};

class LoopTest : public ::testing::Test {
 protected:
  template <class T>
  using Pending = std::shared_ptr<std::optional<T>>;

  // What still waits is taken back while all that it waits for is there.
  void TearDown() override {
    take_back(group);
    take_back(others);
    EXPECT_EQ(group.running() + others.running(), 0u);
  }

  // Cancels every task of the group: on the loop, as everything that happens to tasks.
  void take_back(async::TaskGroup& tasks) {
    boost::asio::post(loop.context(), [&tasks] { tasks.cancel(); });
    turn();
  }

  // Until the end of the test.
  template <class T>
  std::shared_ptr<T> kept(std::shared_ptr<T> thing) {
    kept_.push_back(thing);
    return thing;
  }

  // Goes on until it has to wait; so does everything that was woken by it.
  void turn() {
    loop.context().restart();
    loop.context().poll();
  }
  // For what a real timer wakes.
  void run_until(const std::function<bool()>& is_done) {
    constexpr int kTurnsMax = 5'000;
    for (int i = 0; i < kTurnsMax && !is_done(); ++i) {
      loop.context().restart();
      loop.context().run_one_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(is_done()) << "it was waited for in vain";
  }

  template <class T>
  Pending<T> start(async::Task<T> task) {
    return start_in(group, std::move(task));
  }
  template <class T>
  static Pending<T> start_in(async::TaskGroup& owner, async::Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    owner.spawn(keep(std::move(task), result));
    return result;
  }

  async::EventLoop loop;
  HandClock clock;
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();
  async::TaskGroup group{loop.context().get_executor()};
  async::TaskGroup others{loop.context().get_executor()};  // those that a test takes back

 private:
  std::vector<std::shared_ptr<void>> kept_;

  template <class T>
  static async::Task<void> keep(async::Task<T> task, Pending<T> result) {
    result->emplace(co_await std::move(task));
  }
};

}  // namespace palette::model
