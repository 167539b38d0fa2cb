#include "generate/generator.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "generate/batch.h"

namespace palette::generate {
namespace {

constexpr std::int64_t kCommitsInFlightMax = 16;
constexpr std::int64_t kOpenBatchesMin = 128;
constexpr std::size_t kHeldBytesMax = 32 * limits::kMiB;  // finished records that wait for their batch

std::size_t text_bytes(const RecordState& state) {
  std::size_t bytes = 0;
  for (const auto& step : state.steps) {
    if (step) bytes += step->prompt.size() + step->output.size() + step->system.size();
  }
  return bytes;
}

std::string cause_of(const RecordFailure& failure) {
  return "step '" + failure.step + "': " + failure.message + " [" + std::string(to_string(failure.kind)) + "]";
}

}  // namespace

Generator::Generator(const PreparedJob& job, PartContext context, Pipeline& pipeline, store::ObjectStore& objects,
                     const Clock& clock, GenerateSettings settings, RunControl& control, Progress& progress,
                     Accounts accounts)
    : job_(job),
      context_(std::move(context)),
      pipeline_(pipeline),
      objects_(objects),
      clock_(clock),
      settings_(settings),
      control_(control),
      progress_(progress),
      accounts_(accounts) {}

async::Task<Result<GenerateReport>> Generator::run(ResumeState resume) {
  resume_ = std::move(resume);
  progress_.records_total = context_.records();
  progress_.records_done = resume_.checkpoint.records_generated(context_.extents);
  progress_.records_failed = resume_.checkpoint.records_failed();
  progress_.records_at_start = progress_.records_done + progress_.records_failed;
  for (const auto& [model, used] : resume_.checkpoint.usage_total()) {
    progress_.input_tokens += used.usage.input_tokens;
    progress_.output_tokens += used.usage.output_tokens;
  }
  // The ledger counts on over several runs of an attempt.
  cost_before_ = resume_.spent() - accounts_.ledger.spent();
  progress_.cost = resume_.spent();
  if (settings_.retry_failed) {
    for (const auto& [batch, rounds] : resume_.checkpoint.failed) {
      if (rounds.rbegin()->second > 0 && batch <= context_.last_batch().value) to_retry_.push_back(batch);
    }
    std::reverse(to_retry_.begin(), to_retry_.end());
  }

  const auto executor = co_await boost::asio::this_coro::executor;
  group_.emplace(executor);
  async::TaskGroup ticker(executor);
  auto ended = std::make_shared<async::StopFlag>();
  control_.groups.insert(&*group_);
  ticker.spawn(flush_now_and_then(ended));
  pump();
  co_await group_->join();
  ended->request();
  co_await ticker.join();
  control_.groups.erase(&*group_);
  group_.reset();
  co_return co_await wind_up();
}

// Starts records until as many as may be are in flight. A record that is made without ever waiting ends inside of this
// loop, hence the guard.
void Generator::pump() {
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  do {
    pump_again_ = false;
    while (!stopping() && in_flight_ < settings_.concurrency) {
      OpenBatch* batch = batch_with_work();
      if (batch == nullptr || !may_begin(batch->states[batch->next])) break;
      ++in_flight_;
      ++batch->in_flight;
      if (first_started_.size() < limits::kAlikeFailuresMax) {
        first_started_.push_back(batch->states[batch->next].index.value);
      }
      group_->spawn(make_record(batch, batch->next++));
    }
  } while (pump_again_);
  pumping_ = false;
}

// Money for all of its steps is held from here on; it is looked for again when a record in progress ends.
bool Generator::may_begin(const RecordState& state) {
  const bool is_made = (state.finished_at && state.failure && settings_.reuse_failures) || pipeline_.is_whole(state);
  if (is_made) return true;
  if (!control_.over_budget && accounts_.ledger.admit(state.index)) return true;
  if (in_flight_ == 0) control_.over_budget = true;
  return false;
}

Generator::OpenBatch* Generator::batch_with_work() {
  if (current_ != nullptr && current_->next < current_->states.size()) return current_;
  current_ = nullptr;
  if (has_room()) open_next();
  return current_;
}

bool Generator::has_room() const {
  const std::int64_t batches_in_flight = settings_.concurrency / limits::kBatchRecords + 1;
  const auto open = static_cast<std::int64_t>(open_.size());
  return !opening_ && committing_ < kCommitsInFlightMax && open < kOpenBatchesMin + 4 * batches_in_flight &&
         held_bytes_ < kHeldBytesMax;
}

void Generator::open_next() {
  if (settings_.retry_failed) {
    if (to_retry_.empty()) return;
    opening_ = true;
    group_->spawn(open_retry(BatchNumber{to_retry_.back()}));
    to_retry_.pop_back();
    return;
  }
  skip_made();
  if (next_batch_ > context_.last_batch().value) return;
  OpenBatch& batch = open_.emplace_back();
  batch.batch = BatchNumber{next_batch_++};
  const job::RecordRange range = context_.extents.records_of(batch.batch);
  batch.states.resize(static_cast<std::size_t>(range.count));
  for (std::size_t i = 0; i < batch.states.size(); ++i) {
    const std::int64_t index = range.first + static_cast<std::int64_t>(i);
    if (const auto kept = resume_.journal.find(index); kept != resume_.journal.end()) {
      batch.states[i] = std::move(kept->second);
      resume_.journal.erase(kept);
    }
    batch.states[i].index = RecordIndex{index};
  }
  current_ = &batch;
}

// To the next batch that this part has to make; beyond the last one when all are made.
void Generator::skip_made() {
  next_batch_ = context_.next_missing(resume_.checkpoint.completed, BatchNumber{next_batch_}).value;
}

async::Task<void> Generator::open_retry(BatchNumber number) {
  std::set<std::int64_t> succeeded;
  const auto round_found = resume_.retry_rounds.find(number.value);
  const std::int64_t last_round = round_found == resume_.retry_rounds.end() ? 0 : round_found->second;
  for (std::int64_t round = 0; round <= last_round; ++round) {
    const std::string key = job::batch_key(context_.job, number, round);
    const Result<store::Object> object = co_await objects_.get(key);
    if (!object) co_return give_up(object.error());
    const Result<BatchContent> content = read_batch(object->body, context_.job, context_.extents.records_of(number));
    if (!content) co_return give_up(content.error().at(objects_.location(key)));
    succeeded.insert(content->indexes.begin(), content->indexes.end());
  }
  Result<RecordsByIndex> failures =
      co_await read_failures(objects_, context_.job, number, job_.compiled.step_ids, succeeded);
  if (!failures) co_return give_up(failures.error());

  OpenBatch& batch = open_.emplace_back();
  batch.batch = number;
  batch.round = last_round + 1;
  const job::RecordRange range = context_.extents.records_of(number);
  for (std::int64_t index = range.first; index < range.first + range.count; ++index) {
    if (succeeded.contains(index)) continue;
    RecordState state;
    if (const auto kept = failures->find(index); kept != failures->end()) state = std::move(kept->second);
    for (auto& step : state.steps) {
      if (step) step->booked = true;
    }
    take_from_journal(state, index);
    state.steps.resize(job_.compiled.step_ids.size());
    if (state.seed_data_keys.empty()) state.seed_data_keys = "null";  // its failure line is gone
    state.index = RecordIndex{index};
    state.round = batch.round;
    state.finished_at.reset();
    if (state.failure) state.failure->unused.clear();  // it is booked
    batch.states.push_back(std::move(state));
  }
  opening_ = false;
  progress_.records_failed -= static_cast<std::int64_t>(batch.states.size());
  progress_.records_at_start -= static_cast<std::int64_t>(batch.states.size());
  if (batch.states.empty()) {
    open_.pop_back();
  } else {
    current_ = &batch;
  }
  pump();
}

// Steps that an interrupted retry has made, beside those that the failed record had.
void Generator::take_from_journal(RecordState& state, std::int64_t index) {
  const auto kept = resume_.journal.find(index);
  if (kept == resume_.journal.end()) return;
  state.steps.resize(kept->second.steps.size());
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    if (!state.steps[i]) state.steps[i] = std::move(kept->second.steps[i]);
  }
  resume_.journal.erase(kept);
}

