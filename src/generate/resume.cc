#include "generate/resume.h"

#include <algorithm>

#include "generate/batch.h"

namespace palette::generate {
namespace {

struct Listed {
  BatchSet batches;
  std::map<std::int64_t, std::int64_t> retry_rounds;
};

// Those of the part.
async::Task<Result<Listed>> list_batches(store::ObjectStore& objects, PartContext context) {
  const JobId& job = context.job;
  Listed out;
  std::string after;
  for (bool more = true; more;) {
    const Result<store::ListPage> page = co_await objects.list(job::outputs_prefix(job), after);
    if (!page) co_return std::unexpected(page.error());
    for (const store::ObjectInfo& info : page->objects) {
      const Result<job::BatchObject> batch = job::parse_batch_key(info.key);
      if (!batch) co_return fail(batch.error().kind, batch.error().message, objects.location(info.key));
      if (batch->batch.value > context.extents.batches()) {
        co_return fail(ErrorKind::corrupt, "batch " + std::to_string(batch->batch.value) +
                                               " lies beyond the records of the job " + job.text);
      }
      if (!context.has(batch->batch)) continue;
      if (batch->round == 0)
        out.batches.add(batch->batch.value);
      else
        out.retry_rounds[batch->batch.value] = std::max(out.retry_rounds[batch->batch.value], batch->round);
    }
    more = page->more && !page->objects.empty();
    if (more) after = page->objects.back().key;
  }
  co_return out;
}

async::Task<Result<BatchContent>> get_batch(store::ObjectStore& objects, JobId job, std::string key,
                                            job::RecordRange range) {
  const Result<store::Object> object = co_await objects.get(key);
  if (!object) co_return std::unexpected(object.error());
  Result<BatchContent> content = read_batch(object->body, job, range);
  if (!content) co_return std::unexpected(content.error().at(objects.location(key)));
  co_return content;
}

// A batch that was committed after the checkpoint was last saved.
async::Task<Status> learn_batch(store::ObjectStore& objects, PartContext context, StepIds step_ids, BatchNumber batch,
                                Checkpoint& checkpoint) {
  const job::RecordRange range = context.extents.records_of(batch);
  const Result<BatchContent> content =
      co_await get_batch(objects, context.job, job::batch_key(context.job, batch), range);
  if (!content) co_return std::unexpected(content.error());
  checkpoint.completed.add(batch.value);
  checkpoint.book(context.attempt, content->spending);
  const std::int64_t failed = range.count - static_cast<std::int64_t>(content->indexes.size());
  if (failed == 0) co_return Status{};
  checkpoint.failed[batch.value][0] = failed;
  const Result<RecordsByIndex> failures = co_await read_failures(
      objects, context.job, batch, step_ids, std::set<std::int64_t>(content->indexes.begin(), content->indexes.end()));
  if (!failures) co_return std::unexpected(failures.error());
  Spending spending;
  for (const auto& [index, state] : *failures) {
    add_steps(spending, step_ids, state);
    add_unused(spending, state);
  }
  checkpoint.book(context.attempt, spending);
  co_return Status{};
}

// What a round of retries has paid for: of a record that it made good, the steps that its last failure does not have;
// of one that failed again, those that its failure before does not have.
Spending spending_of_round(const BatchContent& round, const StepIds& step_ids, const RecordsByIndex& failures) {
  Spending paid = round.spending, reused;
  const std::set<std::int64_t> made_good(round.indexes.begin(), round.indexes.end());
  for (const auto& [index, state] : failures) {
    if (made_good.contains(index)) {
      add_steps(reused, step_ids, state);
    } else {
      add_steps(paid, step_ids, state, true);
      add_unused(paid, state);
    }
  }
  paid -= reused;
  return paid;
}

// Rounds of retries that the checkpoint does not know.
async::Task<Status> learn_rounds(store::ObjectStore& objects, PartContext context, StepIds step_ids, BatchNumber batch,
                                 std::int64_t last_round, Checkpoint& checkpoint) {
  auto& failed = checkpoint.failed[batch.value];
  if (failed.empty())
    co_return fail(ErrorKind::corrupt,
                   "batch " + std::to_string(batch.value) + " was retried, but has no failed records");
  for (std::int64_t round = failed.rbegin()->first + 1; round <= last_round; ++round) {
    const Result<BatchContent> content = co_await get_batch(
        objects, context.job, job::batch_key(context.job, batch, round), context.extents.records_of(batch));
    if (!content && content.error().kind == ErrorKind::not_found) {
      co_return fail(ErrorKind::corrupt, "round " + std::to_string(round) + " of the retries of batch " +
                                             std::to_string(batch.value) + " is gone although a later one is there");
    }
    if (!content) co_return std::unexpected(content.error());
    const std::int64_t left = failed.rbegin()->second - static_cast<std::int64_t>(content->indexes.size());
    failed[round] = left;
    const Result<RecordsByIndex> failures = co_await read_failures(objects, context.job, batch, step_ids, {});
    if (!failures) co_return std::unexpected(failures.error());
    checkpoint.book(context.attempt, spending_of_round(*content, step_ids, *failures));
  }
  co_return Status{};
}

// What another part knows, beside what `whole` has already. No batch is in two of them.
void add_part(ResumeState& whole, ResumeState part) {
  Checkpoint& all = whole.checkpoint;
  for (const auto& [first, last] : part.checkpoint.completed.ranges()) {
    for (std::int64_t batch = first; batch <= last; ++batch) all.completed.add(batch);
  }
  all.failed.merge(part.checkpoint.failed);
  for (const auto& [attempt, used] : part.checkpoint.usage) all.usage[attempt] += used;
  for (const auto& [attempt, used] : part.checkpoint.steps) all.steps[attempt] += used;
  for (const auto& [attempt, used] : part.checkpoint.waste) all.waste[attempt] += used;
  all.started_at = std::min(all.started_at, part.checkpoint.started_at);
  whole.retry_rounds.merge(part.retry_rounds);
  whole.journal.merge(part.journal);
  whole.journaled += part.journaled;
}

}  // namespace

BatchNumber PartContext::next_batch(BatchNumber first) const {
  const std::int64_t last = last_batch().value;
  while (first.value <= last && !has(first)) ++first.value;
  return first;
}

BatchNumber PartContext::next_missing(const BatchSet& made, BatchNumber first) const {
  BatchNumber batch = next_batch(first);
  while (made.contains(batch.value)) batch = next_batch(BatchNumber{made.contiguous_from(batch.value) + 1});
  return batch;
}

std::int64_t PartContext::records() const {
  std::int64_t count = 0;
  const std::int64_t last = last_batch().value;
  for (BatchNumber batch = next_batch(BatchNumber{1}); batch.value <= last;
       batch = next_batch(BatchNumber{batch.value + 1})) {
    const job::RecordRange range = extents.records_of(batch);
    count += std::min(range.count, num_records - range.first);
  }
  return count;
}

async::Task<Result<ResumeState>> load_whole_state(store::ObjectStore& objects, PartContext context, StepIds step_ids,
                                                  UtcTime now) {
  ResumeState whole;
  for (std::int64_t part = 1; part <= context.parts; ++part) {
    context.part = PartNumber{part};
    Result<ResumeState> state = co_await load_resume_state(objects, context, step_ids, now);
    if (!state) co_return std::unexpected(state.error());
    if (part == 1) {
      whole = std::move(*state);
    } else {
      add_part(whole, std::move(*state));
    }
  }
  whole.checkpoint.part = store::kExportPart;
  co_return whole;
}

async::Task<Result<ResumeState>> load_resume_state(store::ObjectStore& objects, PartContext context, StepIds step_ids,
                                                   UtcTime now) {
  ResumeState out;
  Result<std::optional<Checkpoint>> saved = co_await load_checkpoint(objects, context.job, context.part);
  if (!saved) co_return std::unexpected(saved.error());
  out.checkpoint = saved->value_or(Checkpoint{context.job, context.part, 0, {}, {}, {}, {}, {}, now});
  const Result<Listed> listed = co_await list_batches(objects, context);
  if (!listed) co_return std::unexpected(listed.error());
  for (const auto& [first, last] : listed->batches.ranges()) {
    for (std::int64_t batch = first; batch <= last; ++batch) {
      if (out.checkpoint.completed.contains(batch)) continue;
      const Status learned = co_await learn_batch(objects, context, step_ids, BatchNumber{batch}, out.checkpoint);
      if (!learned) co_return std::unexpected(learned.error());
    }
  }
  // A batch that the checkpoint knows but that is gone was removed by hand: nothing may be read as made that is not
  // there.
  for (const auto& [first, last] : out.checkpoint.completed.ranges()) {
    for (std::int64_t batch = first; batch <= last; ++batch) {
      if (listed->batches.contains(batch)) continue;
      co_return fail(ErrorKind::corrupt,
                     "the object of batch " + std::to_string(batch) +
                         " is gone although the checkpoint has it; put it back, or start over with --fresh",
                     objects.location(job::batch_key(context.job, BatchNumber{batch})));
    }
  }
  for (const auto& [batch, round] : listed->retry_rounds) {
    const Status learned = co_await learn_rounds(objects, context, step_ids, BatchNumber{batch}, round, out.checkpoint);
    if (!learned) co_return std::unexpected(learned.error());
  }
  out.retry_rounds = listed->retry_rounds;
  // Also of failed records of committed batches: a retry that was interrupted has journaled them.
  Result<RecordsByIndex> journal =
      co_await read_journals(objects, context.job, context.part, step_ids, [&](RecordIndex index) {
        if (index.value >= context.extents.records()) return false;
        const std::int64_t batch = context.extents.batch_of(index).value;
        const auto failed = out.checkpoint.failed.find(batch);
        return !out.checkpoint.completed.contains(batch) ||
               (failed != out.checkpoint.failed.end() && failed->second.rbegin()->second > 0);
      });
  if (!journal) co_return std::unexpected(journal.error());
  out.journal = std::move(*journal);
  // A record of a committed batch is booked with it, and what its failure's line has is all that there is of it; a
  // retry of it is neither.
  std::erase_if(out.journal, [&](const auto& entry) {
    const auto& [index, state] = entry;
    return state.round == 0 && out.checkpoint.completed.contains(context.extents.batch_of(RecordIndex{index}).value);
  });
  for (const auto& [index, state] : out.journal) {
    add_steps(out.journaled, step_ids, state, true);
    add_unused(out.journaled, state);
  }
  co_return out;
}

}  // namespace palette::generate
