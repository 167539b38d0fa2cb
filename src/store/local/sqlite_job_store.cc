#include "store/local/sqlite_job_store.h"

namespace palette::store {

Result<std::unique_ptr<SqliteJobStore>> SqliteJobStore::open(const std::filesystem::path& path,
                                                             async::BlockingPool& pool) {
  Result<Database> database = open_job_database(path);
  if (!database) return std::unexpected(database.error());
  return std::unique_ptr<SqliteJobStore>(new SqliteJobStore(JobTables(std::move(*database)), pool));
}

async::Task<Status> SqliteJobStore::create_job(JobItem job, std::vector<QueueItem> queue) {
  co_return co_await with_tables(
      [job = std::move(job), queue = std::move(queue)](JobTables& tables) { return tables.create_job(job, queue); });
}

async::Task<Result<JobItem>> SqliteJobStore::get_job(JobId id) {
  co_return co_await with_tables([id = std::move(id)](JobTables& tables) { return tables.get_job(id); });
}

async::Task<Result<std::int64_t>> SqliteJobStore::put_job(JobItem job) {
  co_return co_await with_tables([job = std::move(job)](JobTables& tables) { return tables.put_job(job); });
}

async::Task<Result<std::int64_t>> SqliteJobStore::put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) {
  co_return co_await with_tables([job = std::move(job), items = std::move(items)](JobTables& tables) {
    return tables.put_job_and_enqueue(job, items);
  });
}

async::Task<Result<std::vector<JobItem>>> SqliteJobStore::list_jobs() {
  co_return co_await with_tables([](JobTables& tables) { return tables.list_jobs(); });
}

async::Task<Result<std::vector<JobItem>>> SqliteJobStore::jobs_named(std::string name) {
  co_return co_await with_tables([name = std::move(name)](JobTables& tables) { return tables.jobs_named(name); });
}

async::Task<Status> SqliteJobStore::remove_job(JobId id) {
  co_return co_await with_tables([id = std::move(id)](JobTables& tables) { return tables.remove_job(id); });
}

async::Task<Result<JobItem>> SqliteJobStore::request_stop(JobId id, std::string reason, job::JobStatus end,
                                                          UtcTime now) {
  co_return co_await with_tables([id = std::move(id), reason = std::move(reason), end, now](JobTables& tables) {
    return tables.request_stop(id, reason, end, now);
  });
}

async::Task<Result<std::vector<QueueItem>>> SqliteJobStore::queue_items(QueueStatus status) {
  co_return co_await with_tables([status](JobTables& tables) { return tables.queue_items(status); });
}

async::Task<Result<std::vector<QueueItem>>> SqliteJobStore::queue_items_of(JobId id) {
  co_return co_await with_tables([id = std::move(id)](JobTables& tables) { return tables.queue_items_of(id); });
}

async::Task<Result<QueueItem>> SqliteJobStore::claim(QueueItem seen, Claim claim) {
  co_return co_await with_tables(
      [seen = std::move(seen), claim = std::move(claim)](JobTables& tables) { return tables.claim(seen, claim); });
}

async::Task<Result<Pulse>> SqliteJobStore::heartbeat(QueueItem held, UtcTime lease_expires_at) {
  co_return co_await with_tables([held = std::move(held), lease_expires_at](JobTables& tables) {
    return tables.heartbeat(held, lease_expires_at);
  });
}

async::Task<Status> SqliteJobStore::report(QueueItem held, PartProgress progress, UtcTime now) {
  co_return co_await with_tables(
      [held = std::move(held), progress, now](JobTables& tables) { return tables.report(held, progress, now); });
}

async::Task<Status> SqliteJobStore::requeue(QueueItem held, PartProgress progress, GiveBack back, UtcTime now) {
  co_return co_await with_tables([held = std::move(held), progress, back = std::move(back), now](JobTables& tables) {
    return tables.requeue(held, progress, back, now);
  });
}

async::Task<Status> SqliteJobStore::park(QueueItem held, PartProgress progress, GiveBack back,
                                         std::optional<UtcTime> not_before, UtcTime now) {
  co_return co_await with_tables([held = std::move(held), progress, back = std::move(back), not_before, now](
                                     JobTables& tables) { return tables.park(held, progress, back, not_before, now); });
}

async::Task<Status> SqliteJobStore::unpark(QueueItem seen) {
  co_return co_await with_tables([seen = std::move(seen)](JobTables& tables) { return tables.unpark(seen); });
}

async::Task<Status> SqliteJobStore::remove_queue_item(QueueItem seen) {
  co_return co_await with_tables(
      [seen = std::move(seen)](JobTables& tables) { return tables.remove_queue_item(seen); });
}

async::Task<Result<bool>> SqliteJobStore::end_part(QueueItem held, PartProgress progress, Money unspent,
                                                   std::string stop_reason, QueueItem exporting, UtcTime now) {
  co_return co_await with_tables([held = std::move(held), progress, unspent, stop_reason = std::move(stop_reason),
                                  exporting = std::move(exporting), now](JobTables& tables) {
    return tables.end_part(held, progress, unspent, stop_reason, exporting, now);
  });
}

async::Task<Status> SqliteJobStore::finish(QueueItem held, JobItem job, Money unspent) {
  co_return co_await with_tables([held = std::move(held), job = std::move(job), unspent](JobTables& tables) {
    return tables.finish(held, job, unspent);
  });
}

async::Task<Result<SliceAnswer>> SqliteJobStore::take_slice(QueueItem held, std::int64_t slice_no, Money amount) {
  co_return co_await with_tables([held = std::move(held), slice_no, amount](JobTables& tables) {
    return tables.take_slice(held, slice_no, amount);
  });
}

async::Task<Status> SqliteJobStore::put_template(TemplateItem item) {
  co_return co_await with_tables([item = std::move(item)](JobTables& tables) { return tables.put_template(item); });
}

async::Task<Result<TemplateItem>> SqliteJobStore::get_template(std::string id, std::optional<std::int64_t> version) {
  co_return co_await with_tables(
      [id = std::move(id), version](JobTables& tables) { return tables.get_template(id, version); });
}

async::Task<Result<std::vector<TemplateItem>>> SqliteJobStore::list_templates() {
  co_return co_await with_tables([](JobTables& tables) { return tables.list_templates(); });
}

async::Task<Status> SqliteJobStore::put_cost_rows(std::vector<CostRow> rows) {
  co_return co_await with_tables([rows = std::move(rows)](JobTables& tables) { return tables.put_cost_rows(rows); });
}

async::Task<Result<std::vector<CostRow>>> SqliteJobStore::cost_rows(JobId id) {
  co_return co_await with_tables([id = std::move(id)](JobTables& tables) { return tables.cost_rows(id); });
}

async::Task<Result<std::optional<CostRow>>> SqliteJobStore::last_cost_row(JobId id, PartNumber part) {
  co_return co_await with_tables(
      [id = std::move(id), part](JobTables& tables) { return tables.last_cost_row(id, part); });
}

}  // namespace palette::store
