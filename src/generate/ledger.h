// The money of a part while it runs (DESIGN.md promises 3 and 4). Every call sets aside the most that it may cost, and
// settles what it did cost. What may be set aside comes from slices, each taken from the job's unallocated budget by a
// durable, conditional write before it is spent: a crash strands at most one slice, and nothing is ever spent twice.
//
//   spent + reserved <= slices taken            at every moment
//   budget = unallocated + slices taken;   slices taken - what is known to be spent = possibly spent (after a crash)
//
// When money gets tight older records go first, new ones start only if all of their steps will fit, and so the number
// of records in progress shrinks to one before the budget is used up.
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/turn_queue.h"
#include "base/money.h"
#include "base/time.h"
#include "generate/checkpoint.h"
#include "generate/run_control.h"
#include "model/spend_meter.h"

namespace palette::generate {

// Where slices come from: the Jobs item (store::JobStore::take_slice).
class SliceSource {
 public:
  struct Answer {
    bool granted = false;
    Money unallocated;  // what is left in the job now
  };

  virtual ~SliceSource() = default;
  // Slice number `slice_no` of the part; asking for the same number again gives the same slice.
  virtual async::Task<Result<Answer>> take(std::int64_t slice_no, Money amount) = 0;
};

// Of a run that nobody shares and nobody takes over: kept in memory.
std::shared_ptr<SliceSource> slices_in_memory(Money unallocated);

// What runs beside models, in AWS.
struct Infrastructure {
  Money compute = {}, s3 = {}, dynamodb = {};
  std::int64_t compute_ms = 0;     // of the task
  std::int64_t s3_operations = 0;  // that cost something

  Money total() const { return compute + s3 + dynamodb; }
  Infrastructure& operator+=(const Infrastructure& other);
  bool operator==(const Infrastructure&) const = default;
};

struct LedgerSettings {
  Money unallocated = {};         // of the job, when the attempt begins
  Money tail = {};                // of it: not for calls, but for what comes after the last one
  std::int64_t slice_no = 0;      // the last that the part took
  Money record_bound = {};        // the most that all steps of one record may cost, as far as is known
  std::int64_t slice_ms = 1'000;  // about how long a slice should last
  Money first_slice = {};         // at least so much, if an eighth of the budget covers it
};

// Of one attempt; lives on the loop.
class Ledger final : public model::SpendMeter {
 public:
  Ledger(LedgerSettings settings, std::shared_ptr<SliceSource> slices, RunControl& control, const Clock& clock);

  async::Task<Status> reserve(Money bound, async::TurnKey key) override;
  void settle(const model::CallBill& bill) override;

  // May a record begin? Then room for all of its steps is held until release(). When it may not, the answer can change
  // whenever another record is released; with none in progress it is final.
  bool admit(RecordIndex record);
  void release(RecordIndex record);

  // Money that was paid in an earlier attempt for what is not used now: moved to the waste.
  void write_off(const std::string& model, const model::Usage& usage, Money cost);

  // Costs beside models, which count against the budget too: they are spent, and a slice is taken for them where the
  // slices do not cover them. over_budget when there is nothing left to take.
  async::Task<Status> pay_infrastructure(Infrastructure cost);

  Money spent() const { return spent_; }        // settled by this attempt, infrastructure included
  Money reserved() const { return reserved_; }  // of calls in flight
  // Of the slices: to be given back when nothing is in flight.
  Money unspent() const { return std::max(Money{}, taken_ - spent_); }
  Money left() const { return taken_ - spent_ - reserved_ + unallocated_; }
  const Infrastructure& infrastructure() const { return infrastructure_; }
  Money unallocated() const { return unallocated_; }  // of the job, when a slice was last taken
  std::int64_t slice_no() const { return slice_no_; }
  const UsageByModel& waste() const { return waste_; }        // calls that gave nothing, and what was written off
  const UsageByModel& by_model() const { return by_model_; }  // every call that was paid for, waste included
  std::int64_t estimated_calls() const { return estimated_calls_; }  // whose bound stands for what nobody told
  std::int64_t throttles() const { return throttles_; }              // calls that were told to slow down
  bool over_bound() const { return over_bound_; }                    // a provider reported more than the bound

 private:
  struct Wanted {
    Money bound;
  };

  Money held_by_older(std::int64_t record) const;
  bool fits_now(Money bound, std::int64_t record) const;
  Money for_calls() const { return left() - settings_.tail; }  // what another call may take
  bool can_ever_fit(Money bound) const { return for_calls() + reserved_ >= bound; }
  Error over_budget(Money bound) const;
  void set_aside(Money bound, async::TurnKey key);
  void serve_waiting();
  async::Task<Status> cover();
  async::Task<Status> take_slice(Money ahead = {});
  Money slice_size(Money at_least);

  LedgerSettings settings_;
  std::shared_ptr<SliceSource> slices_;
  RunControl& control_;
  const Clock& clock_;

  Money unallocated_;  // of the job, as far as is known
  Money taken_, spent_, reserved_;
  Infrastructure infrastructure_;
  Money record_bound_;
  std::int64_t slice_no_;
  Money last_slice_;
  std::int64_t last_slice_ms_ = 0;

  struct InProgress {
    Money held;  // for steps to come
    // The most that one try of each step has set aside: what the record needs when nothing is tried twice.
    std::vector<std::pair<std::int64_t, Money>> steps = {};
    Money bound() const;
  };
  std::map<std::int64_t, InProgress> records_;
  Money held_;  // of all records
  async::TurnQueue<Wanted> queue_;
  bool taking_ = false;
  std::list<boost::asio::steady_timer*> waiting_for_slice_;

  UsageByModel waste_, by_model_;
  std::int64_t estimated_calls_ = 0, throttles_ = 0;
  bool over_bound_ = false;
};

}  // namespace palette::generate
