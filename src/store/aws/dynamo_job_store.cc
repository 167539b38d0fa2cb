// Jobs (dynamo_job_store.h); the queue is in dynamo_queue_store.cc, templates and cost rows in dynamo_row_store.cc.
#include "store/aws/dynamo_job_store.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/ids.h"
#include "store/aws/dynamo_expression.h"
#include "store/aws/dynamo_job_items.h"
#include "store/aws/dynamo_rounds.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

constexpr std::size_t kJobsMax = 200'000;  // that a listing holds at once

Status check_item_of(const QueueItem& item, const JobItem& job) {
  if (item.job == job.id) return {};
  return fail(ErrorKind::bad_input,
              "a queue item of job '" + item.job.text + "' was given with job '" + job.id.text + "'");
}

// Of put_job_and_enqueue: each QUEUED, of that job, and at its own position.
Status check_new_items(const JobItem& job, const std::vector<QueueItem>& items) {
  std::set<std::string> positions;
  for (const QueueItem& item : items) {
    if (Status ok = check_item_of(item, job); !ok) return ok;
    if (item.status != QueueStatus::queued) return fail(ErrorKind::bad_input, "a new queue item must be QUEUED");
    if (!positions.insert(item.position.text).second)
      return fail(ErrorKind::already_exists, "the queue item '" + item.position.text + "' was given twice");
  }
  if (items.empty() || items.size() >= aws::kTransactActionsMax) {
    return fail(ErrorKind::bad_input,
                "a job was given " + std::to_string(items.size()) + " queue items; 1 to 99 can be put at once");
  }
  return {};
}

std::unexpected<Error> item_is_there(const QueueItem& item) {
  return fail(ErrorKind::already_exists, "there is a queue item '" + item.position.text + "' already");
}

// Was it our own earlier try that changed the job?
bool is_our_put(const std::optional<DynamoItem>& job, const std::string& mark) {
  return job && aws::text_of(*job, "put_mark").value_or("") == mark;
}

aws::PutItem put_absent(const std::string& table, DynamoItem item, std::string_view key) {
  DynamoExpression absent;
  absent.require("attribute_not_exists(" + absent.path({key}) + ")");
  return {.table = table, .item = std::move(item), .condition = absent.condition(), .terms = absent.terms()};
}

aws::PutItem put_of_new_job(const DynamoTables& tables, const JobItem& job, const std::vector<QueueItem>& queue,
                            const std::string& mark) {
  DynamoItem item = to_item(job);
  item.emplace("owners", Attribute::map());
  item.emplace("put_mark", Attribute::text(mark));
  aws::TextSet positions;
  for (const QueueItem& queued : queue) positions.values.push_back(queued.position.text);
  if (!positions.values.empty()) item.emplace("positions", Attribute(std::move(positions)));
  return put_absent(tables.jobs, std::move(item), "job_id");
}

// What a write of the job does to its place in the queue.
struct QueueChange {
  std::vector<QueueItem> enqueued = {};
  // Nothing stands at their positions, whatever the job remembers: items that somebody has taken out by hand.
  bool are_free = false;
  bool leaves = false;  // all of its items are removed
};

// Every attribute that a JobItem has, and none that others or the owners of parts have put beside them.
aws::UpdateItem put_request(const DynamoTables& tables, const JobItem& job, const std::string& mark,
                            const QueueChange& change = {}) {
  JobItem next = job;
  ++next.revision;
  const DynamoItem item = to_item(next);
  DynamoExpression update;
  for (const auto& [name, value] : item) {
    if (name != "job_id") update.set(update.path({name}), value);
  }
  for (const std::string& name : kOptionalJobAttributes) {
    if (!item.contains(name)) update.remove(update.path({name}));
  }
  update.set_if_absent(update.path({"owners"}), Attribute::map());
  update.set(update.path({"put_mark"}), Attribute::text(mark));
  std::vector<std::string> positions;
  for (const QueueItem& queued : change.enqueued) {
    positions.push_back(queued.position.text);
    if (change.are_free) continue;
    // Wherever it stands, under any status, is noted in the job.
    update.require("NOT contains(" + update.path({"positions"}) + ", " +
                   update.value(Attribute::text(queued.position.text)) + ")");
  }
  if (change.leaves) update.remove(update.path({"positions"}));
  if (!positions.empty()) update.add_to_set(update.path({"positions"}), std::move(positions));
  const std::string revision = update.path({"revision"});
  const std::string expected = revision + " = " + update.value(Attribute::number(job.revision));
  update.require("attribute_exists(" + update.path({"job_id"}) + ")");
  // Others write no revision.
  update.require(job.revision != 0 ? expected : expected + " OR attribute_not_exists(" + revision + ")");
  return {.table = tables.jobs,
          .key = job_key(job.id),
          .update = update.update(),
          .condition = update.condition(),
          .terms = update.terms()};
}