async::Task<void> Generator::make_record(OpenBatch* batch, std::size_t at) {
  RecordState& state = batch->states[at];  // stays where it is until its batch is committed
  const bool failed_before = state.finished_at && state.failure && settings_.reuse_failures;
  Status made;
  if (!failed_before) {
    // A record that was finished before the crash keeps its time.
    const std::optional<UtcTime> kept_time = state.failure ? std::nullopt : state.finished_at;
    const std::optional<RecordFailure> failure_before = std::exchange(state.failure, std::nullopt);
    state.finished_at.reset();
    made = co_await pipeline_.make(&state);
    const bool is_whole = pipeline_.is_whole(state);
    if (made && !state.failure && is_whole) state.finished_at = kept_time;
    // Until it has another end, the failure stands in the journal of the attempt that paid for it.
    if (made && failure_before && (state.failure || is_whole)) write_off_unused(*failure_before);
  }
  accounts_.ledger.release(state.index);
  if (made) {
    finish_record(*batch, state);
  } else {
    give_up(made.error());
  }
  --in_flight_;
  --batch->in_flight;
  const bool all_finished = std::all_of(batch->states.begin(), batch->states.end(),
                                        [](const RecordState& s) { return s.finished_at.has_value(); });
  if (batch->complete() && all_finished && !error_) {
    if (current_ == batch) current_ = nullptr;
    co_await commit(batch);
  }
  pump();
}

