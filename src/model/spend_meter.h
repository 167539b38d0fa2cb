// Who is asked before money is spent, and told what was. generate::Ledger keeps the budget behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "async/task.h"
#include "async/turn_queue.h"
#include "base/money.h"
#include "base/result.h"
#include "model/model.h"

namespace palette::model {

// How a call ended, for the books.
struct CallBill {
  enum class End : std::uint8_t {
    answered,  // it gave an answer
    wasted,    // it gave none that can be used, but is paid for, or may be
    free,      // nothing was done for us
  };

  std::string_view model, step;
  Money reserved = {};
  End end = End::free;
  Usage usage = {};        // of `answered` and `wasted`: real, or the bound when `estimated`
  Money cost = {};         // likewise
  bool estimated = false;  // nobody said how much it was: the bound stands for it
  bool throttled = false;  // it was told to slow down
};

class SpendMeter {
 public:
  virtual ~SpendMeter() = default;

  // Sets `bound` aside for a call of that record and step. Waits while calls in flight may free enough of the budget;
  // over_budget when that cannot be hoped for; `cancelled` once the work is being stopped.
  virtual async::Task<Status> reserve(Money bound, async::TurnKey key) = 0;

  // After every reserve() that succeeded, once.
  virtual void settle(const CallBill& bill) = 0;
};

}  // namespace palette::model
