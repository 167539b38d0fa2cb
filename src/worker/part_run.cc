#include "worker/part_run.h"

#include <utility>

#include "generate/estimate.h"
#include "generate/job_models.h"
#include "generate/job_slices.h"

namespace palette::worker {

PartRun::PartRun(PartPlaces places, const generate::PreparedJob& prepared, ClaimedPart claimed,
                 PartRunSettings settings, generate::RunControl& control, generate::Progress& progress)
    : places_(places),
      prepared_(prepared),
      claimed_(std::move(claimed)),
      settings_(std::move(settings)),
      control_(control),
      progress_(progress),
      context_{claimed_.job.id,  claimed_.held.part,       claimed_.held.attempt,
               claimed_.extents, claimed_.job.num_records, claimed_.job.parts_total()} {}

async::Task<Status> PartRun::open() {
  auto resume =
      co_await generate::load_resume_state(places_.objects, context_, prepared_.compiled.step_ids, places_.clock.now());
  if (!resume) co_return std::unexpected(resume.error());
  resume_ = std::move(*resume);
  progress_.records_total = context_.records();
  progress_.records_done = resume_.checkpoint.records_generated(context_.extents);
  progress_.records_failed = resume_.checkpoint.records_failed();
  for (const auto& [model, used] : resume_.checkpoint.usage_total()) {
    progress_.input_tokens += used.usage.input_tokens;
    progress_.output_tokens += used.usage.output_tokens;
  }
  if (Status opened = co_await open_accounts(); !opened) co_return opened;
  auto models = generate::make_job_models(
      prepared_, control_,
      {places_.connections, ledger_, places_.executor, places_.clock, settings_.notice, settings_.gate});
  if (!models) co_return std::unexpected(models.error());
  pipeline_.emplace(prepared_, context_.job, std::move(*models), control_);
  co_return Status{};
}

// What is left of the budget, what was spent before, and the rows that say so.
async::Task<Status> PartRun::open_accounts() {
  const store::JobItem& job = claimed_.job;
  generate::LedgerSettings settings;
  settings.unallocated = job.unallocated;
  settings.slice_ms = settings_.slice_ms;
  settings.tail = settings_.tail;
  if (!generate::is_offline(prepared_)) {
    const Result<generate::Estimate> estimate = generate::estimate_job(prepared_);
    if (!estimate) co_return std::unexpected(estimate.error());
    settings.record_bound = estimate->record_bound;
    if (settings_.large_first_slice)
      settings.first_slice = Money::of(prepared_.spec.concurrency, estimate->record_bound.pico);
  }
  if (const auto part = job.parts.find(context_.part.value); part != job.parts.end())
    settings.slice_no = part->second.slice_no;
  ledger_ = std::make_shared<generate::Ledger>(settings, generate::slices_of(places_.jobs, claimed_.held), control_,
                                               places_.clock);
  book_.emplace(places_.jobs, context_, *ledger_, places_.clock);
  const std::int64_t tokens = generate::total_of(resume_.checkpoint.usage_total()).tokens() +
                              generate::total_of(resume_.checkpoint.waste_total()).tokens() +
                              generate::total_of(resume_.journaled.models).tokens();
  const Status opened = co_await book_->open(resume_.spent(), tokens);
  spent_before_ = book_->spent_before();
  co_return opened;
}

async::Task<Result<generate::GenerateReport>> PartRun::make() {
  const bool all_tried = context_.next_missing(resume_.checkpoint.completed).value > context_.last_batch().value;
  if (!all_tried || settings_.retry_failed) {
    // Once, rather than as the failure of every record.
    if (const Status ready = co_await places_.connections.check_credentials(prepared_.step_models); !ready)
      co_return std::unexpected(ready.error());
  }
  if (!all_tried || !settings_.retry_failed) {
    Result<generate::GenerateReport> report = co_await make_records(std::move(resume_), false);
    const bool goes_on = report && report->end == generate::GenerateReport::End::ended && settings_.retry_failed;
    if (!goes_on) co_return report;
    auto after = co_await generate::load_resume_state(places_.objects, context_, prepared_.compiled.step_ids,
                                                      places_.clock.now());
    if (!after) co_return std::unexpected(after.error());
    resume_ = std::move(*after);
  }
  co_return co_await make_records(std::move(resume_), true);
}

async::Task<Result<generate::GenerateReport>> PartRun::make_records(generate::ResumeState resume, bool retry_failed) {
  generate::GenerateSettings settings;
  settings.concurrency = prepared_.spec.concurrency;
  settings.flush_ms = settings_.flush_ms;
  settings.max_failure_ratio = prepared_.spec.max_failure_ratio;
  settings.retry_failed = retry_failed;
  settings.reuse_failures = settings_.reuse_failures;
  progress_.input_tokens = progress_.output_tokens = 0;
  progress_.cost = {};
  control_.flushed_ms = places_.clock.monotonic_ms();  // nothing is paid for yet that is not kept
  generate::Generator generator(prepared_, context_, *pipeline_, places_.objects, places_.clock, settings, control_,
                                progress_, {*ledger_, &*book_});
  co_return co_await generator.run(std::move(resume));
}

async::Task<Status> PartRun::close() {
  if (!book_) co_return Status{};
  co_return co_await book_->close();
}

store::PartProgress PartRun::told() const {
  store::PartProgress out;
  if (const auto before = claimed_.job.parts.find(context_.part.value); before != claimed_.job.parts.end())
    out = before->second;
  out.attempt = context_.attempt;
  if (ledger_ == nullptr) return out;  // nothing is known that was not before
  out.records = progress_.records_done;
  out.failed = progress_.records_failed;
  out.tokens = progress_.input_tokens + progress_.output_tokens;
  out.cost = spent();
  return out;
}

}  // namespace palette::worker