std::unexpected<Error> no_such_job(const JobId& id) {
  return fail(ErrorKind::not_found, "there is no job '" + id.text + "'");
}

std::unexpected<Error> was_written(const JobId& id) {
  return fail(ErrorKind::changed, "job '" + id.text + "' was written since it was read: read it again");
}

}  // namespace

DynamoJobStore::DynamoJobStore(std::shared_ptr<aws::DynamoDb> dynamodb, DynamoTables tables,
                               std::function<void(const Error&)> on_set_aside)
    : dynamodb_(std::move(dynamodb)), tables_(std::move(tables)), on_set_aside_(std::move(on_set_aside)) {}

std::unexpected<Error> DynamoJobStore::failed(const aws::DynamoFailure& failure, const std::string& table) const {
  return std::unexpected(failure.error.at("table '" + table + "'"));
}

async::Task<Status> DynamoJobStore::create_job(JobItem job, std::vector<QueueItem> queue) {
  for (const QueueItem& item : queue) {
    if (Status ok = check_item_of(item, job); !ok) co_return ok;
  }
  if (queue.size() >= aws::kTransactActionsMax) {
    co_return fail(ErrorKind::bad_input, "a job was given " + std::to_string(queue.size()) +
                                             " queue items; a transaction holds the job and 99 of them at most");
  }
  job.revision = 1;
  const std::string mark = random_hex_id();
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(put_of_new_job(tables_, job, queue, mark));
  for (const QueueItem& item : queue) actions.emplace_back(put_absent(tables_.queue, to_item(item), "position"));
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  if (done) co_return Status{};
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
  if (failed_its_condition(failure, 0)) {
    if (failure.may_have_worked && is_our_put(failure.reasons[0].item, mark)) co_return Status{};
    co_return fail(ErrorKind::already_exists, "there is a job '" + job.id.text + "' already");
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (failed_its_condition(failure, i + 1)) co_return item_is_there(queue[i]);
  }
  co_return failed(failure, tables_.jobs);
}

async::Task<Result<std::optional<DynamoItem>>> DynamoJobStore::job_item(JobId id) {
  aws::GetItem request{.table = tables_.jobs, .key = job_key(id)};
  aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(request));
  if (!item) co_return failed(item.error(), tables_.jobs);
  co_return std::move(*item);
}

async::Task<Result<JobItem>> DynamoJobStore::get_job(JobId id) {
  Result<std::optional<DynamoItem>> item = co_await job_item(id);
  if (!item) co_return std::unexpected(item.error());
  if (!*item) co_return no_such_job(id);
  co_return job_from(**item);
}

async::Task<Result<std::int64_t>> DynamoJobStore::put_job(JobItem job) {
  const std::string mark = random_hex_id();
  aws::UpdateItem request = put_request(tables_, job, mark);
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->update_item(std::move(request));
  if (done) co_return job.revision + 1;
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
  if (failure.may_have_worked && is_our_put(failure.item, mark)) co_return job.revision + 1;
  if (!failure.item) co_return no_such_job(job.id);
  co_return was_written(job.id);
}

async::Task<Result<std::int64_t>> DynamoJobStore::put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) {
  if (Status ok = check_new_items(job, items); !ok) co_return std::unexpected(ok.error());
  for (QueueItem& item : items) {
    // The numbers of a part's attempts go on where its last queue item left them: they name its journals.
    if (const auto part = job.parts.find(item.part.value); part != job.parts.end())
      item.attempt = std::max(item.attempt, part->second.attempt);
  }
  Result<std::int64_t> put = co_await put_and_enqueue(job, items, false);
  if (put || put.error().kind != ErrorKind::already_exists) co_return put;
  for (const QueueItem& item : items) {
    const Result<std::optional<QueueItem>> there = co_await find_queued(item.position);
    if (!there) co_return std::unexpected(there.error());
    if (*there) co_return put;
  }
  co_return co_await put_and_enqueue(std::move(job), std::move(items), true);
}

