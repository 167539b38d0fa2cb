#include "cli/job_queue.h"

#include <algorithm>
#include <utility>

#include "cli/terminal.h"

namespace palette::cli {
namespace {

Json time_json(const std::optional<UtcTime>& time) { return time ? Json(time->to_iso()) : Json(nullptr); }

bool is_starved(const store::QueueItem& item) { return item.status == store::QueueStatus::parked && !item.not_before; }

std::string name_of(const store::QueueItem& item) {
  return item.kind == store::WorkKind::export_ ? "export" : "part " + std::to_string(item.part.value);
}

std::string state_of(const store::QueueItem& item, UtcTime now) {
  switch (item.status) {
    case store::QueueStatus::queued:
      return "waits for a worker";
    case store::QueueStatus::parked:
      return item.not_before ? "waits until " + item.not_before->to_iso()
                             : "waits for money: what is left of the budget does not cover another record";
    case store::QueueStatus::running:
      break;
  }
  if (!item.lease_expires_at) return "worked on by " + item.owner;
  const std::string until = item.lease_expires_at->to_iso();
  if (has_owner(item, now)) return "worked on by " + item.owner + ", whose lease is good until " + until;
  return "was worked on by " + item.owner + ", whose lease ended at " + until + "; the next worker goes on";
}

void add(std::string& text, std::int64_t number, const std::string& what) {
  if (number > 0) text += (text.empty() ? "" : ", ") + std::to_string(number) + " " + what;
}

}  // namespace

bool has_owner(const store::QueueItem& item, UtcTime now) {
  return item.status == store::QueueStatus::running && item.lease_expires_at && *item.lease_expires_at > now;
}

UtcTime store_now(const store::JobStore& jobs) {
  UtcTime now = system_clock().now();
  now.unix_ms += jobs.clock_offset_ms();
  return now;
}

bool JobQueue::is_worked_on() const {
  return std::ranges::any_of(items, [this](const store::QueueItem& item) { return has_owner(item, now); });
}

std::int64_t JobQueue::starved() const { return std::ranges::count_if(items, is_starved); }

JsonArray JobQueue::to_json() const {
  JsonArray out;
  for (const store::QueueItem& item : items) {
    JsonObject one;
    one["part"] = item.part.value;
    one["kind"] = to_string(item.kind);
    one["status"] = to_string(item.status);
    one["attempt"] = item.attempt.value;
    one["owner"] = item.owner.empty() ? Json(nullptr) : Json(item.owner);
    one["lease_expires_at"] = time_json(item.lease_expires_at);
    one["not_before"] = time_json(item.not_before);
    one["starved"] = is_starved(item);
    const auto part = parts.find(item.part.value);
    one["fruitless"] = part == parts.end() ? 0 : part->second.fruitless;
    one["last_cause"] = part == parts.end() ? "" : part->second.last_cause;
    out.emplace_back(std::move(one));
  }
  return out;
}

std::string JobQueue::summary(std::int64_t parts_total) const {
  if (items.empty()) return "";
  std::int64_t held = 0, lapsed = 0, queued = 0, later = 0;
  for (const store::QueueItem& item : items) {
    held += has_owner(item, now);
    lapsed += item.status == store::QueueStatus::running && !has_owner(item, now);
    queued += item.status == store::QueueStatus::queued;
    later += item.status == store::QueueStatus::parked && item.not_before;
  }
  if (items.front().kind == store::WorkKind::export_)
    return held > 0 ? "the dataset is exported" : "the export waits for a worker";
  std::string text;
  add(text, held, "worked on");
  add(text, queued, "waiting for a worker");
  add(text, lapsed, "left by a worker that is gone");
  add(text, later, "waiting for a time");
  add(text, starved(), "waiting for money");
  add(text, parts_total - static_cast<std::int64_t>(items.size()), "done");
  return counted(parts_total, "part") + ": " + text;
}

std::vector<std::string> JobQueue::lines() const {
  std::vector<std::string> out;
  for (const store::QueueItem& item : items) {
    std::string line = name_of(item) + ": " + state_of(item, now);
    if (const auto part = parts.find(item.part.value); part != parts.end() && part->second.fruitless > 0) {
      line += "; " + counted(part->second.fruitless, "attempt") +
              " in a row came to nothing, the last: " + one_line(part->second.last_cause, 400);
    }
    out.push_back(std::move(line));
  }
  return out;
}

async::Task<Result<JobQueue>> load_queue(store::JobStore& jobs, store::JobItem item) {
  auto items = co_await jobs.queue_items_of(item.id);
  if (!items) co_return std::unexpected(items.error());
  co_return JobQueue{std::move(*items), std::move(item.parts), store_now(jobs)};
}

async::Task<Status> wake_starved(store::JobStore& jobs, JobQueue queue) {
  for (const store::QueueItem& item : queue.items) {
    if (!is_starved(item)) continue;
    Status woken = co_await jobs.unpark(item);
    if (!woken && woken.error().kind != ErrorKind::changed) co_return woken;
  }
  co_return Status{};
}

}  // namespace palette::cli
