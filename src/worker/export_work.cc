#include "worker/export_work.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "generate/exporter.h"
#include "generate/job_slices.h"
#include "generate/ledger.h"
#include "generate/resume.h"
#include "job/stop_reason.h"
#include "worker/held_part.h"
#include "worker/job_loading.h"

namespace palette::worker {
namespace {

constexpr std::int64_t kPay_ms = 15'000;

class ExportWork {
 public:
  ExportWork(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms)
      : context_(context), jobs_(context.places.jobs), part_(context, std::move(held), claimed_ms) {}

  async::Task<void> run() {
    context_.meter.begin();
    part_.start();
    const Status exported = co_await attempt();
    // The lease is kept until the last write: looking costs up takes a while.
    if (part_.is_fenced()) {
      context_.log.warn("fenced", part_.named());
    } else if (exported) {
      co_await finish();
    } else if (job_.id.text.empty()) {
      // Nothing is known of the job, not even what the part has done: the lease ends, and the next worker goes on.
      context_.log.fail("attempt_failed", exported.error(), part_.named());
    } else {
      co_await give_back(exported.error());
    }
    co_await part_.stop();
  }

 private:
  async::Task<Status> attempt() {
    Result<store::JobItem> job = co_await jobs_.get_job(part_.held().job);
    if (!job) co_return std::unexpected(job.error());
    job_ = std::move(*job);
    const auto known = job_.parts.find(store::kExportPart.value);
    if (known != job_.parts.end() && known->second.fruitless >= context_.settings.fruitless_max) {
      cannot_export_ = "the export failed " + std::to_string(known->second.fruitless) +
                       " times in a row; the last: " + known->second.last_cause;
      co_return Status{};
    }
    Result<LoadedJob> loaded = co_await load_job_for_work(context_, job_, generate::SeedUse::columns);
    const bool is_hopeless =
        !loaded && (loaded.error().kind == ErrorKind::bad_input || loaded.error().kind == ErrorKind::corrupt);
    if (is_hopeless) {
      cannot_export_ = loaded.error().text();
      co_return Status{};
    }
    if (!loaded) co_return std::unexpected(loaded.error());
    job_ = loaded->item;
    context_of_job_ = {job_.id,         store::kExportPart, part_.held().attempt,
                       loaded->extents, job_.num_records,   job_.parts_total()};
    loaded_ = std::move(*loaded);
    open_accounts();
    if (const Status opened = co_await book_->open(Money{}, 0); !opened) co_return opened;
    async::TaskGroup tickers(context_.places.executor);
    auto ended = std::make_shared<async::StopFlag>();
    tickers.spawn(pay_now_and_then(ended));
    Status exported = co_await write_dataset();
    ended->request();
    co_await tickers.join();
    co_return exported;
  }

  void open_accounts() {
    generate::LedgerSettings settings;
    settings.unallocated = job_.unallocated;
    if (const auto known = job_.parts.find(store::kExportPart.value); known != job_.parts.end())
      settings.slice_no = known->second.slice_no;
    ledger_ = std::make_shared<generate::Ledger>(settings, generate::slices_of(jobs_, part_.held()), part_.control(),
                                                 context_.places.clock);
    book_.emplace(jobs_, context_of_job_, *ledger_, context_.places.clock);
  }

  async::Task<Status> write_dataset() {
    auto state = co_await generate::load_whole_state(context_.places.objects, context_of_job_,
                                                     loaded_->prepared.compiled.step_ids, context_.places.clock.now());
    if (!state) co_return std::unexpected(state.error());
    used_ = state->checkpoint.usage_total();
    journaled_ = state->journaled;
    tokens_ = generate::total_of(used_).tokens() + generate::total_of(journaled_.models).tokens();
    generate::ExportSettings settings;
    settings.formats = loaded_->prepared.spec.output_formats;
    settings.partition = loaded_->prepared.spec.partition_strategy;
    settings.temp_dir = context_.temp_dir;
    generate::Exporter exporter(loaded_->prepared, context_of_job_, context_.places.objects, context_.pool, settings,
                                *part_.control().stop);
    auto report = co_await exporter.run(std::move(*state));
    if (!report) co_return std::unexpected(part_.control().halted ? *part_.control().halted : report.error());
    exported_ = std::move(*report);
    co_return Status{};
  }

  // What is left of the budget was kept for it; an export that takes longer is finished all the same.
  async::Task<void> pay_now_and_then(std::shared_ptr<async::StopFlag> ended) {
    do {
      const Status paid = co_await ledger_->pay_infrastructure(context_.meter.take(kPay_ms));
      if (!paid && paid.error().kind == ErrorKind::over_budget)
        context_.log.fail("export_over_budget", paid.error(), part_.named());
      part_.control().over_budget = false;
    } while (co_await ended->sleep_for(kPay_ms));
  }

