// The tables on one machine: a SQLite database (WAL, synchronous=FULL: what a call promised is on the disk when it
// returns).
//
//   Result<std::unique_ptr<SqliteJobStore>> jobs = SqliteJobStore::open(data_dir / "jobs.db", pool);
//
// Several processes may use the same file; of one process one connection does all the work, a call at a time. A file
// that cannot be read is `corrupt`, never taken as a new one.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include "async/blocking.h"
#include "store/job_store.h"
#include "store/local/job_tables.h"

namespace palette::store {

class SqliteJobStore final : public JobStore {
 public:
  // Makes the database and its folder when there is none. Blocks for a few milliseconds. `pool` must outlive the store.
  static Result<std::unique_ptr<SqliteJobStore>> open(const std::filesystem::path& path, async::BlockingPool& pool);

  async::Task<Status> create_job(JobItem job, std::vector<QueueItem> queue) override;
  async::Task<Result<JobItem>> get_job(JobId id) override;
  async::Task<Result<std::int64_t>> put_job(JobItem job) override;
  async::Task<Result<std::int64_t>> put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) override;
  async::Task<Result<std::vector<JobItem>>> list_jobs() override;
  async::Task<Result<std::vector<JobItem>>> jobs_named(std::string name) override;
  async::Task<Status> remove_job(JobId id) override;
  async::Task<Result<JobItem>> request_stop(JobId id, std::string reason, job::JobStatus end, UtcTime now) override;

  async::Task<Result<std::vector<QueueItem>>> queue_items(QueueStatus status) override;
  async::Task<Result<std::vector<QueueItem>>> queue_items_of(JobId id) override;
  async::Task<Result<QueueItem>> claim(QueueItem seen, Claim claim) override;
  async::Task<Result<Pulse>> heartbeat(QueueItem held, UtcTime lease_expires_at) override;
  async::Task<Status> report(QueueItem held, PartProgress progress, UtcTime now) override;
  async::Task<Status> requeue(QueueItem held, PartProgress progress, GiveBack back, UtcTime now) override;
  async::Task<Status> park(QueueItem held, PartProgress progress, GiveBack back, std::optional<UtcTime> not_before,
                           UtcTime now) override;
  async::Task<Status> unpark(QueueItem seen) override;
  async::Task<Status> remove_queue_item(QueueItem seen) override;
  async::Task<Result<bool>> end_part(QueueItem held, PartProgress progress, Money unspent, std::string stop_reason,
                                     QueueItem exporting, UtcTime now) override;
  async::Task<Status> finish(QueueItem held, JobItem job, Money unspent) override;
  async::Task<Result<SliceAnswer>> take_slice(QueueItem held, std::int64_t slice_no, Money amount) override;

  async::Task<Status> put_template(TemplateItem item) override;
  async::Task<Result<TemplateItem>> get_template(std::string id, std::optional<std::int64_t> version) override;
  async::Task<Result<std::vector<TemplateItem>>> list_templates() override;

  async::Task<Status> put_cost_rows(std::vector<CostRow> rows) override;
  async::Task<Result<std::vector<CostRow>>> cost_rows(JobId id) override;
  async::Task<Result<std::optional<CostRow>>> last_cost_row(JobId id, PartNumber part) override;

 private:
  SqliteJobStore(JobTables tables, async::BlockingPool& pool) : tables_(std::move(tables)), pool_(pool) {}

  // Runs `work` on the tables, alone, on a thread of the pool.
  template <class Work>
  async::Task<std::invoke_result_t<Work, JobTables&>> with_tables(Work work) {
    co_return co_await pool_.run([this, work = std::move(work)]() mutable {
      const std::lock_guard guard(mutex_);
      return work(tables_);
    });
  }

  std::mutex mutex_;  // guards tables_
  JobTables tables_;
  async::BlockingPool& pool_;
};

}  // namespace palette::store
