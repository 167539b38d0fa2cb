// JobTables: the queue, and the budget's slices.
#include <algorithm>

#include "store/local/job_rows.h"
#include "store/local/job_tables.h"
#include "store/local/table_queries.h"
#include "store/part_notes.h"

namespace palette::store {
namespace {

// The item as `claim` makes it, or why it may not.
Result<QueueItem> claimed(QueueItem now, const QueueItem& seen, const Claim& claim) {
  if (now.status != seen.status || now.attempt != seen.attempt || now.job != seen.job) return somebody_was_first(seen);
  if (now.status == QueueStatus::parked) {
    return fail(ErrorKind::bad_input, "the queue item '" + seen.position.text + "' is PARKED: it cannot be claimed");
  }
  if (now.status == QueueStatus::running && !claim.take_over) {
    if (now.lease_expires_at && *now.lease_expires_at > claim.now) {
      return fail(ErrorKind::held, "held by " + now.owner + " until " + now.lease_expires_at->to_iso());
    }
    if (now.lease_expires_at != seen.lease_expires_at) return somebody_was_first(seen);
  }
  now.status = QueueStatus::running;
  ++now.attempt.value;
  now.owner = claim.owner;
  now.lease_expires_at = claim.lease_expires_at;
  now.not_before.reset();
  now.started_at = claim.now;
  return now;
}

}  // namespace

Result<std::vector<QueueItem>> JobTables::queue_items(QueueStatus status) {
  return items_of(database_.query(select(kQueueColumns, "Queue WHERE status = ? ORDER BY position"),
                                  {std::string(to_string(status))}),
                  queue_item_from);
}

Result<std::vector<QueueItem>> JobTables::queue_items_of(const JobId& id) {
  return items_of(database_.query(select(kQueueColumns, "Queue WHERE job_id = ? ORDER BY position"), {id.text}),
                  queue_item_from);
}

Result<QueueItem> JobTables::claim(const QueueItem& seen, const Claim& claim) {
  return database_.transaction("claim", [&]() -> Result<QueueItem> {
    const Result<std::vector<QueueItem>> found = items_of(
        database_.query(select(kQueueColumns, "Queue WHERE position = ?"), {seen.position.text}), queue_item_from);
    if (!found) return std::unexpected(found.error());
    if (found->empty()) return somebody_was_first(seen);
    Result<QueueItem> item = claimed(found->front(), seen, claim);
    if (!item) return item;
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    if (job::is_terminal(job->status)) return has_ended_already(*job);
    PartProgress& part = job->parts[item->part.value];
    part.attempt = item->attempt;
    if (found->front().status == QueueStatus::running && !claim.take_over)
      note_fruitless(part, lapsed_lease(found->front()));
    job->task_arn = claim.owner;
    job->status = job::JobStatus::running;
    if (!job->started_at) job->started_at = claim.now;
    job->updated_at = claim.now;
    if (Status ok = replace_job(*job); !ok) return std::unexpected(ok.error());
    if (Status ok = replace_queue_item(*item); !ok) return std::unexpected(ok.error());
    return item;
  });
}

Result<Pulse> JobTables::heartbeat(const QueueItem& held, UtcTime lease_expires_at) {
  return database_.transaction("heartbeat", [&]() -> Result<Pulse> {
    Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    item->lease_expires_at = lease_expires_at;
    if (Status ok = replace_queue_item(*item); !ok) return std::unexpected(ok.error());
    const Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    return Pulse{job->stop_reason, job->unallocated};
  });
}

Status JobTables::report(const QueueItem& held, PartProgress progress, UtcTime now) {
  return database_.transaction("report", [&]() -> Status {
    const Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    note_progress(*job, *item, std::move(progress), now);
    return replace_job(*job);
  });
}

Status JobTables::requeue(const QueueItem& held, PartProgress progress, const GiveBack& back, UtcTime now) {
  return database_.transaction("requeue", [&] { return give_back(held, std::move(progress), back, {}, now); });
}

Status JobTables::park(const QueueItem& held, PartProgress progress, const GiveBack& back,
                       std::optional<UtcTime> not_before, UtcTime now) {
  return database_.transaction("park",
                               [&] { return give_back(held, std::move(progress), back, Parking{not_before}, now); });
}

Status JobTables::give_back(const QueueItem& held, PartProgress progress, const GiveBack& back,
                            std::optional<Parking> parking, UtcTime now) {
  Result<QueueItem> item = held_item(held);
  if (!item) return std::unexpected(item.error());
  Result<JobItem> job = get_job(item->job);
  if (!job) return std::unexpected(job.error());
  note_progress(*job, *item, std::move(progress), now);
  if (!back.cause.empty()) note_fruitless(job->parts[item->part.value], back.cause);
  job->unallocated += back.unspent;
  const auto others = database_.query("SELECT 1 FROM Queue WHERE job_id = ? AND status = 'RUNNING' AND position <> ?",
                                      {item->job.text, item->position.text});
  if (!others) return std::unexpected(others.error());
  if (others->empty()) job->status = job::JobStatus::queued;
  if (Status ok = replace_job(*job); !ok) return ok;
  item->status = parking ? QueueStatus::parked : QueueStatus::queued;
  item->not_before = parking ? parking->not_before : std::nullopt;
  item->owner.clear();
  item->lease_expires_at.reset();
  item->started_at.reset();
  return replace_queue_item(*item);
}

Status JobTables::unpark(const QueueItem& seen) {
  return done_if_any(seen, database_.execute("UPDATE Queue SET status = 'QUEUED', not_before = NULL WHERE position = ? "
                                             "AND job_id = ? AND status = 'PARKED' AND attempt = ?",
                                             {seen.position.text, seen.job.text, seen.attempt.value}));
}

Status JobTables::remove_queue_item(const QueueItem& seen) {
  const auto there = database_.query(select(kQueueColumns, "Queue WHERE position = ?"), {seen.position.text});
  if (!there) return std::unexpected(there.error());
  if (there->empty()) return {};
  return done_if_any(
      seen,
      database_.execute("DELETE FROM Queue WHERE position = ? AND job_id = ? AND status = ? AND attempt = ?",
                        {seen.position.text, seen.job.text, std::string(to_string(seen.status)), seen.attempt.value}));
}

Result<bool> JobTables::end_part(const QueueItem& held, PartProgress progress, Money unspent,
                                 const std::string& stop_reason, const QueueItem& exporting, UtcTime now) {
  return database_.transaction("end_part", [&]() -> Result<bool> {
    const Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    if (Status ok = check_item_of(exporting, *job); !ok) return std::unexpected(ok.error());
    note_progress(*job, *item, std::move(progress), now);
    job->unallocated += unspent;
    if (job->stop_reason.empty()) job->stop_reason = stop_reason;
    const bool is_last = ++job->parts_ended == job->parts_total();
    if (Status ok = replace_job(*job); !ok) return std::unexpected(ok.error());
    const auto removed = database_.execute("DELETE FROM Queue WHERE position = ?", {item->position.text});
    if (!removed) return std::unexpected(removed.error());
    if (!is_last) return false;
    if (Status ok = insert_queue_item(exporting); !ok) return std::unexpected(ok.error());
    return true;
  });
}

Status JobTables::finish(const QueueItem& held, const JobItem& job, Money unspent) {
  if (Status ok = check_item_of(held, job); !ok) return ok;
  return database_.transaction("finish", [&]() -> Status {
    const Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> now = get_job(job.id);
    if (!now) return std::unexpected(now.error());
    now->status = job.status;
    now->stop_reason = job.stop_reason;
    now->error_message = job.error_message;
    now->records_generated = job.records_generated;
    now->records_failed = job.records_failed;
    now->tokens_used = job.tokens_used;
    now->cost_estimate = job.cost_estimate;
    now->completed_at = job.completed_at;
    now->updated_at = job.updated_at;
    now->unallocated += unspent;
    if (Status ok = replace_job(*now); !ok) return ok;
    return done(database_.execute("DELETE FROM Queue WHERE position = ?", {item->position.text}));
  });
}

Result<SliceAnswer> JobTables::take_slice(const QueueItem& held, std::int64_t slice_no, Money amount) {
  return database_.transaction("take_slice", [&]() -> Result<SliceAnswer> {
    const Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    PartProgress& part = job->parts[held.part.value];
    if (part.slice_no == slice_no && part.last_slice == amount) return SliceAnswer{true, job->unallocated};
    if (part.slice_no != slice_no - 1) {
      return fail(ErrorKind::changed, "slice " + std::to_string(slice_no) + " of part " +
                                          std::to_string(held.part.value) + " of job '" + held.job.text +
                                          "' was asked for, but the last one is " + std::to_string(part.slice_no));
    }
    if (job->unallocated < amount) return SliceAnswer{false, job->unallocated};
    job->unallocated -= amount;
    part.slice_no = slice_no;
    part.last_slice = amount;
    if (Status ok = replace_job(*job); !ok) return std::unexpected(ok.error());
    return SliceAnswer{true, job->unallocated};
  });
}

Result<JobItem> JobTables::request_stop(const JobId& id, const std::string& reason, job::JobStatus end, UtcTime now) {
  return database_.transaction("request_stop", [&]() -> Result<JobItem> {
    Result<JobItem> job = get_job(id);
    if (!job) return job;
    if (job::is_terminal(job->status)) return has_ended_already(*job);
    Result<std::vector<QueueItem>> items = queue_items_of(id);
    if (!items) return std::unexpected(items.error());
    const bool is_begun =
        std::ranges::any_of(job->parts, [](const auto& part) { return part.second.attempt.value > 0; });
    if (job->stop_reason.empty()) job->stop_reason = reason;
    job->updated_at = now;
    if (!is_begun) {
      job->status = end;
      job->completed_at = now;
      const auto removed = database_.execute("DELETE FROM Queue WHERE job_id = ?", {id.text});
      if (!removed) return std::unexpected(removed.error());
    }
    for (QueueItem& item : *items) {
      if (!is_begun || item.status != QueueStatus::parked) continue;
      item.status = QueueStatus::queued;
      item.not_before.reset();
      if (Status ok = replace_queue_item(item); !ok) return std::unexpected(ok.error());
    }
    if (Status ok = replace_job(*job); !ok) return std::unexpected(ok.error());
    return job;
  });
}

Status JobTables::insert_queue_item(const QueueItem& item) {
  const auto inserted = database_.execute(write_row("INSERT", "Queue", kQueueColumns), to_row(item));
  if (!inserted && inserted.error().kind == ErrorKind::already_exists) {
    return fail(ErrorKind::already_exists, "there is a queue item '" + item.position.text + "' already");
  }
  return done(inserted);
}

// UNIQUE (position) makes this an update, of the status too.
Status JobTables::replace_queue_item(const QueueItem& item) {
  return done(database_.execute(write_row("REPLACE", "Queue", kQueueColumns), to_row(item)));
}

Result<QueueItem> JobTables::held_item(const QueueItem& held) {
  Result<std::vector<QueueItem>> found =
      items_of(database_.query(select(kQueueColumns, "Queue WHERE position = ? AND job_id = ? AND status = 'RUNNING'"),
                               {held.position.text, held.job.text}),
               queue_item_from);
  if (!found) return std::unexpected(found.error());
  if (found->empty() || found->front().attempt != held.attempt) {
    return fail(ErrorKind::fenced, "attempt " + std::to_string(held.attempt.value) + " no longer owns part " +
                                       std::to_string(held.part.value) + " of job '" + held.job.text + "'");
  }
  return std::move(found->front());
}

}  // namespace palette::store
