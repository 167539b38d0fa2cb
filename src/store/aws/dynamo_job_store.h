// The tables in DynamoDB (job_store.h). Every write is one conditional request; nothing is checked first and written
// then. What an owner writes again and again (heartbeat, report, take_slice) is one UpdateItem each, claim, requeue and
// finish are one TransactWriteItems.
//
//   DynamoJobStore jobs(dynamodb, {"Jobs", "Queue", "Templates", "CostTracking"});
//
// A write whose answer was lost is sent again, and then finds its own doing: the mark that it left (claim_id in the
// queue item, `owners` and `put_mark` in the job) tells that from somebody else's.
//
// A queue item that cannot be read would stop every worker: it is set aside, under the status MALFORMED with the
// `reason`, and told to `on_set_aside`.
//
// No index is needed. jobs_named scans: a name must be found the moment it is written, and an index over names would
// lag behind the table.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/dynamodb.h"
#include "store/aws/dynamo_owner_writes.h"
#include "store/job_store.h"

namespace palette::store {

class DynamoJobStore final : public JobStore {
 public:
  DynamoJobStore(std::shared_ptr<aws::DynamoDb> dynamodb, DynamoTables tables,
                 std::function<void(const Error&)> on_set_aside = {});

  async::Task<Status> create_job(JobItem job, std::vector<QueueItem> queue) override;
  async::Task<Result<JobItem>> get_job(JobId id) override;
  async::Task<Result<std::int64_t>> put_job(JobItem job) override;
  // Items that somebody has taken out of the queue by hand do not keep the job out of it.
  async::Task<Result<std::int64_t>> put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) override;
  async::Task<Result<std::vector<JobItem>>> list_jobs() override;
  async::Task<Result<std::vector<JobItem>>> jobs_named(std::string name) override;
  // The cost rows first, then job and queue items (in one transaction up to 33 items): a job that is still seen can be
  // removed again.
  async::Task<Status> remove_job(JobId id) override;
  // A job that is begun: first the job, then each of its PARKED items.
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

  std::int64_t clock_offset_ms() const override { return dynamodb_->clock_offset_ms(); }

  async::Task<Result<SliceAnswer>> take_slice(QueueItem held, std::int64_t slice_no, Money amount) override;

  async::Task<Status> put_template(TemplateItem item) override;
  async::Task<Result<TemplateItem>> get_template(std::string id, std::optional<std::int64_t> version) override;
  async::Task<Result<std::vector<TemplateItem>>> list_templates() override;

  // All or none up to 100 rows at once; beyond, hundred by hundred in their order.
  async::Task<Status> put_cost_rows(std::vector<CostRow> rows) override;
  async::Task<Result<std::vector<CostRow>>> cost_rows(JobId id) override;
  async::Task<Result<std::optional<CostRow>>> last_cost_row(JobId id, PartNumber part) override;

 private:
  using PartKey = std::pair<std::string, std::int64_t>;  // job, part
  static PartKey key_of(const QueueItem& held) { return {held.job.text, held.part.value}; }

  // The job's item as it is; none when there is no such job.
  async::Task<Result<std::optional<aws::DynamoItem>>> job_item(JobId id);
  async::Task<Result<std::vector<JobItem>>> scan_jobs(aws::Scan request);

  async::Task<Result<std::vector<QueueItem>>> query_queue(QueueStatus status, std::optional<JobId> only_of);
  async::Task<Status> set_aside(aws::DynamoItem item, Error why);
  // `are_free`: nothing stands at the items' positions, whatever the job remembers. Errors as of put_job_and_enqueue.
  async::Task<Result<std::int64_t>> put_and_enqueue(JobItem job, std::vector<QueueItem> items, bool are_free);
  // The item at that position, whatever its status; none when it is in none of the three.
  async::Task<Result<std::optional<QueueItem>>> find_queued(QueuePosition position);
  // The positions that the job remembers; none where it cannot know them (no such job, or others made it).
  async::Task<Result<std::optional<std::vector<QueuePosition>>>> positions_of(JobId id);
  // The key of every queue item that the job may have.
  async::Task<Result<std::vector<aws::DynamoItem>>> queue_keys_of(JobId id);
  async::Task<Result<bool>> is_claimed_by(QueuePosition position, std::string claim_id);
  // Gives the job the attributes that a claim needs.
  async::Task<Status> complete_job(aws::DynamoItem item);

  // RUNNING -> `given_back`.
  async::Task<Status> give_back(QueueItem held, QueueItem given_back, PartProgress progress, GiveBack back,
                                UtcTime now);
  async::Task<Result<JobItem>> note_stop(JobId id, std::string reason, UtcTime now);
  // Nothing when the job was begun meanwhile.
  async::Task<Result<std::optional<JobItem>>> end_unbegun(JobItem job, std::string reason, job::JobStatus end,
                                                          UtcTime now);

  // What the part's owner reported last: remembered, or read.
  async::Task<Result<NotedPart>> noted_part(QueueItem held);
  async::Task<Status> remove_cost_rows(JobId id);

  std::unexpected<Error> failed(const aws::DynamoFailure& failure, const std::string& table) const;

  std::shared_ptr<aws::DynamoDb> dynamodb_;
  DynamoTables tables_;
  std::function<void(const Error&)> on_set_aside_;
  std::map<PartKey, NotedPart> noted_;  // of the parts that this process holds
};

}  // namespace palette::store
