#include "store/aws/dynamo_owner_writes.h"

#include <utility>

#include "store/aws/dynamo_expression.h"
#include "store/aws/dynamo_item_reader.h"
#include "store/aws/dynamo_job_items.h"
#include "store/part_notes.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

std::string name_of(PartNumber part) { return std::to_string(part.value); }

const DynamoItem* owner_entry(const DynamoItem& job, PartNumber part) {
  const auto owners = aws::map_of(job, "owners");
  if (!owners) return nullptr;
  const auto entry = aws::map_of(**owners, name_of(part));
  return entry ? *entry : nullptr;
}

Attribute owner_attribute(AttemptNumber attempt, bool held, std::int64_t report_no, const std::string& mark) {
  return Attribute::map({{"attempt", Attribute::number(attempt.value)},
                         {"held", Attribute::boolean(held)},
                         {"report_no", Attribute::number(report_no)},
                         {"mark", Attribute::text(mark)}});
}

void require_owner(DynamoExpression& job, const QueueItem& held) {
  const std::string part = name_of(held.part);
  job.require_equal(job.path({"owners", part, "attempt"}), Attribute::number(held.attempt.value));
  job.require_equal(job.path({"owners", part, "held"}), Attribute::boolean(true));
}

// Others who put an item into the queue need not say that nobody has claimed it yet.
void require_item_of(DynamoExpression& queue, const QueueItem& item) {
  const std::string attempt = queue.path({"attempt"});
  const std::string same = attempt + " = " + queue.value(Attribute::number(item.attempt.value));
  queue.require(item.attempt.value > 0 ? same : "attribute_not_exists(" + attempt + ") OR " + same);
  queue.require_equal(queue.path({"job_id"}), Attribute::text(item.job.text));
}

void require_part(DynamoExpression& job, PartNumber part, bool exists) {
  const std::string path = job.path({"parts", name_of(part)});
  job.require((exists ? "attribute_exists(" : "attribute_not_exists(") + path + ")");
}

void raise_revision(DynamoExpression& job) { job.add(job.path({"revision"}), Attribute::number(1)); }

// The figures of the part, and the totals by as much. The slices are left alone.
// `cause`: of an attempt that failed.
void set_progress(DynamoExpression& job, const QueueItem& held, const PartProgress& progress, const NotedPart& noted,
                  UtcTime now, const std::string& cause = {}) {
  const std::string part = name_of(held.part);
  PartProgress figures = progress;
  figures.attempt = held.attempt;
  figures.slice_no = noted.progress.slice_no;
  figures.last_slice = noted.progress.last_slice;
  const bool is_further = progress.records + progress.failed > noted.progress.records + noted.progress.failed;
  figures.fruitless = is_further ? 0 : noted.progress.fruitless;
  figures.last_cause = is_further ? "" : noted.progress.last_cause;
  if (!cause.empty()) note_fruitless(figures, cause);
  if (noted.exists) {
    for (auto& [name, value] : to_item(figures)) {
      if (name != "slice_no" && name != "last_slice") job.set(job.path({"parts", part, name}), value);
    }
  } else {
    job.set(job.path({"parts", part}), Attribute::map(to_item(figures)));
  }
  const PartProgress& before = noted.progress;
  job.add(job.path({"records_generated"}), Attribute::number(figures.records - before.records + noted.records_off));
  job.add(job.path({"records_failed"}), Attribute::number(figures.failed - before.failed + noted.failed_off));
  job.add(job.path({"tokens_used"}), Attribute::number(figures.tokens - before.tokens + noted.tokens_off));
  job.add(job.path({"cost_estimate"}), Attribute::dollars(figures.cost - before.cost + noted.cost_off));
  job.set(job.path({"updated_at"}), Attribute::text(now.to_iso()));
  require_part(job, held.part, noted.exists);
  job.require_equal(job.path({"owners", part, "report_no"}), Attribute::number(noted.report_no));
  if (noted.totals_are_off()) job.require_equal(job.path({"revision"}), Attribute::number(noted.revision));
}

aws::UpdateItem update_of_job(const DynamoTables& tables, const JobId& id, const DynamoExpression& job) {
  return {.table = tables.jobs,
          .key = job_key(id),
          .update = job.update(),
          .condition = job.condition(),
          .terms = job.terms()};
}

// The lease that was seen, and over by now.
void require_lease_ended(DynamoExpression& queue, const QueueItem& seen, UtcTime now) {
  const std::string lease = queue.path({"lease_expires_at"});
  if (!seen.lease_expires_at) return queue.require("attribute_not_exists(" + lease + ")");
  queue.require_equal(lease, Attribute::text(seen.lease_expires_at->to_iso()));
  queue.require(lease + " <= " + queue.value(Attribute::text(now.to_iso())));
}

