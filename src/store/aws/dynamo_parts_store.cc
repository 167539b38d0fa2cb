// How parts are given back, parked, stopped and ended (dynamo_job_store.h).
#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/limits.h"
#include "store/aws/dynamo_expression.h"
#include "store/aws/dynamo_job_items.h"
#include "store/aws/dynamo_job_store.h"
#include "store/aws/dynamo_rounds.h"
#include "store/part_notes.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

constexpr std::size_t kJobAction = 1;  // in the transactions of an owner
// All parts of a job may end in the same moment, and each round lets one of them through.
constexpr int kEndRoundsMax = kRoundsMax + 2 * static_cast<int>(limits::kPartsMax);
constexpr std::string_view kLastMark = ":last";

QueueItem released(QueueItem held, QueueStatus status) {
  held.status = status;
  held.owner.clear();
  held.lease_expires_at.reset();
  held.started_at.reset();
  return held;
}

bool is_begun(const JobItem& job) {
  return std::ranges::any_of(job.parts, [](const auto& part) { return part.second.attempt.value > 0; });
}

}  // namespace

async::Task<Status> DynamoJobStore::requeue(QueueItem held, PartProgress progress, GiveBack back, UtcTime now) {
  QueueItem queued = released(held, QueueStatus::queued);
  return give_back(std::move(held), std::move(queued), std::move(progress), std::move(back), now);
}

async::Task<Status> DynamoJobStore::park(QueueItem held, PartProgress progress, GiveBack back,
                                         std::optional<UtcTime> not_before, UtcTime now) {
  QueueItem parked = released(held, QueueStatus::parked);
  parked.not_before = not_before;
  return give_back(std::move(held), std::move(parked), std::move(progress), std::move(back), now);
}

async::Task<Status> DynamoJobStore::give_back(QueueItem held, QueueItem given_back, PartProgress progress,
                                              GiveBack back, UtcTime now) {
  const std::string mark = random_hex_id();
  for (int round = 0; round < kRoundsMax; ++round) {
    const Result<NotedPart> noted = co_await noted_part(held);
    if (!noted) co_return std::unexpected(noted.error());
    std::vector<aws::TransactAction> actions =
        give_back_actions(tables_, held, given_back, progress, *noted, back, now, mark);
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
    noted_.erase(key_of(held));
    if (done) co_return Status{};
    const aws::DynamoFailure& failure = done.error();
    if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
    const DynamoItem* job = item_of_reason(failure, kJobAction);
    if (job == nullptr) co_return fenced_off(held);
    if (failure.may_have_worked && owner_mark(*job, held.part) == mark) co_return Status{};
    const Result<NotedPart> there = noted_part_of(job, held);
    if (!there) co_return std::unexpected(there.error());
    noted_.emplace(key_of(held), *there);
  }
  co_return keeps_changing(held);
}

async::Task<Status> DynamoJobStore::unpark(QueueItem seen) {
  const std::string mark = random_hex_id();
  std::vector<aws::TransactAction> actions = unpark_actions(tables_, seen, mark);
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  if (done) co_return Status{};
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.queue);
  if (failure.may_have_worked) {
    aws::GetItem request{.table = tables_.queue, .key = queue_key(QueueStatus::queued, seen.position)};
    const aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(request));
    if (!item) co_return failed(item.error(), tables_.queue);
    if (*item && aws::text_of(**item, "claim_id").value_or("") == mark) co_return Status{};
  }
  co_return fail(ErrorKind::changed,
                 "the queue item '" + seen.position.text + "' is no longer what was seen: look again");
}

async::Task<Status> DynamoJobStore::remove_queue_item(QueueItem seen) {
  aws::DeleteItem request = removal_of(tables_, seen, seen.status);
  const aws::DynamoResult<aws::Written> done = co_await dynamodb_->delete_item(std::move(request));
  if (done) co_return Status{};
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.queue);
  if (!failure.item) co_return Status{};
  co_return fail(ErrorKind::changed,
                 "the queue item '" + seen.position.text + "' is no longer what was seen: look again");
}

