// The tables: Jobs, Queue, Templates, CostTracking (DESIGN.md section 5). SQLite on one machine
// (local/sqlite_job_store.h), DynamoDB in AWS. Every write that an owner makes is conditional on its attempt, so that a
// fenced-off attempt changes nothing. tests/contract/job_store_contract.h holds every implementation to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "job/status.h"

namespace palette::store {

// The number of an export's queue item, whose attempts are counted as a part's are. The parts begin at 1.
inline constexpr PartNumber kExportPart{0};

// What one part of a job has done, as its owner reports it. Cumulative over the part's attempts.
struct PartProgress {
  AttemptNumber attempt;
  std::int64_t slice_no = 0;  // of the last slice; only take_slice changes it
  Money last_slice = {};      // its amount; likewise
  std::int64_t records = 0;
  std::int64_t failed = 0;
  std::int64_t tokens = 0;
  Money cost;
  // Attempts in a row that ended without a record more than before, in an error or a lapsed lease, and how the last of
  // them ended; only the store changes them.
  std::int64_t fruitless = 0;
  std::string last_cause = {};
  bool operator==(const PartProgress&) const = default;
};

struct JobItem {
  JobId id;
  std::string name;
  std::string user_id = "local";
  std::string identity_hash;  // what decides the records (DESIGN.md section 4)
  job::JobStatus status = job::JobStatus::queued;
  std::string stop_reason;  // why it stopped, before the export has set the terminal status; else empty
  std::string error_message;
  JsonObject spec_fields;  // short fields of the spec, for lists: num_records, output_format, template_id, …
  std::int64_t num_records = 0;
  std::optional<Money> budget_limit;
  Money unallocated;                           // budget not given to any slice
  JsonArray extents;                           // job::Extent as JSON, in order
  std::map<std::int64_t, PartProgress> parts;  // by part number; a job of several parts has them all from the start
  std::int64_t parts_ended = 0;
  std::int64_t records_generated = 0;
  std::int64_t records_failed = 0;
  std::int64_t tokens_used = 0;
  Money cost_estimate;
  UtcTime created_at;
  std::optional<UtcTime> started_at, completed_at;
  UtcTime updated_at;
  std::string task_arn;
  std::int64_t revision = 0;  // goes up with every write; put_job is conditional on it

  // Without the export's own entry.
  std::int64_t parts_total() const {
    const auto all = static_cast<std::int64_t>(parts.size()) - (parts.contains(kExportPart.value) ? 1 : 0);
    return all > 0 ? all : 1;
  }
};

enum class QueueStatus : std::uint8_t { queued, running, parked };
std::string_view to_string(QueueStatus status);  // "QUEUED", …

enum class WorkKind : std::uint8_t { generate, export_ };
std::string_view to_string(WorkKind kind);  // "generate", "export"

// `{priority}#{timestamp}#{job_id}#{part}`: oldest first means by time, not by job id.
struct QueuePosition {
  std::string text;
  auto operator<=>(const QueuePosition&) const = default;
  static QueuePosition make(int priority, UtcTime submitted, const JobId& job, PartNumber part);
};

struct QueueItem {
  QueueStatus status = QueueStatus::queued;
  QueuePosition position;
  JobId job;
  PartNumber part{1};
  WorkKind kind = WorkKind::generate;
  AttemptNumber attempt{0};  // of the last claim
  std::string owner;         // task ARN, or host and pid
  std::optional<UtcTime> lease_expires_at, not_before, started_at;
};

struct TemplateItem {
  std::string id;
  std::int64_t version = 1;
  std::string name;
  std::string definition;  // the template as JSON text
  UtcTime created_at;
};

struct CostRow {
  JobId job;
  std::string timestamp_key;  // {ISO time}#{part}#{attempt}#{seq}
  JsonObject fields;          // DESIGN.md section 5, CostTracking
};

// Who claims, until when. With `take_over` a RUNNING item is taken whatever its lease says, if it still is the one that
// was seen: for the local owner, whose lease is a kernel file lock that it holds already.
struct Claim {
  std::string owner;
  UtcTime now;
  UtcTime lease_expires_at;
  bool take_over = false;
};

// What an owner learns of the job with each heartbeat.
struct Pulse {
  std::string stop_reason;  // not empty: the parts shall end, e.g. "cancelled"
  Money unallocated;
};

// How an owner gives its part back.
struct GiveBack {
  Money unspent = {};      // of its slices
  std::string cause = {};  // of an attempt that failed; empty when it was drained, or had to wait
};

struct SliceAnswer {
  bool granted = false;
  Money unallocated;  // of the job, now
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // --- Jobs
  // Puts the job and its queue items in one transaction. already_exists when the id is taken.
  virtual async::Task<Status> create_job(JobItem job, std::vector<QueueItem> queue) = 0;
  virtual async::Task<Result<JobItem>> get_job(JobId id) = 0;
  // Replaces the item if its revision is still `job.revision` (else changed); gives the new revision.
  virtual async::Task<Result<std::int64_t>> put_job(JobItem job) = 0;
  // put_job and, in the same transaction, new QUEUED items (extension, export, going on after a stop, a job that was
  // found in no queue).
  virtual async::Task<Result<std::int64_t>> put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) = 0;
  // Oldest first.
  virtual async::Task<Result<std::vector<JobItem>>> list_jobs() = 0;
  // All jobs of that name, oldest first.
  virtual async::Task<Result<std::vector<JobItem>>> jobs_named(std::string name) = 0;
  // The job, its queue items and its cost rows. Removing what is not there is no error.
  virtual async::Task<Status> remove_job(JobId id) = 0;
  // Notes why the job shall stop, unless it has a reason already, for its owners to see, and puts its PARKED items back
  // to QUEUED, so that a worker ends them. A job that nobody has begun is ended at once, with `end`, and leaves the
  // queue. Gives the job as it is then. bad_input when it has ended already.
  virtual async::Task<Result<JobItem>> request_stop(JobId id, std::string reason, job::JobStatus end, UtcTime now) = 0;

