// What the owner of a part writes, as requests; and what the job's item says about the part. Pure functions.
//
// In the Jobs item `owners.n` says who may write for part n: {attempt, held, report_no, mark}. A claim sets it, a
// requeue or finish lets go of it, and every write of an owner asks for it. The job's totals are the sums over the
// parts: a report moves them by what its part has more than at report `report_no`, and asks for that number, so that
// the same report twice counts once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/dynamo_requests.h"
#include "store/job_store.h"

namespace palette::store {

// Names of the four tables (DESIGN.md section 5).
struct DynamoTables {
  std::string jobs, queue, templates, costs;
};

// A part in the job's item, seen by its owner.
struct NotedPart {
  AttemptNumber attempt;
  std::int64_t report_no = 0;
  bool exists = false;  // has an entry in `parts`
  PartProgress progress;
  // What the sums over all parts have more than the totals; the next report sets that right, if the job still has
  // `revision`.
  std::int64_t records_off = 0, failed_off = 0, tokens_off = 0;
  Money cost_off;
  std::int64_t revision = 0;
  Money unallocated;
  bool others_run = false;  // another part of the job has an owner
  std::int64_t parts_ended = 0, parts_total = 1;

  bool totals_are_off() const { return records_off != 0 || failed_off != 0 || tokens_off != 0 || cost_off != Money{}; }
};

// `job`: null when it is gone. fenced unless the attempt of `held` owns the part.
Result<NotedPart> noted_part_of(const aws::DynamoItem* job, const QueueItem& held);

// Who was the last to claim or let go of the part: the mark of that call; empty when nobody was.
std::string owner_mark(const aws::DynamoItem& job, PartNumber part);

std::unexpected<Error> fenced_off(const QueueItem& held);

// The item as `claim` makes it.
QueueItem claimed_item(const QueueItem& seen, const Claim& claim);

// A claim: [delete QUEUED,] put RUNNING, update the job. `part_exists`: whether `parts` has an entry for it already.
std::vector<aws::TransactAction> claim_actions(const DynamoTables& tables, const QueueItem& seen, const Claim& claim,
                                               const std::string& claim_id, bool part_exists);

aws::UpdateItem heartbeat_request(const DynamoTables& tables, const QueueItem& held, UtcTime lease_expires_at);
// Gives back the whole job: what the next report starts from.
aws::UpdateItem report_request(const DynamoTables& tables, const QueueItem& held, const PartProgress& progress,
                               const NotedPart& noted, UtcTime now);
aws::UpdateItem slice_request(const DynamoTables& tables, const QueueItem& held, std::int64_t slice_no, Money amount,
                              bool part_exists);

// Delete RUNNING, update the job, put `given_back` (QUEUED or PARKED). `mark` names this call.
std::vector<aws::TransactAction> give_back_actions(const DynamoTables& tables, const QueueItem& held,
                                                   const QueueItem& given_back, const PartProgress& progress,
                                                   const NotedPart& noted, const GiveBack& back, UtcTime now,
                                                   const std::string& mark);
// Takes the item out of the queue, if it still is of that attempt.
aws::DeleteItem removal_of(const DynamoTables& tables, const QueueItem& item, QueueStatus status);
// Delete PARKED, put QUEUED.
std::vector<aws::TransactAction> unpark_actions(const DynamoTables& tables, const QueueItem& seen,
                                                const std::string& mark);
// What a part ends with, beside its progress.
struct PartEnd {
  Money unspent;
  std::string stop_reason;
  QueueItem exporting;
};
// Delete RUNNING, update the job and, for the last part, put the export. Asks that no other part ended since `noted`.
std::vector<aws::TransactAction> end_part_actions(const DynamoTables& tables, const QueueItem& held,
                                                  const PartProgress& progress, const NotedPart& noted,
                                                  const PartEnd& end, UtcTime now, const std::string& mark);
// Delete RUNNING, update the job.
std::vector<aws::TransactAction> finish_actions(const DynamoTables& tables, const QueueItem& held, const JobItem& end,
                                                Money unspent, const std::string& mark);

}  // namespace palette::store
