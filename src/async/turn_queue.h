// Tasks that wait for something scarce, served in the order of a key: who is first by key, not by arrival.
//
//   TurnQueue<Money> queue(stop);
//   Status turn = co_await queue.wait({record, step}, wanted);     // one task
//   if (auto* first = queue.first(); fits(first->payload)) queue.grant(*first);   // another
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "async/stop_flag.h"
#include "async/task.h"
#include "base/result.h"

namespace palette::async {

// Lower goes first: the older record, of equals the later step.
struct TurnKey {
  std::int64_t record = 0;
  std::int64_t step = 0;

  friend std::strong_ordering operator<=>(const TurnKey& a, const TurnKey& b) {
    if (const auto by_record = a.record <=> b.record; by_record != 0) return by_record;
    return b.step <=> a.step;
  }
  friend bool operator==(const TurnKey&, const TurnKey&) = default;
};

// Lives on one loop, longer than every wait.
template <class Payload>
class TurnQueue {
 public:
  struct Waiter {
    TurnKey key;
    Payload payload;
    std::optional<Status> answer;
    boost::asio::steady_timer timer;
    bool queued = true;
  };

  // Once `stop` is raised every wait ends with `cancelled`.
  explicit TurnQueue(std::shared_ptr<StopFlag> stop)
      : stop_(stop), listener_(std::move(stop), [this] { refuse_all(); }) {}
  TurnQueue(const TurnQueue&) = delete;

  // Until it is granted (success), refused (that error), stopped or cancelled (`cancelled`). What was granted stays
  // granted, also when the task is cancelled in the same moment.
  Task<Status> wait(TurnKey key, Payload payload) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (stop_->requested() || state.cancelled() != boost::asio::cancellation_type::none)
      co_return fail(ErrorKind::cancelled, "the work is being stopped");
    Waiter waiter{key, std::move(payload), {}, boost::asio::steady_timer(co_await boost::asio::this_coro::executor)};
    waiter.timer.expires_at(boost::asio::steady_timer::time_point::max());
    const auto place = waiters_.emplace(key, &waiter);
    (void)co_await waiter.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (waiter.queued) waiters_.erase(place);
    co_return waiter.answer.value_or(fail(ErrorKind::cancelled, "the wait was cancelled"));
  }

  bool empty() const { return waiters_.empty(); }
  std::size_t size() const { return waiters_.size(); }
  Waiter* first() const { return waiters_.empty() ? nullptr : waiters_.begin()->second; }
  Waiter* last() const { return waiters_.empty() ? nullptr : waiters_.rbegin()->second; }

  void grant(Waiter& waiter) { answer(waiter, Status{}); }
  void refuse(Waiter& waiter, Error error) { answer(waiter, std::unexpected(std::move(error))); }

 private:
  using Waiters = std::multimap<TurnKey, Waiter*>;

  void answer(Waiter& waiter, Status status) {
    waiter.answer = std::move(status);
    const auto [from, to] = waiters_.equal_range(waiter.key);
    for (auto place = from; place != to; ++place) {
      if (place->second != &waiter) continue;
      waiters_.erase(place);
      break;
    }
    waiter.queued = false;
    waiter.timer.cancel();
  }

  void refuse_all() {
    while (Waiter* waiter = first()) refuse(*waiter, Error{ErrorKind::cancelled, "the work is being stopped"});
  }

  Waiters waiters_;
  std::shared_ptr<StopFlag> stop_;
  StopFlag::Listener listener_;
};

}  // namespace palette::async
