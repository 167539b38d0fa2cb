// "Start nothing new": a flag that one task raises and others look at, and that wakes those who only wait for time to
// pass.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>

#include "async/task.h"
#include "base/result.h"

namespace palette::async {

class StopFlag {
 public:
  bool requested() const { return requested_; }
  void request();

  // Sleeps `duration_ms`; `cancelled` at once when the flag is raised or the task that waits is cancelled.
  Task<Status> sleep_for(std::int64_t duration_ms);

 private:
  bool requested_ = false;
  std::list<boost::asio::steady_timer*> sleepers_;
};

}  // namespace palette::async
