#include "store/local/job_tables.h"

#include <algorithm>

#include "store/local/job_rows.h"

namespace palette::store {
namespace {

// "INSERT INTO Jobs (…) VALUES (?, …)"
std::string write_row(std::string_view verb, std::string_view table, std::string_view columns) {
  return std::string(verb) + " INTO " + std::string(table) + " (" + std::string(columns) + ") VALUES (" +
         placeholders(columns) + ")";
}

std::string select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

// Every row as an item; the first that cannot be read is the error.
template <class Item>
Result<std::vector<Item>> items_of(const Result<SqlRows>& rows, Result<Item> (*item_from)(const SqlRow&)) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Item> items;
  items.reserve(rows->size());
  for (const SqlRow& row : *rows) {
    Result<Item> item = item_from(row);
    if (!item) return std::unexpected(item.error());
    items.push_back(std::move(*item));
  }
  return items;
}

template <class Item>
Result<Item> one_of(Result<std::vector<Item>> items, std::string_view what) {
  if (!items) return std::unexpected(items.error());
  if (items->empty()) return fail(ErrorKind::not_found, "there is no " + std::string(what));
  return std::move(items->front());
}

Status done(const Result<std::int64_t>& changes) {
  if (!changes) return std::unexpected(changes.error());
  return {};
}

Status check_item_of(const QueueItem& item, const JobItem& job) {
  if (item.job == job.id) return {};
  return fail(ErrorKind::bad_input,
              "a queue item of job '" + item.job.text + "' was given with job '" + job.id.text + "'");
}

std::unexpected<Error> somebody_was_first(const QueueItem& seen) {
  return fail(ErrorKind::changed, "the queue item '" + seen.position.text + "' is no longer what was seen: look again");
}

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

// What the owner of a part says about it, in the job: the totals are the sums over the parts.
void note_progress(JobItem& job, const QueueItem& held, PartProgress progress, UtcTime now) {
  PartProgress& noted = job.parts[held.part.value];
  progress.attempt = held.attempt;
  progress.slice_no = noted.slice_no;
  progress.last_slice = noted.last_slice;
  noted = progress;
  job.records_generated = job.records_failed = job.tokens_used = 0;
  job.cost_estimate = Money{};
  for (const auto& [number, part] : job.parts) {
    job.records_generated += part.records;
    job.records_failed += part.failed;
    job.tokens_used += part.tokens;
    job.cost_estimate += part.cost;
  }
  job.updated_at = now;
}

}  // namespace

// --- Jobs

Status JobTables::create_job(JobItem job, const std::vector<QueueItem>& queue) {
  return database_.transaction("create_job", [&]() -> Status {
    job.revision = 1;
    const auto inserted = database_.execute(write_row("INSERT", "Jobs", kJobColumns), to_row(job));
    if (!inserted && inserted.error().kind == ErrorKind::already_exists) {
      return fail(ErrorKind::already_exists, "there is a job '" + job.id.text + "' already");
    }
    if (!inserted) return std::unexpected(inserted.error());
    for (const QueueItem& item : queue) {
      if (Status ok = check_item_of(item, job); !ok) return ok;
      if (Status ok = insert_queue_item(item); !ok) return ok;
    }
    return {};
  });
}

Result<JobItem> JobTables::get_job(const JobId& id) {
  return one_of(items_of(database_.query(select(kJobColumns, "Jobs WHERE job_id = ?"), {id.text}), job_from),
                "job '" + id.text + "'");
}

Result<std::int64_t> JobTables::put_job(JobItem job) {
  return database_.transaction("put_job", [&] { return replace_if_unchanged(std::move(job)); });
}

Result<std::int64_t> JobTables::put_job_and_enqueue(JobItem job, QueueItem item) {
  if (Status ok = check_item_of(item, job); !ok) return std::unexpected(ok.error());
  if (item.status != QueueStatus::queued) return fail(ErrorKind::bad_input, "a new queue item must be QUEUED");
  // The numbers of a part's attempts go on where its last queue item left them: they name its journals.
  if (const auto part = job.parts.find(item.part.value); part != job.parts.end()) {
    item.attempt = std::max(item.attempt, part->second.attempt);
  }
  return database_.transaction("put_job_and_enqueue", [&]() -> Result<std::int64_t> {
    const Result<std::int64_t> revision = replace_if_unchanged(std::move(job));
    if (!revision) return revision;
    if (Status ok = insert_queue_item(item); !ok) return std::unexpected(ok.error());
    return revision;
  });
}

Result<std::vector<JobItem>> JobTables::list_jobs() {
  return items_of(database_.query(select(kJobColumns, "Jobs ORDER BY created_at, job_id")), job_from);
}

Result<std::vector<JobItem>> JobTables::jobs_named(const std::string& name) {
  return items_of(database_.query(select(kJobColumns, "Jobs WHERE name = ? ORDER BY created_at, job_id"), {name}),
                  job_from);
}