  // Of all records that are asked for: those that no dataset has have failed, unless the job stopped early.
  void set_end(store::JobItem& job) const {
    job.status = job::status_after(job.stop_reason);
    job.error_message = std::string(job::cause_of_stop(job.stop_reason));
    if (!cannot_export_.empty()) {
      job.status = job::JobStatus::failed;
      if (job.error_message.empty()) job.error_message = cannot_export_;
    } else {
      job.records_generated = exported_.records;
      if (job.stop_reason.empty()) job.records_failed = job.num_records - exported_.records;
      job.tokens_used = tokens_;
    }
    if (job.status == job::JobStatus::completed && job.num_records > 0) note_failures(job);
    if (job.status == job::JobStatus::budget_exceeded && job.budget_limit)
      job.error_message = "the budget of $" + job.budget_limit->to_decimal() + " does not cover another record: $" +
                          job.cost_estimate.to_decimal() + " spent";
  }

  void note_failures(store::JobItem& job) const {
    const double ratio = loaded_->prepared.spec.max_failure_ratio;
    const bool too_many = static_cast<double>(job.records_failed) > ratio * static_cast<double>(job.num_records);
    if (job.records_generated > 0 && !too_many) return;
    job.status = job::JobStatus::failed;
    job.error_message = job.records_generated == 0
                            ? "all records failed"
                            : std::to_string(job.records_failed) + " of " + std::to_string(job.num_records) +
                                  " records failed, more than max_failure_ratio allows";
  }

  // What is left of the slices after all was paid and told.
  async::Task<Money> close_accounts() {
    if (!book_) co_return Money{};
    (void)co_await ledger_->pay_infrastructure(context_.meter.take(0));  // over_budget: told before
    if (const Status closed = co_await book_->close(); !closed)
      context_.log.fail("cost_row_lost", closed.error(), part_.named());
    co_return ledger_->unspent();
  }

  async::Task<void> finish() {
    const Money unspent = co_await close_accounts();
    Result<store::JobItem> job = co_await jobs_.get_job(job_.id);
    if (!job) co_return tell_not_finished(job.error());
    // What its parts have told at their ends, infrastructure and all, and what the export cost.
    if (book_) {
      job->cost_estimate = progress().cost;
      for (const auto& [number, part] : job->parts)
        if (number != store::kExportPart.value) job->cost_estimate += part.cost;
    }
    set_end(*job);
    job->completed_at = job->updated_at = context_.table_now();
    const Status finished = co_await jobs_.finish(part_.held(), *job, unspent);
    if (!finished) co_return tell_not_finished(finished.error());
    JsonObject fields = part_.named();
    fields["status"] = job::to_string(job->status);
    fields["records"] = job->records_generated;
    fields["records_failed"] = job->records_failed;
    fields["cost_usd"] = job->cost_estimate.to_decimal();
    if (!job->error_message.empty()) fields["error"] = job->error_message;
    JsonArray notes;
    for (const std::string& note : exported_.notes) notes.emplace_back(note);
    if (!notes.empty()) fields["notes"] = std::move(notes);
    context_.log.tell("job_finished", std::move(fields));
  }

  // The lease ends, and the next worker finishes.
  void tell_not_finished(const Error& error) { context_.log.fail("finish_failed", error, part_.named()); }

  store::PartProgress progress() const {
    store::PartProgress out;
    if (const auto known = job_.parts.find(store::kExportPart.value); known != job_.parts.end()) out = known->second;
    out.attempt = part_.held().attempt;
    if (book_) out.cost = book_->spent_before() + ledger_->spent();
    return out;
  }

  async::Task<void> give_back(Error error) {
    const Money unspent = co_await close_accounts();
    const UtcTime now = context_.table_now();
    if (error.kind == ErrorKind::cancelled) {
      const Status given = co_await jobs_.requeue(part_.held(), progress(), {.unspent = unspent}, now);
      if (!given) co_return context_.log.fail("give_back_failed", given.error(), part_.named());
      co_return context_.log.tell("requeued", part_.named());
    }
    const bool away = is_outage(error.kind);
    const std::int64_t pause_ms = pause_after_failures_ms(progress().fruitless + 1);
    context_.log.fail("attempt_failed", error, part_.named());
    const Status given =
        co_await jobs_.park(part_.held(), progress(), {.unspent = unspent, .cause = away ? "" : error.text()},
                            UtcTime{now.unix_ms + pause_ms}, now);
    if (!given) co_return context_.log.fail("give_back_failed", given.error(), part_.named());
    context_.log.tell("parked", part_.named());
  }

  WorkContext& context_;
  store::JobStore& jobs_;
  HeldPart part_;
  store::JobItem job_;
  generate::PartContext context_of_job_;
  std::optional<LoadedJob> loaded_;
  std::shared_ptr<generate::Ledger> ledger_;
  std::optional<generate::CostBook> book_;
  generate::UsageByModel used_;
  generate::Spending journaled_;
  std::int64_t tokens_ = 0;
  generate::ExportReport exported_;
  std::string cannot_export_;  // why the job has no dataset
};

}  // namespace

async::Task<void> work_on_export(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms) {
  ExportWork work(context, std::move(held), claimed_ms);
  co_await work.run();
}

}  // namespace palette::worker
