// The queue, and what the owner of a part writes (dynamo_job_store.h).
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ids.h"
#include "store/aws/dynamo_expression.h"
#include "store/aws/dynamo_job_items.h"
#include "store/aws/dynamo_job_store.h"
#include "store/aws/dynamo_rounds.h"
#include "store/part_notes.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

constexpr std::size_t kQueueItemsMax = 200'000;       // of one status
constexpr std::string_view kMalformed = "MALFORMED";  // the status of what was set aside
// A waiting item is claimed, a claimed one handed back: this is the order in which none slips through between two
// reads, but for one that moves twice meanwhile.
constexpr QueueStatus kStatuses[] = {QueueStatus::queued, QueueStatus::running, QueueStatus::parked};

bool same_figures(const PartProgress& a, const PartProgress& b) {
  return a.records == b.records && a.failed == b.failed && a.tokens == b.tokens && a.cost == b.cost;
}

// Why the queue item could not be claimed; `there` is what stands in its place, null for nothing.
std::unexpected<Error> refusal_of_claim(const QueueItem& seen, const Claim& claim, const DynamoItem* there) {
  if (there != nullptr && seen.status == QueueStatus::running && !claim.take_over) {
    const Result<QueueItem> now = queue_item_from(*there);
    if (!now) return std::unexpected(now.error());
    const bool same = now->attempt == seen.attempt && now->job == seen.job;
    if (same && now->lease_expires_at && *now->lease_expires_at > claim.now) {
      return fail(ErrorKind::held, "held by " + now->owner + " until " + now->lease_expires_at->to_iso());
    }
  }
  return fail(ErrorKind::changed, "the queue item '" + seen.position.text + "' is no longer what was seen: look again");
}

// The answer to take_slice after its condition failed; none when it should go again.
std::optional<Result<SliceAnswer>> slice_answer(const QueueItem& held, const NotedPart& noted, std::int64_t slice_no,
                                                Money amount) {
  const PartProgress& part = noted.progress;
  if (part.slice_no == slice_no && part.last_slice == amount) return SliceAnswer{true, noted.unallocated};
  if (part.slice_no != slice_no - 1) {
    return fail(ErrorKind::changed, "slice " + std::to_string(slice_no) + " of part " +
                                        std::to_string(held.part.value) + " of job '" + held.job.text +
                                        "' was asked for, but the last one is " + std::to_string(part.slice_no));
  }
  if (noted.unallocated < amount) return SliceAnswer{false, noted.unallocated};
  return {};
}

}  // namespace

// --- Reading

async::Task<Result<std::vector<QueueItem>>> DynamoJobStore::query_queue(QueueStatus status,
                                                                        std::optional<JobId> only_of) {
  DynamoExpression is;
  is.require_equal(is.path({"status"}), Attribute::text(to_string(status)));
  aws::Query request{.table = tables_.queue, .key_condition = is.condition()};
  if (only_of) request.filter = is.path({"job_id"}) + " = " + is.value(Attribute::text(only_of->text));
  request.terms = is.terms();
  aws::DynamoResult<std::vector<DynamoItem>> items = co_await dynamodb_->query(std::move(request), kQueueItemsMax);
  if (!items) co_return failed(items.error(), tables_.queue);
  std::vector<QueueItem> queued;
  for (DynamoItem& item : *items) {
    Result<QueueItem> read = queue_item_from(item);
    if (read) {
      queued.push_back(std::move(*read));
    } else if (Status ok = co_await set_aside(std::move(item), read.error()); !ok) {
      co_return std::unexpected(ok.error());
    }
  }
  co_return queued;
}

async::Task<Status> DynamoJobStore::set_aside(DynamoItem item, Error why) {
  DynamoItem key{{"status", item.at("status")}, {"position", item.at("position")}};
  item.insert_or_assign("status", Attribute::text(kMalformed));
  item.insert_or_assign("reason", Attribute::text(why.text()));
  DynamoExpression there;
  there.require("attribute_exists(" + there.path({"position"}) + ")");
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(aws::DeleteItem{
      .table = tables_.queue, .key = std::move(key), .condition = there.condition(), .terms = there.terms()});
  actions.emplace_back(aws::PutItem{.table = tables_.queue, .item = std::move(item)});
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  // Another worker may have seen it too, and moved it first.
  if (!done && done.error().error.kind == ErrorKind::changed) co_return Status{};
  if (!done) co_return failed(done.error(), tables_.queue);
  if (on_set_aside_) on_set_aside_(why);
  co_return Status{};
}

async::Task<Result<std::vector<QueueItem>>> DynamoJobStore::queue_items(QueueStatus status) {
  return query_queue(status, std::nullopt);
}