Status JobTables::remove_job(const JobId& id) {
  return database_.transaction("remove_job", [&]() -> Status {
    for (const char* table : {"Jobs", "Queue", "CostTracking"}) {
      const auto removed = database_.execute("DELETE FROM " + std::string(table) + " WHERE job_id = ?", {id.text});
      if (!removed) return std::unexpected(removed.error());
    }
    return {};
  });
}

Result<std::int64_t> JobTables::replace_if_unchanged(JobItem job) {
  const Result<JobItem> now = get_job(job.id);
  if (!now) return std::unexpected(now.error());
  if (now->revision != job.revision) {
    return fail(ErrorKind::changed, "job '" + job.id.text + "' was written since it was read: read it again");
  }
  if (Status ok = replace_job(job); !ok) return std::unexpected(ok.error());
  return job.revision;
}

Status JobTables::replace_job(JobItem& job) {
  ++job.revision;
  return done(database_.execute(write_row("REPLACE", "Jobs", kJobColumns), to_row(job)));
}

// --- Queue

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
    job->parts[item->part.value].attempt = item->attempt;
    job->task_arn = claim.owner;
    job->status = job::JobStatus::running;
    if (!job->started_at) job->started_at = claim.now;
    job->updated_at = claim.now;
    if (Status ok = replace_job(*job); !ok) return std::unexpected(ok.error());
    if (Status ok = replace_queue_item(*item); !ok) return std::unexpected(ok.error());
    return item;
  });
}

Status JobTables::heartbeat(const QueueItem& held, UtcTime lease_expires_at) {
  return database_.transaction("heartbeat", [&]() -> Status {
    Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    item->lease_expires_at = lease_expires_at;
    return replace_queue_item(*item);
  });
}

Status JobTables::report(const QueueItem& held, PartProgress progress, UtcTime now) {
  return database_.transaction("report", [&]() -> Status {
    const Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    note_progress(*job, *item, progress, now);
    return replace_job(*job);
  });
}

Status JobTables::requeue(const QueueItem& held, PartProgress progress, Money unspent, UtcTime now) {
  return database_.transaction("requeue", [&]() -> Status {
    Result<QueueItem> item = held_item(held);
    if (!item) return std::unexpected(item.error());
    Result<JobItem> job = get_job(item->job);
    if (!job) return std::unexpected(job.error());
    note_progress(*job, *item, progress, now);
    job->status = job::JobStatus::queued;
    job->unallocated += unspent;
    if (Status ok = replace_job(*job); !ok) return ok;
    item->status = QueueStatus::queued;
    item->owner.clear();
    item->lease_expires_at.reset();
    item->started_at.reset();
    return replace_queue_item(*item);
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

// --- Templates

Status JobTables::put_template(const TemplateItem& item) {
  return database_.transaction("put_template", [&]() -> Status {
    const auto inserted = database_.execute(write_row("INSERT", "Templates", kTemplateColumns), to_row(item));
    if (!inserted && inserted.error().kind == ErrorKind::already_exists) {
      return fail(ErrorKind::already_exists,
                  "there is a version " + std::to_string(item.version) + " of the template '" + item.id + "' already");
    }
    return done(inserted);
  });
}

Result<TemplateItem> JobTables::get_template(const std::string& id, std::optional<std::int64_t> version) {
  if (!version) {
    const std::string newest =
        select(kTemplateColumns, "Templates WHERE template_id = ? ORDER BY version DESC LIMIT 1");
    return one_of(items_of(database_.query(newest, {id}), template_from), "template '" + id + "'");
  }
  const std::string exact = select(kTemplateColumns, "Templates WHERE template_id = ? AND version = ?");
  return one_of(items_of(database_.query(exact, {id, *version}), template_from),
                "version " + std::to_string(*version) + " of the template '" + id + "'");
}

Result<std::vector<TemplateItem>> JobTables::list_templates() {
  return items_of(database_.query(select(kTemplateColumns, "Templates ORDER BY template_id, version")), template_from);
}

// --- CostTracking

Status JobTables::put_cost_rows(const std::vector<CostRow>& rows) {
  return database_.transaction("put_cost_rows", [&]() -> Status {
    for (const CostRow& row : rows) {
      const auto put = database_.execute(write_row("REPLACE", "CostTracking", kCostColumns), to_row(row));
      if (!put) return std::unexpected(put.error());
    }
    return {};
  });
}

Result<std::vector<CostRow>> JobTables::cost_rows(const JobId& id) {
  return items_of(database_.query(select(kCostColumns, "CostTracking WHERE job_id = ? ORDER BY timestamp"), {id.text}),
                  cost_row_from);
}

Result<std::optional<CostRow>> JobTables::last_cost_row(const JobId& id, PartNumber part) {
  const std::string newest =
      select(kCostColumns, "CostTracking WHERE job_id = ? AND timestamp LIKE ? ORDER BY timestamp DESC LIMIT 1");
  Result<std::vector<CostRow>> rows =
      items_of(database_.query(newest, {id.text, "%#" + std::to_string(part.value) + "#%#%"}), cost_row_from);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

}  // namespace palette::store
