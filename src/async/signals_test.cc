#include "async/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <utility>
#include <vector>

#include "async/event_loop.h"
#include "async/timer.h"

namespace palette::async {
namespace {

using Told = std::vector<std::pair<int, int>>;

Task<Told> raise_twice(EventLoop* loop) {
  Told seen;
  StopSignals signals(loop->context(), [&](int signal, int count) { seen.emplace_back(signal, count); });
  std::raise(SIGTERM);
  while (seen.size() < 1) co_await sleep_for(0);
  std::raise(SIGINT);
  while (seen.size() < 2) co_await sleep_for(0);
  co_return seen;
}

TEST(StopSignals, TellsEachSignalAndCountsThem) {
  EventLoop loop;
  EXPECT_EQ(loop.run(raise_twice(&loop)), (Told{{SIGTERM, 1}, {SIGINT, 2}}));
}

TEST(StopSignals, IgnoresLateSignalsWhenItHasEnded) {
  EventLoop loop;
  {
    StopSignals signals(loop.context(), [](int, int) {});
  }
  struct sigaction now{};
  ASSERT_EQ(::sigaction(SIGTERM, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace
}  // namespace palette::async