async::Task<Result<std::optional<std::vector<QueuePosition>>>> DynamoJobStore::positions_of(JobId id) {
  const Result<std::optional<DynamoItem>> job = co_await job_item(id);
  if (!job) co_return std::unexpected(job.error());
  // Who has `owners` was written by this store, which notes every position.
  if (!*job || !aws::has(**job, "owners")) co_return std::nullopt;
  std::vector<QueuePosition> positions;
  if (const auto noted = (*job)->find("positions"); noted != (*job)->end()) {
    if (const auto* set = std::get_if<aws::TextSet>(&noted->second.value)) {
      for (const std::string& text : set->values) positions.push_back({text});
    }
  }
  std::ranges::sort(positions);
  co_return positions;
}

async::Task<Result<std::optional<QueueItem>>> DynamoJobStore::find_queued(QueuePosition position) {
  // Twice: it may have moved between two of the reads.
  for (int round = 0; round < 2; ++round) {
    for (const QueueStatus status : kStatuses) {
      aws::GetItem request{.table = tables_.queue, .key = queue_key(status, position)};
      aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(request));
      if (!item) co_return failed(item.error(), tables_.queue);
      if (!*item) continue;
      Result<QueueItem> found = queue_item_from(**item);
      if (!found) co_return std::unexpected(found.error());
      co_return std::move(*found);
    }
  }
  co_return std::nullopt;
}

async::Task<Result<std::vector<QueueItem>>> DynamoJobStore::queue_items_of(JobId id) {
  const Result<std::optional<std::vector<QueuePosition>>> positions = co_await positions_of(id);
  if (!positions) co_return std::unexpected(positions.error());
  std::vector<QueueItem> items;
  if (*positions) {
    for (const QueuePosition& position : **positions) {
      Result<std::optional<QueueItem>> item = co_await find_queued(position);
      if (!item) co_return std::unexpected(item.error());
      if (*item) items.push_back(std::move(**item));
    }
    co_return items;
  }
  for (const QueueStatus status : kStatuses) {
    Result<std::vector<QueueItem>> some = co_await query_queue(status, id);
    if (!some) co_return some;
    std::ranges::move(*some, std::back_inserter(items));
  }
  std::ranges::sort(items, {}, &QueueItem::position);
  co_return items;
}

async::Task<Result<std::vector<DynamoItem>>> DynamoJobStore::queue_keys_of(JobId id) {
  const Result<std::optional<std::vector<QueuePosition>>> positions = co_await positions_of(id);
  if (!positions) co_return std::unexpected(positions.error());
  std::vector<DynamoItem> keys;
  if (*positions) {
    for (const QueuePosition& position : **positions) {
      for (const QueueStatus status : kStatuses) keys.push_back(queue_key(status, position));
    }
    co_return keys;
  }
  Result<std::vector<QueueItem>> items = co_await queue_items_of(id);
  if (!items) co_return std::unexpected(items.error());
  for (const QueueItem& item : *items) keys.push_back(queue_key(item.status, item.position));
  co_return keys;
}

// --- Claiming

async::Task<Result<bool>> DynamoJobStore::is_claimed_by(QueuePosition position, std::string claim_id) {
  aws::GetItem request{.table = tables_.queue, .key = queue_key(QueueStatus::running, position)};
  aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(request));
  if (!item) co_return failed(item.error(), tables_.queue);
  co_return item->has_value() && aws::text_of(**item, "claim_id").value_or("") == claim_id;
}

async::Task<Status> DynamoJobStore::complete_job(DynamoItem item) {
  const Result<JobItem> job = job_from(item);
  if (!job) co_return std::unexpected(job.error());
  const Result<std::int64_t> put = co_await put_job(*job);
  // Another claimer may have done it.
  if (!put && put.error().kind != ErrorKind::changed) co_return std::unexpected(put.error());
  co_return Status{};
}

async::Task<Result<QueueItem>> DynamoJobStore::claim(QueueItem seen, Claim claim) {
  if (seen.status == QueueStatus::parked) {
    co_return fail(ErrorKind::bad_input, "the queue item '" + seen.position.text + "' is PARKED: it cannot be claimed");
  }
  const std::string claim_id = random_hex_id();
  const std::size_t job_action = seen.status == QueueStatus::queued ? 2 : 1;
  noted_.erase(key_of(seen));
  bool part_exists = seen.attempt.value > 0;
  for (int round = 0; round < kRoundsMax; ++round) {
    std::vector<aws::TransactAction> actions = claim_actions(tables_, seen, claim, claim_id, part_exists);
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
    if (done) co_return claimed_item(seen, claim);
    const aws::DynamoFailure& failure = done.error();
    if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.queue);
    if (failure.may_have_worked) {
      const Result<bool> ours = co_await is_claimed_by(seen.position, claim_id);
      if (!ours) co_return std::unexpected(ours.error());
      if (*ours) co_return claimed_item(seen, claim);
    }
    for (std::size_t action = 0; action < job_action; ++action) {
      if (failed_its_condition(failure, action)) {
        co_return refusal_of_claim(seen, claim, item_of_reason(failure, action));
      }
    }
    const DynamoItem* job = item_of_reason(failure, job_action);
    if (job == nullptr) co_return fail(ErrorKind::not_found, "there is no job '" + seen.job.text + "'");
    const Result<JobItem> read = job_from(*job);
    if (!read) co_return std::unexpected(read.error());
    if (job::is_terminal(read->status)) co_return has_ended_already(*read);
    const Result<const DynamoItem*> parts = aws::map_of(*job, "parts");
    if (parts && aws::has(*job, "owners")) {
      part_exists = (*parts)->contains(std::to_string(seen.part.value));
    } else if (Status ok = co_await complete_job(*job); !ok) {
      co_return std::unexpected(ok.error());
    }
  }
  co_return keeps_changing(seen);
}