async::Task<Result<std::int64_t>> DynamoJobStore::put_and_enqueue(JobItem job, std::vector<QueueItem> items,
                                                                  bool are_free) {
  const std::string mark = random_hex_id();
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(put_request(tables_, job, mark, QueueChange{.enqueued = items, .are_free = are_free}));
  for (const QueueItem& item : items) actions.emplace_back(put_absent(tables_.queue, to_item(item), "position"));
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  if (done) co_return job.revision + 1;
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
  if (failed_its_condition(failure, 0)) {
    const std::optional<DynamoItem>& there = failure.reasons[0].item;
    if (failure.may_have_worked && is_our_put(there, mark)) co_return job.revision + 1;
    if (!there) co_return no_such_job(job.id);
    const Result<std::int64_t> revision = aws::has(*there, "revision") ? aws::int_of(*there, "revision") : 0;
    if (!revision || *revision != job.revision) co_return was_written(job.id);
    co_return item_is_there(items.front());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (failed_its_condition(failure, i + 1)) co_return item_is_there(items[i]);
  }
  co_return failed(failure, tables_.jobs);
}

async::Task<Result<std::optional<JobItem>>> DynamoJobStore::end_unbegun(JobItem job, std::string reason,
                                                                        job::JobStatus end, UtcTime now) {
  const Result<std::vector<QueueItem>> items = co_await queue_items_of(job.id);
  if (!items) co_return std::unexpected(items.error());
  job.status = end;
  job.stop_reason = std::move(reason);
  job.completed_at = job.updated_at = now;
  const std::string mark = random_hex_id();
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(put_request(tables_, job, mark, QueueChange{.leaves = true}));
  for (const QueueItem& item : *items) {
    if (actions.size() == aws::kTransactActionsMax) break;  // what is left has no job that runs, and is removed as such
    actions.emplace_back(aws::DeleteItem{.table = tables_.queue, .key = queue_key(item.status, item.position)});
  }
  ++job.revision;
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::move(actions));
  if (done) co_return job;
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.jobs);
  if (failure.may_have_worked && is_our_put(failure.reasons[0].item, mark)) co_return job;
  co_return std::nullopt;
}

async::Task<Result<std::vector<JobItem>>> DynamoJobStore::scan_jobs(aws::Scan request) {
  aws::DynamoResult<std::vector<DynamoItem>> items = co_await dynamodb_->scan(std::move(request), kJobsMax);
  if (!items) co_return failed(items.error(), tables_.jobs);
  Result<std::vector<JobItem>> jobs = all_from(*items, job_from);
  if (!jobs) co_return jobs;
  std::ranges::sort(*jobs, [](const JobItem& a, const JobItem& b) {
    return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
  });
  co_return jobs;
}

async::Task<Result<std::vector<JobItem>>> DynamoJobStore::list_jobs() {
  return scan_jobs(aws::Scan{.table = tables_.jobs});
}

async::Task<Result<std::vector<JobItem>>> DynamoJobStore::jobs_named(std::string name) {
  DynamoExpression filter;
  filter.require_equal(filter.path({"name"}), Attribute::text(name));
  return scan_jobs(aws::Scan{.table = tables_.jobs, .filter = filter.condition(), .terms = filter.terms()});
}

async::Task<Status> DynamoJobStore::remove_job(JobId id) {
  if (Status ok = co_await remove_cost_rows(id); !ok) co_return ok;
  Result<std::vector<DynamoItem>> keys = co_await queue_keys_of(id);
  if (!keys) co_return std::unexpected(keys.error());
  // The job goes with the first hundred: from then on no claim succeeds, so nothing moves among the others.
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(aws::DeleteItem{.table = tables_.jobs, .key = job_key(id)});
  for (std::size_t i = 0; i <= keys->size(); ++i) {
    if (i == keys->size() || actions.size() == aws::kTransactActionsMax) {
      aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::exchange(actions, {}));
      if (!done) co_return failed(done.error(), tables_.jobs);
    }
    if (i < keys->size()) actions.emplace_back(aws::DeleteItem{.table = tables_.queue, .key = (*keys)[i]});
  }
  co_return Status{};
}

}  // namespace palette::store