// RUNNING, under the claim.
aws::PutItem put_of_claim(const DynamoTables& tables, const QueueItem& seen, const Claim& claim,
                          const std::string& claim_id) {
  aws::PutItem put{.table = tables.queue, .item = to_item(claimed_item(seen, claim))};
  put.item.emplace("claim_id", Attribute::text(claim_id));
  DynamoExpression queue;
  if (seen.status == QueueStatus::queued) {
    queue.require("attribute_not_exists(" + queue.path({"position"}) + ")");
  } else {
    require_item_of(queue, seen);
    if (!claim.take_over) require_lease_ended(queue, seen, claim.now);
  }
  put.condition = queue.condition();
  put.terms = queue.terms();
  return put;
}

aws::UpdateItem job_update_of_claim(const DynamoTables& tables, const QueueItem& seen, const Claim& claim,
                                    const std::string& claim_id, bool part_exists) {
  const AttemptNumber attempt{seen.attempt.value + 1};
  const std::string part = name_of(seen.part);
  DynamoExpression job;
  job.set(job.path({"owners", part}), owner_attribute(attempt, true, 0, claim_id));
  const bool is_lapsed = seen.status == QueueStatus::running && !claim.take_over;
  if (part_exists) {
    job.set(job.path({"parts", part, "attempt"}), Attribute::number(attempt.value));
    if (is_lapsed) {
      job.add(job.path({"parts", part, "fruitless"}), Attribute::number(1));
      job.set(job.path({"parts", part, "last_cause"}), Attribute::text(lapsed_lease(seen)));
    }
  } else {
    PartProgress fresh;
    fresh.attempt = attempt;
    if (is_lapsed) note_fruitless(fresh, lapsed_lease(seen));
    job.set(job.path({"parts", part}), Attribute::map(to_item(fresh)));
  }
  job.set(job.path({"status"}), Attribute::text(job::to_string(job::JobStatus::running)));
  job.set(job.path({"task_arn"}), Attribute::text(claim.owner));
  job.set_if_absent(job.path({"started_at"}), Attribute::text(claim.now.to_iso()));
  job.set(job.path({"updated_at"}), Attribute::text(claim.now.to_iso()));
  raise_revision(job);
  job.add_to_set(job.path({"positions"}), {seen.position.text});
  job.require("attribute_exists(" + job.path({"owners"}) + ") AND attribute_exists(" + job.path({"parts"}) + ")");
  require_part(job, seen.part, part_exists);
  // Not of a job that has ended; others may write no status.
  const std::string status = job.path({"status"});
  job.require("attribute_not_exists(" + status + ") OR " + status + " IN (" +
              job.value(Attribute::text(job::to_string(job::JobStatus::queued))) + ", " +
              job.value(Attribute::text(job::to_string(job::JobStatus::running))) + ")");
  return update_of_job(tables, seen.job, job);
}

// The sums over the parts less the totals.
void note_what_is_off(const JobItem& job, NotedPart& noted) {
  noted.records_off = -job.records_generated;
  noted.failed_off = -job.records_failed;
  noted.tokens_off = -job.tokens_used;
  noted.cost_off = Money{} - job.cost_estimate;
  for (const auto& [number, part] : job.parts) {
    noted.records_off += part.records;
    noted.failed_off += part.failed;
    noted.tokens_off += part.tokens;
    noted.cost_off += part.cost;
  }
}

// Has another part of the job an owner?
bool others_run(const DynamoItem& job, PartNumber part) {
  const auto owners = aws::map_of(job, "owners");
  if (!owners) return false;
  for (const auto& [name, entry] : **owners) {
    const auto* members = std::get_if<DynamoItem>(&entry.value);
    if (members == nullptr || name == name_of(part)) continue;
    const auto held = members->find("held");
    if (held != members->end() && held->second == Attribute::boolean(true)) return true;
  }
  return false;
}

}  // namespace

aws::DeleteItem removal_of(const DynamoTables& tables, const QueueItem& item, QueueStatus status) {
  DynamoExpression queue;
  require_item_of(queue, item);
  return {.table = tables.queue,
          .key = queue_key(status, item.position),
          .condition = queue.condition(),
          .terms = queue.terms()};
}

std::unexpected<Error> fenced_off(const QueueItem& held) {
  return fail(ErrorKind::fenced, "attempt " + std::to_string(held.attempt.value) + " no longer owns part " +
                                     std::to_string(held.part.value) + " of job '" + held.job.text + "'");
}

