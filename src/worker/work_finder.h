// Finds the next part to work on, and keeps the queue in order meanwhile: lapsed leases are taken, PARKED parts go back
// when their time has come, what is left over of jobs that are gone is taken out, jobs that are in no queue are put
// into it (JobAdopter). How often it looks is bounded: an idle worker makes at most three requests a minute.
//
//   WorkFinder finder(context);
//   Result<std::optional<Claimed>> found = co_await finder.next();
//   if (found && !*found) co_await sleep_for(finder.wait_ms());
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/random.h"
#include "worker/job_adopter.h"
#include "worker/work_context.h"

namespace palette::worker {

struct Claimed {
  store::QueueItem item;
  std::int64_t claimed_ms = 0;  // by the monotonic clock, when the claim was sent
};

class WorkFinder {
 public:
  explicit WorkFinder(WorkContext& context);

  // From now on only items of this job.
  void keep_to(JobId job) { only_ = std::move(job); }
  // For a worker that ends with the queue: it waits no longer than a few seconds between two looks.
  void stay_close() { stays_close_ = true; }

  // The oldest QUEUED item, else a RUNNING one whose lease is over; none when there is nothing to claim now.
  async::Task<Result<std::optional<Claimed>>> next();

  // As of the last look: items that are QUEUED, RUNNING, or PARKED until a known time.
  bool any_left() const { return left_ > 0; }
  std::int64_t queued() const { return static_cast<std::int64_t>(queued_before_.size()); }
  // After nothing was found: until it is worth to look again.
  std::int64_t wait_ms() const { return wait_ms_; }

 private:
  using Items = std::vector<store::QueueItem>;

  async::Task<Result<std::optional<Claimed>>> claim_queued();
  async::Task<Result<std::optional<Claimed>>> claim_first(Items items);
  async::Task<Result<std::optional<Claimed>>> claim(store::QueueItem seen);
  async::Task<Result<std::optional<Claimed>>> look_at_rest();
  async::Task<Result<bool>> unpark_due(Items parked, std::set<std::string> jobs_at_work);
  async::Task<void> take_out(store::QueueItem item, Error why);
  bool rest_is_due() const;
  bool is_lapsed(const store::QueueItem& item) const;
  bool is_mine(const store::QueueItem& item) const { return !only_ || item.job == *only_; }
  void note_time(UtcTime time);
  void choose_wait();

  WorkContext& context_;
  store::JobStore& jobs_;
  JobAdopter adopter_;
  std::optional<JobId> only_;
  bool stays_close_ = false;
  std::optional<std::int64_t> looked_at_rest_ms_;  // by the monotonic clock
  std::int64_t next_event_ms_ = 0;                 // when a lease or a pause that was seen is over, likewise; 0: none
  std::set<std::string> queued_before_;            // positions, as of the last look
  bool queue_changed_ = true;
  std::int64_t left_queued_ = 0, left_rest_ = 0, left_ = 1;
  std::int64_t wait_ms_ = 0;
  std::int64_t looks_for_nothing_ = 0;
  CounterRandom random_;
};

}  // namespace palette::worker
