#include "worker/job_adopter.h"

#include <utility>
#include <vector>

#include "worker/job_loading.h"

namespace palette::worker {
namespace {

constexpr std::int64_t kEvery_ms = 600'000;
constexpr std::int64_t kYoung_ms = 30'000;  // whoever wrote the job may be about to queue it
constexpr int kPriority = 5;

bool is_open(const store::JobItem& job) { return !job::is_terminal(job.status); }

// Of what is not ended. Which parts have ended is not known: one that has nothing to do ends at once.
std::vector<store::QueueItem> items_of(store::JobItem& job) {
  store::QueueItem item;
  item.job = job.id;
  item.position = store::QueuePosition::make(kPriority, job.created_at, job.id, PartNumber{1});
  if (job.parts_ended >= job.parts_total()) return {export_item_of(job, item)};
  job.parts_ended = 0;
  std::vector<store::QueueItem> items;
  for (std::int64_t part = 1; part <= job.parts_total(); ++part) {
    item.part = PartNumber{part};
    item.position = store::QueuePosition::make(kPriority, job.created_at, job.id, item.part);
    const auto before = job.parts.find(part);
    item.attempt = before == job.parts.end() ? AttemptNumber{0} : before->second.attempt;
    items.push_back(item);
  }
  return items;
}

}  // namespace

std::string job_in(const store::QueuePosition& position) {
  const auto first = position.text.find('#');
  const auto second = first == std::string::npos ? first : position.text.find('#', first + 1);
  const auto last = position.text.rfind('#');
  if (second == std::string::npos || last <= second) return {};
  return position.text.substr(second + 1, last - second - 1);
}

async::Task<Result<bool>> JobAdopter::adopt_now_and_then(std::set<std::string> in_queue) {
  const std::int64_t now_ms = context_.places.clock.monotonic_ms();
  if (now_ms < due_ms_) co_return false;
  due_ms_ = now_ms + kEvery_ms;
  const auto jobs = co_await context_.places.jobs.list_jobs();
  if (!jobs) co_return std::unexpected(jobs.error());
  bool any = false;
  for (const store::JobItem& job : *jobs) {
    if (!is_open(job) || in_queue.contains(job.id.text)) continue;
    if (context_.table_now().unix_ms - job.created_at.unix_ms < kYoung_ms) {
      due_ms_ = now_ms + kYoung_ms;
      continue;
    }
    const Result<bool> adopted = co_await adopt(job);
    if (!adopted) {
      JsonObject fields;
      fields["job_id"] = job.id.text;
      context_.log.fail("not_adopted", adopted.error(), std::move(fields));
      continue;
    }
    any = any || *adopted;
  }
  co_return any;
}

async::Task<Result<bool>> JobAdopter::adopt(store::JobItem job) {
  store::JobStore& jobs = context_.places.jobs;
  // The lists were read one after the other: it may have moved between them.
  const auto queued = co_await jobs.queue_items_of(job.id);
  if (!queued) co_return std::unexpected(queued.error());
  if (!queued->empty()) co_return false;
  Result<store::JobItem> now = co_await jobs.get_job(job.id);
  if (!now && now.error().kind == ErrorKind::not_found) co_return false;
  if (!now) co_return std::unexpected(now.error());
  if (!is_open(*now)) co_return false;
  std::vector<store::QueueItem> items = items_of(*now);
  now->status = job::JobStatus::queued;
  const auto put = co_await jobs.put_job_and_enqueue(std::move(*now), std::move(items));
  if (!put && (put.error().kind == ErrorKind::changed || put.error().kind == ErrorKind::already_exists))
    co_return false;
  if (!put) co_return std::unexpected(put.error());
  JsonObject fields;
  fields["job_id"] = job.id.text;
  context_.log.warn("adopted", std::move(fields));
  co_return true;
}

}  // namespace palette::worker