std::string owner_mark(const DynamoItem& job, PartNumber part) {
  const DynamoItem* entry = owner_entry(job, part);
  if (entry == nullptr) return "";
  return aws::text_of(*entry, "mark").value_or("");
}

Result<NotedPart> noted_part_of(const DynamoItem* job, const QueueItem& held) {
  const DynamoItem* entry = job == nullptr ? nullptr : owner_entry(*job, held.part);
  if (entry == nullptr) return fenced_off(held);
  ItemReader reader(*entry, "table Jobs, '" + held.job.text + "', attribute 'owners." + name_of(held.part) + "'");
  NotedPart noted;
  noted.attempt.value = reader.number("attempt");
  noted.report_no = reader.number("report_no");
  if (Status ok = reader.status(); !ok) return std::unexpected(ok.error());
  const auto is_held = entry->find("held");
  if (noted.attempt != held.attempt || is_held == entry->end() || is_held->second != Attribute::boolean(true)) {
    return fenced_off(held);
  }
  const Result<JobItem> whole = job_from(*job);
  if (!whole) return std::unexpected(whole.error());
  if (const auto part = whole->parts.find(held.part.value); part != whole->parts.end()) {
    noted.exists = true;
    noted.progress = part->second;
  }
  note_what_is_off(*whole, noted);
  noted.revision = whole->revision;
  noted.unallocated = whole->unallocated;
  noted.others_run = others_run(*job, held.part);
  noted.parts_ended = whole->parts_ended;
  noted.parts_total = whole->parts_total();
  return noted;
}

QueueItem claimed_item(const QueueItem& seen, const Claim& claim) {
  QueueItem item = seen;
  item.status = QueueStatus::running;
  ++item.attempt.value;
  item.owner = claim.owner;
  item.lease_expires_at = claim.lease_expires_at;
  item.not_before.reset();
  item.started_at = claim.now;
  return item;
}

std::vector<aws::TransactAction> claim_actions(const DynamoTables& tables, const QueueItem& seen, const Claim& claim,
                                               const std::string& claim_id, bool part_exists) {
  std::vector<aws::TransactAction> actions;
  if (seen.status == QueueStatus::queued) actions.emplace_back(removal_of(tables, seen, QueueStatus::queued));
  actions.emplace_back(put_of_claim(tables, seen, claim, claim_id));
  actions.emplace_back(job_update_of_claim(tables, seen, claim, claim_id, part_exists));
  return actions;
}

aws::UpdateItem heartbeat_request(const DynamoTables& tables, const QueueItem& held, UtcTime lease_expires_at) {
  DynamoExpression queue;
  queue.set(queue.path({"lease_expires_at"}), Attribute::text(lease_expires_at.to_iso()));
  require_item_of(queue, held);
  return {.table = tables.queue,
          .key = queue_key(QueueStatus::running, held.position),
          .update = queue.update(),
          .condition = queue.condition(),
          .terms = queue.terms()};
}

aws::UpdateItem report_request(const DynamoTables& tables, const QueueItem& held, const PartProgress& progress,
                               const NotedPart& noted, UtcTime now) {
  DynamoExpression job;
  require_owner(job, held);
  set_progress(job, held, progress, noted, now);
  job.set(job.path({"owners", name_of(held.part), "report_no"}), Attribute::number(noted.report_no + 1));
  raise_revision(job);
  aws::UpdateItem request = update_of_job(tables, held.job, job);
  request.returned = aws::Returned::all_new;
  return request;
}

aws::UpdateItem slice_request(const DynamoTables& tables, const QueueItem& held, std::int64_t slice_no, Money amount,
                              bool part_exists) {
  const std::string part = name_of(held.part);
  DynamoExpression job;
  const std::string unallocated = job.path({"unallocated"});
  const std::string slice = job.value(Attribute::dollars(amount));
  job.take(unallocated, slice);
  if (part_exists) {
    job.set(job.path({"parts", part, "slice_no"}), Attribute::number(slice_no));
    job.set(job.path({"parts", part, "last_slice"}), Attribute::dollars(amount));
    job.require_equal(job.path({"parts", part, "slice_no"}), Attribute::number(slice_no - 1));
  } else {
    PartProgress first;
    first.attempt = held.attempt;
    first.slice_no = slice_no;
    first.last_slice = amount;
    job.set(job.path({"parts", part}), Attribute::map(to_item(first)));
    require_part(job, held.part, false);
  }
  raise_revision(job);
  job.require(unallocated + " >= " + slice);
  require_owner(job, held);
  aws::UpdateItem request = update_of_job(tables, held.job, job);
  request.returned = aws::Returned::updated_new;
  return request;
}

