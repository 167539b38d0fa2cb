// What JobStore promises, as transactions on a SQLite connection. Blocking, one thread at a time: SqliteJobStore brings
// both.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/job_store.h"
#include "store/local/sqlite.h"

namespace palette::store {

// Opens the database of that path; makes it when there is no file. A file that is no database of this project, or of a
// newer version of it, is refused.
Result<Database> open_job_database(const std::filesystem::path& path);

// Each function does what the member of JobStore with its name says.
class JobTables {
 public:
  explicit JobTables(Database database) : database_(std::move(database)) {}

  Status create_job(JobItem job, const std::vector<QueueItem>& queue);
  Result<JobItem> get_job(const JobId& id);
  Result<std::int64_t> put_job(JobItem job);
  Result<std::int64_t> put_job_and_enqueue(JobItem job, std::vector<QueueItem> items);
  Result<std::vector<JobItem>> list_jobs();
  Result<std::vector<JobItem>> jobs_named(const std::string& name);
  Status remove_job(const JobId& id);
  Result<JobItem> request_stop(const JobId& id, const std::string& reason, job::JobStatus end, UtcTime now);

  Result<std::vector<QueueItem>> queue_items(QueueStatus status);
  Result<std::vector<QueueItem>> queue_items_of(const JobId& id);
  Result<QueueItem> claim(const QueueItem& seen, const Claim& claim);
  Result<Pulse> heartbeat(const QueueItem& held, UtcTime lease_expires_at);
  Status report(const QueueItem& held, PartProgress progress, UtcTime now);
  Status requeue(const QueueItem& held, PartProgress progress, const GiveBack& back, UtcTime now);
  Status park(const QueueItem& held, PartProgress progress, const GiveBack& back, std::optional<UtcTime> not_before,
              UtcTime now);
  Status unpark(const QueueItem& seen);
  Status remove_queue_item(const QueueItem& seen);
  Result<bool> end_part(const QueueItem& held, PartProgress progress, Money unspent, const std::string& stop_reason,
                        const QueueItem& exporting, UtcTime now);
  Status finish(const QueueItem& held, const JobItem& job, Money unspent);
  Result<SliceAnswer> take_slice(const QueueItem& held, std::int64_t slice_no, Money amount);

  Status put_template(const TemplateItem& item);
  Result<TemplateItem> get_template(const std::string& id, std::optional<std::int64_t> version);
  Result<std::vector<TemplateItem>> list_templates();

  Status put_cost_rows(const std::vector<CostRow>& rows);
  Result<std::vector<CostRow>> cost_rows(const JobId& id);
  Result<std::optional<CostRow>> last_cost_row(const JobId& id, PartNumber part);

 private:
  struct Parking {
    std::optional<UtcTime> not_before;
  };

  // Inside a transaction.
  Status give_back(const QueueItem& held, PartProgress progress, const GiveBack& back, std::optional<Parking> parking,
                   UtcTime now);
  Status insert_queue_item(const QueueItem& item);
  Result<std::int64_t> replace_if_unchanged(JobItem job);
  Status replace_job(JobItem& job);  // revision + 1
  Status replace_queue_item(const QueueItem& item);
  Result<QueueItem> held_item(const QueueItem& held);  // fenced unless RUNNING under that attempt

  Database database_;
};

}  // namespace palette::store
