#include "http/turns.h"

namespace palette::http {

// In the queue from its making until it is given a turn, or destroyed with the task that waits.
struct Turns::Waiter {
  explicit Waiter(Turns* its_turns)
      : event(its_turns->executor_, boost::asio::steady_timer::time_point::max()),
        turns(its_turns),
        place(turns->waiters_.insert(turns->waiters_.end(), this)) {}
  ~Waiter() {
    if (!given) turns->waiters_.erase(place);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  boost::asio::steady_timer event;
  Turns* turns;
  std::list<Waiter*>::iterator place;
  bool given = false;
};

async::Task<bool> Turns::take(Call* call) {
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  Waiter waiter(this);
  const bool goes_on = co_await wait_for_event(call, &waiter.event);
  if (waiter.given && !goes_on) give_back();
  co_return waiter.given&& goes_on;
}

void Turns::give_back() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  Waiter* const next = waiters_.front();
  waiters_.pop_front();
  next->given = true;
  next->event.cancel();
}

}  // namespace palette::http