std::vector<aws::TransactAction> give_back_actions(const DynamoTables& tables, const QueueItem& held,
                                                   const QueueItem& given_back, const PartProgress& progress,
                                                   const NotedPart& noted, const GiveBack& back, UtcTime now,
                                                   const std::string& mark) {
  DynamoExpression job;
  require_owner(job, held);
  set_progress(job, held, progress, noted, now, back.cause);
  job.set(job.path({"owners", name_of(held.part)}), owner_attribute(held.attempt, false, noted.report_no + 1, mark));
  if (!noted.others_run) job.set(job.path({"status"}), Attribute::text(job::to_string(job::JobStatus::queued)));
  job.add(job.path({"unallocated"}), Attribute::dollars(back.unspent));
  raise_revision(job);
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(removal_of(tables, held, QueueStatus::running));
  actions.emplace_back(update_of_job(tables, held.job, job));
  actions.emplace_back(aws::PutItem{.table = tables.queue, .item = to_item(given_back)});
  return actions;
}

std::vector<aws::TransactAction> unpark_actions(const DynamoTables& tables, const QueueItem& seen,
                                                const std::string& mark) {
  QueueItem queued = seen;
  queued.status = QueueStatus::queued;
  queued.not_before.reset();
  aws::PutItem put{.table = tables.queue, .item = to_item(queued)};
  put.item.emplace("claim_id", Attribute::text(mark));
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(removal_of(tables, seen, QueueStatus::parked));
  actions.emplace_back(std::move(put));
  return actions;
}

std::vector<aws::TransactAction> end_part_actions(const DynamoTables& tables, const QueueItem& held,
                                                  const PartProgress& progress, const NotedPart& noted,
                                                  const PartEnd& end, UtcTime now, const std::string& mark) {
  const bool is_last = noted.parts_ended + 1 == noted.parts_total;
  DynamoExpression job;
  require_owner(job, held);
  set_progress(job, held, progress, noted, now);
  job.set(job.path({"owners", name_of(held.part)}), owner_attribute(held.attempt, false, noted.report_no + 1, mark));
  const std::string ended = job.path({"parts_ended"});
  job.require_equal(ended, Attribute::number(noted.parts_ended));
  job.set(ended, Attribute::number(noted.parts_ended + 1));
  job.add(job.path({"unallocated"}), Attribute::dollars(end.unspent));
  if (!end.stop_reason.empty()) job.set_if_absent(job.path({"stop_reason"}), Attribute::text(end.stop_reason));
  raise_revision(job);
  // Its own position and the export's: a set is changed once in an update, so who leaves stays noted, which harms
  // nobody.
  if (is_last) job.add_to_set(job.path({"positions"}), {end.exporting.position.text});
  if (!is_last) job.remove_from_set(job.path({"positions"}), held.position.text);
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(removal_of(tables, held, QueueStatus::running));
  actions.emplace_back(update_of_job(tables, held.job, job));
  if (is_last) {
    DynamoExpression absent;
    absent.require("attribute_not_exists(" + absent.path({"position"}) + ")");
    actions.emplace_back(aws::PutItem{.table = tables.queue,
                                      .item = to_item(end.exporting),
                                      .condition = absent.condition(),
                                      .terms = absent.terms()});
  }
  return actions;
}

std::vector<aws::TransactAction> finish_actions(const DynamoTables& tables, const QueueItem& held, const JobItem& end,
                                                Money unspent, const std::string& mark) {
  DynamoExpression job;
  require_owner(job, held);
  const DynamoItem whole = to_item(end);
  for (const char* name : {"status", "stop_reason", "error_message", "records_generated", "records_failed",
                           "tokens_used", "cost_estimate", "completed_at", "updated_at"}) {
    const std::string path = job.path({name});
    if (const auto found = whole.find(name); found != whole.end()) {
      job.set(path, found->second);
    } else {
      job.remove(path);
    }
  }
  job.add(job.path({"unallocated"}), Attribute::dollars(unspent));
  raise_revision(job);
  job.set(job.path({"owners", name_of(held.part)}), owner_attribute(held.attempt, false, 0, mark));
  job.remove_from_set(job.path({"positions"}), held.position.text);
  std::vector<aws::TransactAction> actions;
  actions.emplace_back(removal_of(tables, held, QueueStatus::running));
  actions.emplace_back(update_of_job(tables, held.job, job));
  return actions;
}

}  // namespace palette::store