void Generator::finish_record(OpenBatch& batch, RecordState& state) {
  if (!state.finished_at && (state.failure || pipeline_.is_whole(state))) state.finished_at = clock_.now();
  journal_changed_ = true;
  const std::size_t bytes = text_bytes(state);
  batch.bytes += bytes;
  held_bytes_ += bytes;
  progress_.cost = cost_before_ + accounts_.ledger.spent();
  if (state.finished_at && state.failure) count_failure(state);
  if (!state.succeeded()) return;
  ++progress_.records_done;
  ++succeeded_here_;
  for (const auto& step : state.steps) {
    if (!step) continue;
    progress_.input_tokens += step->usage.input_tokens;
    progress_.output_tokens += step->usage.output_tokens;
  }
}

void Generator::count_failure(const RecordState& state) {
  const std::string cause = cause_of(*state.failure);
  if (failed_here_ == 0) first_cause_ = cause;
  ++failed_here_;
  ++progress_.records_failed;
  progress_.last_error = "record " + std::to_string(state.index.value) + ", " + cause;
  if (progress_.on_record_failed) progress_.on_record_failed(state);
  if (!failed_early_.empty()) return;
  if (first_all_failed_alike(state, cause)) {
    failed_early_ =
        "the first " + std::to_string(limits::kAlikeFailuresMax) + " records all failed alike: " + first_cause_;
  } else if (!settings_.retry_failed && too_many_failed()) {
    failed_early_ = told_too_many_failed();
  }
  if (!failed_early_.empty()) control_.drain();
}

// The first by the order of starting, not of ending: failures come faster than answers.
bool Generator::first_all_failed_alike(const RecordState& state, const std::string& cause) {
  const bool among_first =
      std::find(first_started_.begin(), first_started_.end(), state.index.value) != first_started_.end();
  if (!among_first || cause != first_cause_) return false;
  ++first_failed_alike_;
  const bool none_succeeded = settings_.retry_failed ? succeeded_here_ == 0 : progress_.records_done == 0;
  return none_succeeded && first_failed_alike_ == limits::kAlikeFailuresMax;
}

// Of the records that are asked for, of the whole job where several parts share it; of those that were made, when fewer
// are asked for now.
std::int64_t Generator::records_to_judge() const {
  const std::int64_t asked = context_.parts > 1 ? context_.num_records : progress_.records_total;
  return std::max(asked, progress_.records_done + progress_.records_failed);
}

bool Generator::too_many_failed() const {
  return static_cast<double>(progress_.records_failed) >
         settings_.max_failure_ratio * static_cast<double>(records_to_judge());
}

std::string Generator::told_too_many_failed() const {
  return std::to_string(progress_.records_failed) + " of " + std::to_string(records_to_judge()) +
         " records failed, more than max_failure_ratio allows" +
         (first_cause_.empty() ? "" : "; the first was " + first_cause_);
}

void Generator::give_up(Error error) {
  if (!error_) error_ = std::move(error);
  opening_ = false;
  control_.drain();
}

}  // namespace palette::generate
