// The generator's writing side: batches, failures, journal, checkpoint.
#include <algorithm>
#include <utility>

#include "generate/batch.h"
#include "generate/generator.h"

namespace palette::generate {
namespace {

constexpr std::size_t kJournalPieceBytes = 256 * limits::kKiB;
constexpr std::int64_t kLookAtLease_ms = 100;

}  // namespace

// A batch that is not committed stays open: the journal has it.
async::Task<bool> Generator::may_commit() {
  while (!control_.may_keep()) {
    if (!co_await control_.stop->sleep_for(kLookAtLease_ms)) co_return control_.may_keep();
  }
  co_return !control_.is_fenced();
}

async::Task<void> Generator::commit(OpenBatch* batch) {
  ++committing_;
  if (!co_await may_commit()) {
    --committing_;
    co_return;
  }
  const Status put = co_await put_batch(batch);
  --committing_;
  if (!put) {
    give_up(put.error());
    co_return;
  }
  // What stands now: this batch, or that of another attempt that was faster.
  const auto rounds = resume_.checkpoint.failed.find(batch->batch.value);
  const bool any_failed = rounds != resume_.checkpoint.failed.end() && rounds->second.contains(batch->round);
  const std::int64_t failed = any_failed ? rounds->second.at(batch->round) : 0;
  ++progress_.batches_committed;
  if (accounts_.book != nullptr)
    accounts_.book->batch_committed(batch->batch, static_cast<std::int64_t>(batch->states.size()) - failed);
  if (progress_.on_batch_committed) {
    progress_.on_batch_committed(batch->batch, static_cast<std::int64_t>(batch->states.size()) - failed, failed);
  }
  held_bytes_ -= batch->bytes;
  checkpoint_changed_ = true;
  const auto place = std::find_if(open_.begin(), open_.end(), [&](const OpenBatch& o) { return &o == batch; });
  open_.erase(place);
}

// Failures first: the batch object is the commit.
async::Task<Status> Generator::put_batch(OpenBatch* batch) {
  const bool any_failed = std::any_of(batch->states.begin(), batch->states.end(),
                                      [](const RecordState& s) { return s.failure.has_value(); });
  if (any_failed) {
    if (Status put = co_await put_failures(batch); !put) co_return put;
  }
  std::string body;
  body.reserve(batch->bytes * 5 / 4 + 256 * batch->states.size());
  for (const RecordState& state : batch->states) {
    if (!state.succeeded()) continue;
    append_record_line(body, context_.job, job_.compiled.step_ids, state);
    body += '\n';
  }
  const std::string key = job::batch_key(context_.job, batch->batch, batch->round);
  const Result<std::string> put = co_await objects_.put(key, body, {.if_absent = true, .if_match = {}});
  if (!put && put.error().kind == ErrorKind::already_exists)
    co_return co_await lost_to_another(batch, key, std::move(body));
  if (!put) co_return std::unexpected(put.error());
  book(*batch);
  co_return Status{};
}

async::Task<Status> Generator::put_failures(OpenBatch* batch) {
  std::string body;
  for (RecordState& state : batch->states) {
    if (!state.failure) continue;
    pipeline_.name_requests(state);
    append_failure_line(body, job_.compiled.step_ids, state);
    body += '\n';
  }
  const Result<std::string> put =
      co_await objects_.put(job::failures_key(context_.job, batch->batch, context_.attempt), std::move(body));
  if (!put) co_return std::unexpected(put.error());
  co_return Status{};
}

// Somebody else's object is there: with equal bytes it is our own put, whose answer was lost; else the winner's records
// count.
async::Task<Status> Generator::lost_to_another(OpenBatch* batch, std::string key, std::string body) {
  const Result<store::Object> theirs = co_await objects_.get(key);
  if (!theirs) co_return std::unexpected(theirs.error());
  if (theirs->body == body) {
    book(*batch);
    co_return Status{};
  }
  const Result<BatchContent> content =
      read_batch(theirs->body, context_.job, context_.extents.records_of(batch->batch));
  if (!content) co_return std::unexpected(content.error().at(objects_.location(key)));
  const std::int64_t failed = static_cast<std::int64_t>(batch->states.size() - content->indexes.size());
  // Ours were counted as they were made.
  const std::int64_t ours_failed = std::count_if(batch->states.begin(), batch->states.end(),
                                                 [](const RecordState& s) { return s.failure.has_value(); });
  progress_.records_failed += failed - ours_failed;
  progress_.records_done -= failed - ours_failed;
  write_off(*batch);
  mark_committed(*batch, failed);
  co_return Status{};
}

// Promise 1: the loser of a batch books its own calls as waste.
void Generator::write_off(const OpenBatch& batch) {
  for (const RecordState& state : batch.states) {
    for (const auto& step : state.steps) {
      if (step && !step->booked) accounts_.ledger.write_off(step->model, step->usage, step->cost);
    }
    if (state.failure) write_off_unused(*state.failure);
  }
}

void Generator::write_off_unused(const RecordFailure& failure) {
  for (const UnusedAnswer& answer : failure.unused) accounts_.ledger.write_off(answer.model, answer.usage, answer.cost);
}

void Generator::book(const OpenBatch& batch) {
  std::int64_t failed = 0;
  Spending spending;
  for (const RecordState& state : batch.states) {
    failed += state.failure.has_value();
    add_steps(spending, job_.compiled.step_ids, state, true);
    add_unused(spending, state);
  }
  resume_.checkpoint.book(context_.attempt, spending);
  mark_committed(batch, failed);
}

void Generator::mark_committed(const OpenBatch& batch, std::int64_t failed) {
  resume_.checkpoint.completed.add(batch.batch.value);
  if (failed > 0 || batch.round > 0) resume_.checkpoint.failed[batch.batch.value][batch.round] = failed;
  if (batch.round > 0) resume_.retry_rounds[batch.batch.value] = batch.round;
}

async::Task<void> Generator::flush_now_and_then(std::shared_ptr<async::StopFlag> ended) {
  while (co_await ended->sleep_for(settings_.flush_ms)) {
    if (Status flushed = co_await flush_and_tell(); !flushed) {
      give_up(flushed.error());
      co_return;
    }
  }
}

// While the lease is in doubt nothing is booked: a new owner may have booked it by then. The journal is this attempt's
// own.
async::Task<Status> Generator::flush() {
  const std::int64_t begun_ms = clock_.monotonic_ms();
  note_waste();  // before the journal: what it no longer has may be waste by now
  const bool new_steps = std::exchange(steps_journaled_, control_.steps_finished) != control_.steps_finished;
  if (journal_changed_ || new_steps) {
    journal_changed_ = false;
    if (Status written = co_await write_journal(); !written) co_return written;
  }
  control_.flushed_ms = begun_ms;
  if (!control_.may_keep()) co_return Status{};
  if (checkpoint_changed_) {
    checkpoint_changed_ = false;
    Result<SavedCheckpoint> saved = co_await save_checkpoint(objects_, {resume_.checkpoint, checkpoint_etag_},
                                                             context_.extents, context_.parts, clock_.now());
    if (!saved) co_return std::unexpected(saved.error());
    resume_.checkpoint = Checkpoint::join(resume_.checkpoint, saved->checkpoint);
    checkpoint_etag_ = std::move(saved->etag);
  }
  co_return Status{};
}

// The rows last: they say nothing that is not kept.
async::Task<Status> Generator::flush_and_tell() {
  if (Status flushed = co_await flush(); !flushed || accounts_.book == nullptr || !control_.may_keep())
    co_return flushed;
  co_return co_await accounts_.book->write();
}

// In pieces, between which records go on: each line is whole, and what changes meanwhile comes with the next journal.
async::Task<Status> Generator::write_journal() {
  const std::string key = job::journal_key(context_.job, context_.part, context_.attempt);
  std::unique_ptr<store::ObjectWriter> writer;  // only when there is more than one piece
  std::string piece;
  // Batches stand in the order of their numbers; any of them may be committed while a piece is written.
  for (std::int64_t last = 0;;) {
    const auto batch = std::ranges::find_if(open_, [&](const OpenBatch& open) { return open.batch.value > last; });
    if (batch == open_.end()) break;
    last = batch->batch.value;
    append_journal(piece, *batch);
    if (piece.size() < kJournalPieceBytes) continue;
    if (writer == nullptr) {
      auto opened = co_await objects_.open_put(key);
      if (!opened) co_return std::unexpected(opened.error());
      writer = std::move(*opened);
    }
    if (Status appended = co_await writer->append(std::exchange(piece, {})); !appended) co_return appended;
  }
  Result<std::string> put;
  if (writer == nullptr) {
    put = co_await objects_.put(key, std::move(piece));
  } else {
    if (Status appended = co_await writer->append(std::move(piece)); !appended) co_return appended;
    put = co_await writer->commit();
  }
  if (!put) co_return std::unexpected(put.error());
  co_return Status{};
}

void Generator::append_journal(std::string& out, OpenBatch& batch) {
  for (RecordState& state : batch.states) {
    const bool worth_keeping =
        state.finished_at || std::ranges::any_of(state.steps, [](const auto& step) { return step.has_value(); });
    if (!worth_keeping) continue;
    pipeline_.name_requests(state);
    append_journal_line(out, job_.compiled.step_ids, state);
    out += '\n';
  }
}

void Generator::note_waste() {
  const UsageByModel& waste = accounts_.ledger.waste();
  if (waste.empty() || resume_.checkpoint.waste[context_.attempt.value] == waste) return;
  resume_.checkpoint.waste[context_.attempt.value] = waste;
  checkpoint_changed_ = true;
}

// A retry that is stopped half way: what succeeded is committed as this round, the finished steps of the rest go to
// failures.
async::Task<Status> Generator::keep_unfinished_retries() {
  for (OpenBatch& batch : open_) {
    for (RecordState& state : batch.states) {
      if (state.finished_at) continue;
      // What was not begun keeps the cause of its last failure.
      if (!state.failure)
        state.failure =
            RecordFailure{job_.compiled.steps.front().id, ErrorKind::cancelled, "the retry was interrupted", 1};
      state.finished_at = clock_.now();
    }
    if (Status put = co_await put_batch(&batch); !put) co_return put;
  }
  checkpoint_changed_ = true;
  co_return Status{};
}

async::Task<Result<GenerateReport>> Generator::wind_up() {
  if (control_.is_fenced()) co_return std::unexpected(*control_.halted);  // what it has made is another's to make
  Status kept;
  if (settings_.retry_failed && !open_.empty()) kept = co_await keep_unfinished_retries();
  skip_made();
  const bool nothing_to_open = settings_.retry_failed ? to_retry_.empty() : next_batch_ > context_.last_batch().value;
  const bool all_committed = open_.empty() && nothing_to_open && resume_.journal.empty();
  if (all_committed) {
    journal_changed_ = false;
    steps_journaled_ = control_.steps_finished;
  }
  checkpoint_changed_ = true;
  if (kept) kept = co_await flush();
  if (control_.halted && !error_) error_ = control_.halted;
  if (error_) co_return std::unexpected(*error_);
  if (!kept) co_return std::unexpected(kept.error());
  if (all_committed) {
    if (Status removed = co_await remove_journals(objects_, context_.job, context_.part); !removed)
      co_return std::unexpected(removed.error());
  }
  GenerateReport report;
  report.checkpoint = resume_.checkpoint;
  report.retry_rounds = resume_.retry_rounds;
  const bool more_to_do = !open_.empty() || !nothing_to_open;
  if (!failed_early_.empty()) {
    // A retry that is given up takes nothing from what was made before.
    const bool stands = settings_.retry_failed && progress_.records_done > 0 && !too_many_failed();
    report.end = stands ? GenerateReport::End::ended : GenerateReport::End::failed;
    report.cause = failed_early_;
  } else if (more_to_do && control_.over_budget && !stopping()) {
    report.end = GenerateReport::End::over_budget;
  } else if (more_to_do) {
    report.end = GenerateReport::End::stopped;
  } else if (progress_.records_done == 0 && progress_.records_total > 0 && context_.parts == 1) {
    report.end = GenerateReport::End::failed;
    report.cause = "all records failed" + (first_cause_.empty() ? "" : "; the first was " + first_cause_);
  } else if (too_many_failed()) {
    report.end = GenerateReport::End::failed;
    report.cause = told_too_many_failed();
  }
  co_return report;
}

}  // namespace palette::generate