// --- The owner's writes

async::Task<Result<NotedPart>> DynamoJobStore::noted_part(QueueItem held) {
  if (const auto noted = noted_.find(key_of(held)); noted != noted_.end() && noted->second.attempt == held.attempt) {
    co_return noted->second;
  }
  const Result<std::optional<DynamoItem>> job = co_await job_item(held.job);
  if (!job) co_return std::unexpected(job.error());
  Result<NotedPart> noted = noted_part_of(*job ? &**job : nullptr, held);
  if (noted) noted_[key_of(held)] = *noted;
  co_return noted;
}

async::Task<Result<Pulse>> DynamoJobStore::heartbeat(QueueItem held, UtcTime lease_expires_at) {
  aws::UpdateItem request = heartbeat_request(tables_, held, lease_expires_at);
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->update_item(std::move(request));
  if (!done && done.error().error.kind == ErrorKind::changed) co_return fenced_off(held);
  if (!done) co_return failed(done.error(), tables_.queue);
  // What was true a moment ago is good enough for a pulse, and costs half.
  aws::GetItem look{.table = tables_.jobs, .key = job_key(held.job), .consistent = false};
  const aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(look));
  if (!item) co_return failed(item.error(), tables_.jobs);
  if (!*item) co_return fenced_off(held);
  Result<JobItem> job = job_from(**item);
  if (!job) co_return std::unexpected(job.error());
  co_return Pulse{std::move(job->stop_reason), job->unallocated};
}

async::Task<Status> DynamoJobStore::report(QueueItem held, PartProgress progress, UtcTime now) {
  for (int round = 0; round < kRoundsMax; ++round) {
    const Result<NotedPart> noted = co_await noted_part(held);
    if (!noted) co_return std::unexpected(noted.error());
    aws::UpdateItem request = report_request(tables_, held, progress, *noted, now);
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->update_item(std::move(request));
    // What was noted is old in any case; after an error nobody knows what the job says.
    noted_.erase(key_of(held));
    if (done) {
      // With the totals as others have left them meanwhile, so that the next report sees what is off.
      const Result<NotedPart> next = noted_part_of(&done->attributes, held);
      if (next) noted_.emplace(key_of(held), *next);
      co_return Status{};
    }
    const aws::DynamoFailure& failure = done.error();
    if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
    const Result<NotedPart> there = noted_part_of(failure.item ? &*failure.item : nullptr, held);
    if (!there) co_return std::unexpected(there.error());
    noted_.emplace(key_of(held), *there);
    if (failure.may_have_worked && same_figures(there->progress, progress)) co_return Status{};
  }
  co_return keeps_changing(held);
}

async::Task<Status> DynamoJobStore::finish(QueueItem held, JobItem job, Money unspent) {
  if (held.job != job.id) {
    co_return fail(ErrorKind::bad_input,
                   "a queue item of job '" + held.job.text + "' was given with job '" + job.id.text + "'");
  }
  constexpr std::size_t kJobAction = 1;
  const std::string mark = random_hex_id();
  noted_.erase(key_of(held));
  std::vector<aws::TransactAction> actions = finish_actions(tables_, held, job, unspent, mark);
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  if (done) co_return Status{};
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
  const DynamoItem* now = item_of_reason(failure, kJobAction);
  if (now != nullptr && failure.may_have_worked && owner_mark(*now, held.part) == mark) co_return Status{};
  co_return fenced_off(held);
}

async::Task<Result<SliceAnswer>> DynamoJobStore::take_slice(QueueItem held, std::int64_t slice_no, Money amount) {
  bool part_exists = true;  // the claim saw to that
  for (int round = 0; round < kRoundsMax; ++round) {
    aws::UpdateItem request = slice_request(tables_, held, slice_no, amount, part_exists);
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->update_item(std::move(request));
    if (done) {
      const Result<Money> left = aws::money_of(done->attributes, "unallocated");
      if (!left) co_return std::unexpected(left.error());
      co_return SliceAnswer{true, *left};
    }
    const aws::DynamoFailure& failure = done.error();
    if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
    const Result<NotedPart> there = noted_part_of(failure.item ? &*failure.item : nullptr, held);
    if (!there) co_return std::unexpected(there.error());
    std::optional<Result<SliceAnswer>> answer = slice_answer(held, *there, slice_no, amount);
    if (answer) co_return std::move(*answer);
    part_exists = there->exists;
  }
  co_return keeps_changing(held);
}

}  // namespace palette::store