  // --- Queue
  virtual async::Task<Result<std::vector<QueueItem>>> queue_items(QueueStatus status) = 0;  // in order of position
  virtual async::Task<Result<std::vector<QueueItem>>> queue_items_of(JobId id) = 0;
  // One transaction: takes `seen` (QUEUED, or RUNNING with an expired lease or take_over), makes it RUNNING with
  // attempt + 1, and notes attempt, owner, status RUNNING and started_at in the job. A lapsed lease counts as a
  // fruitless attempt. Gives the claimed item.
  // Errors: changed when somebody else was first, held when the lease of a RUNNING item still holds, bad_input for what
  // cannot be claimed: PARKED, or left over of a job that has ended.
  virtual async::Task<Result<QueueItem>> claim(QueueItem seen, Claim claim) = 0;
  // Renews the lease of a RUNNING item under its attempt; fenced when the attempt moved on.
  virtual async::Task<Result<Pulse>> heartbeat(QueueItem held, UtcTime lease_expires_at) = 0;
  // The owner's report under its attempt: progress of the part and the job's totals. fenced otherwise.
  virtual async::Task<Status> report(QueueItem held, PartProgress progress, UtcTime now) = 0;
  // RUNNING -> QUEUED in front of its priority (keeps its position), the job back to QUEUED unless another part of it
  // is RUNNING; fenced otherwise. What is unspent goes back to the unallocated budget.
  virtual async::Task<Status> requeue(QueueItem held, PartProgress progress, GiveBack back, UtcTime now) = 0;
  // The same, RUNNING -> PARKED: until `not_before`, or, without one, until somebody finds that it can go on.
  virtual async::Task<Status> park(QueueItem held, PartProgress progress, GiveBack back,
                                   std::optional<UtcTime> not_before, UtcTime now) = 0;
  // PARKED -> QUEUED; changed when it is no longer as it was seen.
  virtual async::Task<Status> unpark(QueueItem seen) = 0;
  // Takes an item out of the queue that nobody can work on: its job is gone, or has ended. Nothing is done when it is
  // gone already; changed when another one stands there now.
  virtual async::Task<Status> remove_queue_item(QueueItem seen) = 0;
  // The part has nothing more to do. In one transaction: removes the RUNNING item, notes the progress, counts the part
  // as ended, and, for the last one, puts `exporting` (QUEUED) into the queue. A `stop_reason` is kept if the job has
  // none. True for the last part; fenced when the attempt moved on.
  virtual async::Task<Result<bool>> end_part(QueueItem held, PartProgress progress, Money unspent,
                                             std::string stop_reason, QueueItem exporting, UtcTime now) = 0;
  // Removes the RUNNING item and writes the job's end (status, stop_reason, error_message, totals, completed_at)
  // from `job`, in one transaction; fenced when the attempt moved on. `unspent` goes back as with requeue.
  virtual async::Task<Status> finish(QueueItem held, JobItem job, Money unspent) = 0;

  // How far the store's clock is ahead of this machine's, as far as its answers have told: leases are its.
  virtual std::int64_t clock_offset_ms() const { return 0; }

  // --- Budget
  // Moves `amount` from the job's unallocated budget to the part, as its slice number `slice_no`: one more than its
  // last one. The same number and amount again (a lost answer) changes nothing and is granted. Not granted when less is
  // left. fenced when the attempt moved on; changed for any other slice number.
  virtual async::Task<Result<SliceAnswer>> take_slice(QueueItem held, std::int64_t slice_no, Money amount) = 0;

  // --- Templates
  virtual async::Task<Status> put_template(TemplateItem item) = 0;  // already_exists when id and version are taken
  virtual async::Task<Result<TemplateItem>> get_template(std::string id, std::optional<std::int64_t> version) = 0;
  virtual async::Task<Result<std::vector<TemplateItem>>> list_templates() = 0;

  // --- CostTracking
  // All or none; the same key again replaces a row.
  virtual async::Task<Status> put_cost_rows(std::vector<CostRow> rows) = 0;
  virtual async::Task<Result<std::vector<CostRow>>> cost_rows(JobId id) = 0;
  // The part's newest; none when it has none.
  virtual async::Task<Result<std::optional<CostRow>>> last_cost_row(JobId id, PartNumber part) = 0;
};

}  // namespace palette::store