async::Task<Result<bool>> DynamoJobStore::end_part(QueueItem held, PartProgress progress, Money unspent,
                                                   std::string stop_reason, QueueItem exporting, UtcTime now) {
  if (exporting.job != held.job) {
    co_return fail(ErrorKind::bad_input,
                   "an export of job '" + exporting.job.text + "' was given with job '" + held.job.text + "'");
  }
  const std::string mark = random_hex_id();
  const PartEnd end{unspent, std::move(stop_reason), std::move(exporting)};
  for (int round = 0; round < kEndRoundsMax; ++round) {
    const Result<NotedPart> noted = co_await noted_part(held);
    if (!noted) co_return std::unexpected(noted.error());
    const bool is_last = noted->parts_ended + 1 == noted->parts_total;
    std::vector<aws::TransactAction> actions =
        end_part_actions(tables_, held, progress, *noted, end, now, is_last ? mark + std::string(kLastMark) : mark);
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
    noted_.erase(key_of(held));
    if (done) co_return is_last;
    const aws::DynamoFailure& failure = done.error();
    if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
    const DynamoItem* job = item_of_reason(failure, kJobAction);
    if (job == nullptr && failed_its_condition(failure, 2)) {
      co_return fail(ErrorKind::already_exists, "there is a queue item '" + end.exporting.position.text + "' already");
    }
    if (job == nullptr) co_return fenced_off(held);
    // Any of our tries: the mark says as what it counted.
    const std::string left = failure.may_have_worked ? owner_mark(*job, held.part) : std::string();
    if (left.starts_with(mark)) co_return left.ends_with(kLastMark);
    const Result<NotedPart> there = noted_part_of(job, held);
    if (!there) co_return std::unexpected(there.error());
    noted_.emplace(key_of(held), *there);
  }
  co_return keeps_changing(held);
}

async::Task<Result<JobItem>> DynamoJobStore::request_stop(JobId id, std::string reason, job::JobStatus end,
                                                          UtcTime now) {
  for (int round = 0; round < kRoundsMax; ++round) {
    Result<JobItem> job = co_await get_job(id);
    if (!job) co_return job;
    if (job::is_terminal(job->status)) co_return has_ended_already(*job);
    if (is_begun(*job)) co_return co_await note_stop(id, reason, now);
    Result<std::optional<JobItem>> ended = co_await end_unbegun(std::move(*job), reason, end, now);
    if (!ended) co_return std::unexpected(ended.error());
    if (*ended) co_return std::move(**ended);
  }
  co_return fail(ErrorKind::conflict, "job '" + id.text + "' keeps changing: try again");
}

async::Task<Result<JobItem>> DynamoJobStore::note_stop(JobId id, std::string reason, UtcTime now) {
  DynamoExpression stop;
  stop.set_if_absent(stop.path({"stop_reason"}), Attribute::text(reason));
  stop.set(stop.path({"updated_at"}), Attribute::text(now.to_iso()));
  stop.add(stop.path({"revision"}), Attribute::number(1));
  const std::string status = stop.path({"status"});
  stop.require(status + " = " + stop.value(Attribute::text(job::to_string(job::JobStatus::queued))) + " OR " + status +
               " = " + stop.value(Attribute::text(job::to_string(job::JobStatus::running))));
  aws::UpdateItem request{.table = tables_.jobs,
                          .key = job_key(id),
                          .update = stop.update(),
                          .condition = stop.condition(),
                          .terms = stop.terms()};
  request.returned = aws::Returned::all_new;
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->update_item(std::move(request));
  if (!done && done.error().error.kind == ErrorKind::changed) {
    const Result<JobItem> job = co_await get_job(id);
    if (!job) co_return job;
    co_return has_ended_already(*job);
  }
  if (!done) co_return failed(done.error(), tables_.jobs);
  const Result<std::vector<QueueItem>> items = co_await queue_items_of(id);
  if (!items) co_return std::unexpected(items.error());
  for (const QueueItem& item : *items) {
    if (item.status != QueueStatus::parked) continue;
    const Status moved = co_await unpark(item);
    if (!moved && moved.error().kind != ErrorKind::changed) co_return std::unexpected(moved.error());
  }
  co_return job_from(done->attributes);
}

}  // namespace palette::store
