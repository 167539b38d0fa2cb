// So many at a time, in the order they came.
//
//   if (!co_await turns.take(call)) …ended while waiting…
//   const Turns::Turn turn(&turns);  // gives it back
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <list>
#include <utility>

#include "async/task.h"
#include "http/call.h"

namespace palette::http {

class Turns {
 public:
  Turns(boost::asio::any_io_executor executor, std::size_t at_once) : executor_(std::move(executor)), free_(at_once) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // False, and no turn taken: the call has ended (cancelled or expired) before.
  async::Task<bool> take(Call* call);

  // Holds a turn that was taken.
  class Turn {
   public:
    explicit Turn(Turns* turns) : turns_(turns) {}
    ~Turn() { turns_->give_back(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Turns* turns_;
  };

 private:
  struct Waiter;
  void give_back();

  boost::asio::any_io_executor executor_;
  std::size_t free_;
  std::list<Waiter*> waiters_;
};

}  // namespace palette::http
