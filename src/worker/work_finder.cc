#include "worker/work_finder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "async/timer.h"

namespace palette::worker {
namespace {

constexpr std::array<std::int64_t, 4> kPauses_ms = {2'000, 8'000, 32'000, 45'000};
constexpr std::array<std::int64_t, 4> kPausesClose_ms = {250, 500, 1'000, 2'000};
constexpr std::int64_t kRest_ms = 180'000;  // between looks at what is RUNNING and PARKED, when nothing calls for one
constexpr std::int64_t kJitter_ms = 100;

}  // namespace

WorkFinder::WorkFinder(WorkContext& context)
    : context_(context),
      jobs_(context.places.jobs),
      adopter_(context),
      random_(std::hash<std::string>{}(context.owner), 0, stream_of("work_finder")) {}

async::Task<Result<std::optional<Claimed>>> WorkFinder::next() {
  auto found = co_await claim_queued();
  if (found && !*found && rest_is_due()) found = co_await look_at_rest();
  if (found && *found) looks_for_nothing_ = 0;
  if (found && !*found) choose_wait();
  co_return found;
}

bool WorkFinder::rest_is_due() const {
  if (stays_close_ || queue_changed_ || !looked_at_rest_ms_) return true;
  const std::int64_t now_ms = context_.places.clock.monotonic_ms();
  return now_ms >= *looked_at_rest_ms_ + kRest_ms || (next_event_ms_ != 0 && now_ms >= next_event_ms_);
}

async::Task<Result<std::optional<Claimed>>> WorkFinder::claim_queued() {
  Result<Items> queued = co_await jobs_.queue_items(store::QueueStatus::queued);
  if (!queued) co_return std::unexpected(queued.error());
  std::set<std::string> positions;
  for (const store::QueueItem& item : *queued) positions.insert(item.position.text);
  queue_changed_ = queue_changed_ || positions != queued_before_;  // somebody took some: they are RUNNING now
  queued_before_ = std::move(positions);
  std::erase_if(*queued, [this](const store::QueueItem& item) { return !is_mine(item); });
  left_queued_ = static_cast<std::int64_t>(queued->size());
  left_ = left_queued_ + left_rest_;
  co_return co_await claim_first(std::move(*queued));
}

// In their order. A lost race costs one request; the next item is tried a moment later, so that those who lost together
// do not meet again.
async::Task<Result<std::optional<Claimed>>> WorkFinder::claim_first(Items items) {
  for (store::QueueItem& item : items) {
    if (context_.draining->requested()) break;
    auto claimed = co_await claim(std::move(item));
    if (!claimed || *claimed) co_return claimed;
    (void)co_await context_.draining->sleep_for(static_cast<std::int64_t>(random_.below(kJitter_ms)));
  }
  co_return std::nullopt;
}

async::Task<Result<std::optional<Claimed>>> WorkFinder::claim(store::QueueItem seen) {
  const std::int64_t sent_ms = context_.places.clock.monotonic_ms();
  store::Claim claim;
  claim.owner = context_.owner;
  claim.now = context_.table_now();
  claim.lease_expires_at = UtcTime{claim.now.unix_ms + context_.settings.lease_ms};
  const bool was_lapsed = seen.status == store::QueueStatus::running;
  Result<store::QueueItem> item = co_await jobs_.claim(seen, claim);
  if (item) {
    JsonObject fields;
    fields["job_id"] = item->job.text;
    fields["part"] = item->part.value;
    fields["attempt"] = item->attempt.value;
    fields["kind"] = store::to_string(item->kind);
    if (was_lapsed) fields["lapsed_owner"] = seen.owner;
    context_.log.tell(was_lapsed ? "recovered" : "claimed", std::move(fields));
    co_return Claimed{std::move(*item), sent_ms};
  }
  switch (item.error().kind) {
    case ErrorKind::changed:
    case ErrorKind::held:
      co_return std::nullopt;
    case ErrorKind::conflict:  // others wrote the same items to the last try; the item is still there
      context_.log.fail("claim_failed", item.error());
      co_return std::nullopt;
    case ErrorKind::bad_input:
    case ErrorKind::not_found:
    case ErrorKind::corrupt:
      break;
    default:
      co_return std::unexpected(item.error());
  }
  const Result<store::JobItem> job = co_await jobs_.get_job(seen.job);
  const bool is_gone = !job && (job.error().kind == ErrorKind::not_found || job.error().kind == ErrorKind::corrupt);
  if (!is_gone && !(job && job::is_terminal(job->status))) {
    context_.log.fail("claim_failed", item.error());  // of this item alone: the others can be claimed
    co_return std::nullopt;
  }
  co_await take_out(std::move(seen), is_gone ? job.error() : item.error());
  co_return std::nullopt;
}

// Nobody can work on it: it would be met again at every look.
async::Task<void> WorkFinder::take_out(store::QueueItem item, Error why) {
  JsonObject fields;
  fields["job_id"] = item.job.text;
  fields["part"] = item.part.value;
  fields["position"] = item.position.text;
  const Status removed = co_await jobs_.remove_queue_item(std::move(item));
  if (removed) {
    context_.log.fail("left_over_removed", why, std::move(fields));
  } else if (removed.error().kind != ErrorKind::changed) {
    context_.log.fail("left_over_not_removed", removed.error(), std::move(fields));
  }
}

bool WorkFinder::is_lapsed(const store::QueueItem& item) const {
  return !item.lease_expires_at ||
         item.lease_expires_at->unix_ms + context_.settings.lease_margin_ms() <= context_.table_now().unix_ms;
}

// `time` by the tables' clock.
void WorkFinder::note_time(UtcTime time) {
  const std::int64_t at_ms =
      context_.places.clock.monotonic_ms() + std::max<std::int64_t>(0, time.unix_ms - context_.table_now().unix_ms);
  next_event_ms_ = next_event_ms_ == 0 ? at_ms : std::min(next_event_ms_, at_ms);
}

async::Task<Result<std::optional<Claimed>>> WorkFinder::look_at_rest() {
  looked_at_rest_ms_ = context_.places.clock.monotonic_ms();
  queue_changed_ = false;
  next_event_ms_ = 0;
  Result<Items> running = co_await jobs_.queue_items(store::QueueStatus::running);
  if (!running) co_return std::unexpected(running.error());
  Result<Items> parked = co_await jobs_.queue_items(store::QueueStatus::parked);
  if (!parked) co_return std::unexpected(parked.error());
  std::set<std::string> jobs_at_work, jobs_in_queue;
  left_rest_ = 0;
  Items lapsed;
  for (const store::QueueItem& item : *running) {
    jobs_at_work.insert(item.job.text);
    if (!is_mine(item)) continue;
    ++left_rest_;
    if (is_lapsed(item)) {
      lapsed.push_back(item);
    } else {
      note_time(UtcTime{item.lease_expires_at->unix_ms + context_.settings.lease_margin_ms()});
    }
  }
  for (const std::string& position : queued_before_) jobs_in_queue.insert(job_in(store::QueuePosition{position}));
  jobs_at_work.insert(jobs_in_queue.begin(), jobs_in_queue.end());
  jobs_in_queue = jobs_at_work;
  for (const store::QueueItem& item : *parked) {
    jobs_in_queue.insert(item.job.text);
    if (is_mine(item) && item.not_before) ++left_rest_;
  }
  left_ = left_queued_ + left_rest_;

  auto found = co_await claim_first(std::move(lapsed));
  if (!found || *found) co_return found;
  Result<bool> more = co_await unpark_due(std::move(*parked), std::move(jobs_at_work));
  if (more && !*more && !only_) more = co_await adopter_.adopt_now_and_then(std::move(jobs_in_queue));
  if (!more) co_return std::unexpected(more.error());
  // The three lists were read one after the other: what moved to QUEUED meanwhile was in none of them.
  if (*more || (stays_close_ && left_ == 0)) co_return co_await claim_queued();
  if (!only_) next_event_ms_ = next_event_ms_ == 0 ? adopter_.due_ms() : std::min(next_event_ms_, adopter_.due_ms());
  co_return std::nullopt;
}

// Those whose time has come; of a job that nobody works on, the first of those that are starved of budget: it goes on
// with what came back, or ends the job.
async::Task<Result<bool>> WorkFinder::unpark_due(Items parked, std::set<std::string> jobs_at_work) {
  bool any = false;
  for (store::QueueItem& item : parked) {
    if (!is_mine(item)) continue;
    const bool is_due =
        item.not_before ? *item.not_before <= context_.table_now() : jobs_at_work.insert(item.job.text).second;
    if (!is_due) {
      if (item.not_before) note_time(*item.not_before);
      continue;
    }
    const Status moved = co_await jobs_.unpark(item);
    if (!moved && moved.error().kind != ErrorKind::changed) co_return std::unexpected(moved.error());
    any = any || moved;
  }
  co_return any;
}

void WorkFinder::choose_wait() {
  const auto& pauses = stays_close_ ? kPausesClose_ms : kPauses_ms;
  const auto step = std::min<std::size_t>(static_cast<std::size_t>(looks_for_nothing_++), pauses.size() - 1);
  wait_ms_ = pauses[step];
  if (next_event_ms_ == 0) return;
  const std::int64_t until_ms = next_event_ms_ - context_.places.clock.monotonic_ms();
  wait_ms_ = std::min(wait_ms_, std::max(kPausesClose_ms[0], until_ms));
}

}  // namespace palette::worker
