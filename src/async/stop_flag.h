// "Start nothing new": a flag that one task raises and others look at, and that wakes those who only wait for time to
// pass.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "async/task.h"
#include "base/result.h"

namespace palette::async {

class StopFlag {
 public:
  // Told once, when the flag is raised, for as long as the listener lives. Being told it may end itself or others.
  class Listener {
   public:
    Listener(std::shared_ptr<StopFlag> flag, std::function<void()> on_stop);
    ~Listener();
    Listener(const Listener&) = delete;

   private:
    friend class StopFlag;
    std::shared_ptr<StopFlag> flag_;
    std::function<void()> on_stop_;
    std::list<Listener*>::iterator place_;
    bool told_ = false;
  };

  bool requested() const { return requested_; }
  void request();

  // Sleeps `duration_ms`; `cancelled` at once when the flag is raised or the task that waits is cancelled.
  Task<Status> sleep_for(std::int64_t duration_ms);

 private:
  bool requested_ = false;
  std::list<boost::asio::steady_timer*> sleepers_;
  std::list<Listener*> listeners_, told_;
};

}  // namespace palette::async
