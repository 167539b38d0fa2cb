#include "cli/run_job.h"

#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <optional>

#include "async/signals.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/job_costs.h"
#include "cli/local_job.h"
#include "cli/terminal.h"
#include "generate/exporter.h"
#include "generate/job_slices.h"
#include "worker/part_run.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kReportInterval_ms = 5'000;

class JobRun {
 public:
  JobRun(Workspace& workspace, const generate::PreparedJob& prepared, const RunRequest& request)
      : workspace_(workspace),
        prepared_(prepared),
        request_(request),
        clock_(system_clock()),
        display_(request.display, progress_, control_, clock_),
        connections_(workspace.loop.context().get_executor(), aws::Environment::of_process(), clock_) {}

  int run() {
    async::StopSignals signals(workspace_.loop.context(), [this](int signal, int count) { on_signal(signal, count); });
    return workspace_.loop.run(work());
  }

 private:
  async::Task<int> work() {
    auto claimed =
        co_await claim_job(workspace_, prepared_, {request_.fresh, request_.interval, request_.estimate}, clock_);
    if (!claimed) co_return tell(claimed.error());
    claimed_.emplace(std::move(*claimed));
    if (request_.retry_failed && claimed_->status_before == job::JobStatus::completed &&
        claimed_->item.records_failed > 0) {
      claimed_->told = "Making the " + counted(claimed_->item.records_failed, "failed record") + " of " +
                       claimed_->item.id.text + " again.";
    }
    if (!claimed_->told.empty()) display_.say(claimed_->told);
    started_ms_ = clock_.monotonic_ms();
    hook_events();

    Result<generate::GenerateReport> report = co_await generate_records();
    if (!report) co_return co_await give_up(report.error());
    if (report->end == generate::GenerateReport::End::stopped) co_return co_await tell_interrupted();
    if (report->end == generate::GenerateReport::End::over_budget) status_ = job::JobStatus::budget_exceeded;
    Result<generate::ExportReport> exported = co_await export_dataset(std::move(*report));
    if (!exported && exported.error().kind == ErrorKind::cancelled) co_return co_await tell_interrupted();
    if (!exported) co_return co_await give_up(exported.error());
    co_return co_await finish(std::move(*exported));
  }

  async::Task<Result<generate::GenerateReport>> generate_records() {
    worker::PartRunSettings settings;
    settings.retry_failed = request_.retry_failed;
    settings.reuse_failures = claimed_->status_before != job::JobStatus::failed;
    settings.notice = [this](const std::string& text) { display_.say(text); };
    const auto executor = workspace_.loop.context().get_executor();
    part_.emplace(worker::PartPlaces{*workspace_.jobs, workspace_.objects, connections_, executor, clock_}, prepared_,
                  worker::ClaimedPart{claimed_->item, claimed_->queue, claimed_->extents}, std::move(settings),
                  control_, progress_);
    if (Status opened = co_await part_->open(); !opened) co_return std::unexpected(opened.error());
    costs_.possibly_spent = std::max(Money{}, generate::given_to_slices(claimed_->item) - part_->spent_before());
    costs_.budget = prepared_.spec.budget_limit;
    async::TaskGroup watchers(executor);
    auto ended = std::make_shared<async::StopFlag>();
    watchers.spawn(show_progress(ended));
    watchers.spawn(report_now_and_then(ended));
    Result<generate::GenerateReport> report = co_await part_->make();
    ended->request();
    co_await watchers.join();
    if (!report) co_return report;
    if (report->end == generate::GenerateReport::End::failed) {
      status_ = job::JobStatus::failed;
      failed_cause_ = report->cause;
    } else if (!report->cause.empty()) {
      display_.say(styled(stderr, Style::warning, "warning:") + " the retry was given up: " + report->cause);
    }
    co_return report;
  }

  async::Task<void> show_progress(std::shared_ptr<async::StopFlag> ended) {
    if (display_.mode() == DisplayMode::silent) co_return;
    while (co_await ended->sleep_for(display_.interval_ms())) display_.update();
    display_.clear();
  }

  // For `jobs` in another terminal. A report that cannot be written harms nothing: the run's end writes the same
  // figures.
  async::Task<void> report_now_and_then(std::shared_ptr<async::StopFlag> ended) {
    while (co_await ended->sleep_for(kReportInterval_ms)) {
      const Status reported = co_await report_progress(workspace_, *claimed_, progress_, clock_);
      if (!reported) display_.say("warning: the job's progress could not be written: " + reported.error().text());
    }
  }

  async::Task<Result<generate::ExportReport>> export_dataset(generate::GenerateReport report) {
    generate::ResumeState state;
    if (report.end == generate::GenerateReport::End::ended) {
      state.checkpoint = std::move(report.checkpoint);
      state.retry_rounds = std::move(report.retry_rounds);
    } else {  // what journals hold counts too
      auto loaded = co_await generate::load_resume_state(workspace_.objects, part_->context(),
                                                         prepared_.compiled.step_ids, clock_.now());
      if (!loaded) co_return std::unexpected(loaded.error());
      state = std::move(*loaded);
    }
    costs_.used = {state.checkpoint.usage_total(), state.checkpoint.steps_total()};
    costs_.used += state.journaled;
    costs_.waste = state.checkpoint.waste_total();
    if (costs_.budget) costs_.left = part_->left();
    generate::ExportSettings settings;
    settings.formats = prepared_.spec.output_formats;
    settings.partition = prepared_.spec.partition_strategy;
    settings.temp_dir = workspace_.temp_dir();
    // A job that gave up has raised the flag itself; only a signal interrupts the export.
    generate::Exporter exporter(prepared_, part_->context(), workspace_.objects, workspace_.pool, settings,
                                export_stop_);
    auto exported = co_await exporter.run(std::move(state));
    if (!exported) co_return exported;
    if (!request_.out_dir.empty()) {
      const Status copied =
          co_await generate::copy_exports(workspace_.objects, workspace_.pool, exported->files, request_.out_dir);
      if (!copied) co_return std::unexpected(copied.error());
    }
    co_return exported;
  }

  async::Task<int> finish(generate::ExportReport exported) {
    // What the dataset holds: fewer than were made, when fewer are asked for now.
    progress_.records_done = exported.records;
    if (status_ == job::JobStatus::completed) progress_.records_failed = prepared_.spec.num_records - exported.records;
    if (status_ == job::JobStatus::budget_exceeded) failed_cause_ = told_over_budget();
    if (const Status closed = co_await part_->close(); !closed) co_return tell(closed.error());
    const Status finished =
        co_await finish_job(workspace_, *claimed_, progress_, {status_, failed_cause_, part_->unspent()}, clock_);
    if (!finished) co_return tell(finished.error());
    tell_end(exported);
    switch (status_) {
      case job::JobStatus::failed:
        co_return kFailed;
      case job::JobStatus::budget_exceeded:
        co_return kBudgetExceeded;
      default:
        co_return kDone;
    }
  }

  Money spent() const { return part_ ? part_->spent() : Money{}; }

  std::string told_over_budget() const {
    std::string text = "the budget of " + dollars(prepared_.spec.budget_limit.value_or(Money{}).to_decimal()) +
                       " does not cover another record: " + dollars(spent().to_decimal()) + " spent, " +
                       dollars(part_->left().to_decimal()) + " left";
    if (costs_.possibly_spent > Money{})
      text += ", " + dollars(costs_.possibly_spent.to_decimal()) + " possibly spent by calls that a crash cut off";
    return text;
  }

  void tell_end(const generate::ExportReport& exported) {
    display_.clear();
    const std::int64_t ms = clock_.monotonic_ms() - started_ms_;
    JsonObject event;
    event["job_id"] = claimed_->item.id.text;
    event["status"] = job::to_string(status_);
    event["records"] = exported.records;
    event["records_failed"] = progress_.records_failed;
    event["duration_ms"] = ms;
    event["input_tokens"] = progress_.input_tokens;
    event["output_tokens"] = progress_.output_tokens;
    event["cost_usd"] = spent().to_decimal();
    event["costs"] = costs_.to_json();
    if (const auto estimate = accuracy_json(claimed_->item, status_, spent())) event["estimate"] = *estimate;
    JsonArray files;
    for (const auto& file : exported.files) files.emplace_back(workspace_.objects.location(file.key));
    event["files"] = std::move(files);
    JsonArray notes;
    for (const auto& note : exported.notes) notes.emplace_back(note);
    event["notes"] = std::move(notes);
    if (!failed_cause_.empty()) event["error"] = failed_cause_;
    display_.event("finished", std::move(event));
    for (const std::string& note : exported.notes) {
      if (!request_.quiet)
        std::fprintf(stderr, "%s %s\n", styled(stderr, Style::warning, "warning:").c_str(), note.c_str());
    }
    if (status_ == job::JobStatus::budget_exceeded) {
      tell_error(
          Error{ErrorKind::over_budget, "the job " + claimed_->item.id.text + " stopped: " + failed_cause_ +
                                            "; raise budget_limit (or --budget) and run the same command again"});
    }
    if (status_ == job::JobStatus::failed) {
      const std::string& id = claimed_->item.id.text;
      tell_error(Error{ErrorKind::internal, "the job " + id + " FAILED: " + failed_cause_ + "; plot-palette show " +
                                                id + " --failures" + data_dir_flag(workspace_.data_dir) +
                                                " tells more; mend the cause and run the same command again"});
    }
    if (request_.quiet || display_.mode() == DisplayMode::json) return;
    print_summary(exported, ms);
  }

  void print_summary(const generate::ExportReport& exported, std::int64_t ms) const {
    const bool made_before = progress_.records_at_start >= progress_.records_total && !request_.retry_failed;
    std::printf("%s %s%s%s in %s: %s, %s.\n", styled(stdout, Style::bold, claimed_->item.id.text + ":").c_str(),
                counted(exported.records, "record").c_str(),
                progress_.records_failed > 0 ? (", " + grouped(progress_.records_failed) + " failed").c_str() : "",
                made_before ? " (made before), exported" : "", duration_text(ms).c_str(),
                counted(progress_.input_tokens + progress_.output_tokens, "token").c_str(),
                dollars(spent().to_decimal()).c_str());
    costs_.print(false);
    const std::string accuracy = told_accuracy(claimed_->item, status_, spent());
    if (!accuracy.empty()) std::printf("  %s\n", accuracy.c_str());
    constexpr std::size_t kFilesShown = 10;
    for (std::size_t i = 0; i < exported.files.size() && i < kFilesShown; ++i) {
      const auto& file = exported.files[i];
      std::printf("  %s\n", request_.out_dir.empty() ? workspace_.objects.location(file.key).c_str()
                                                     : (request_.out_dir / file.name).c_str());
    }
    if (exported.files.size() > kFilesShown) std::printf("  … and %zu more\n", exported.files.size() - kFilesShown);
    const bool any_failed = status_ == job::JobStatus::completed && progress_.records_failed > 0;
    std::printf("Look closer: plot-palette show %s%s%s\n", claimed_->item.id.text.c_str(),
                any_failed ? " --failures" : "", data_dir_flag(workspace_.data_dir).c_str());
    if (any_failed) std::printf("The same command with --retry-failed makes the failed records again.\n");
  }

  async::Task<int> tell_interrupted() {
    if (const Status closed = co_await part_->close(); !closed) co_return tell(closed.error());
    const Status requeued = co_await give_back(workspace_, *claimed_, progress_, part_->unspent(), clock_);
    if (!requeued) co_return tell(requeued.error());
    display_.clear();
    JsonObject event;
    event["job_id"] = claimed_->item.id.text;
    event["records_done"] = progress_.records_done;
    event["records_total"] = progress_.records_total;
    display_.event("interrupted", std::move(event));
    display_.say("Interrupted after " + grouped(progress_.records_done) + " of " +
                 counted(progress_.records_total, "record") + ". Everything is saved: the same command goes on.");
    co_return 128 + (signal_ == 0 ? SIGTERM : signal_);
  }

  // The attempt ended with an error: the job goes back to the queue, and the same command goes on.
  async::Task<int> give_up(Error error) {
    display_.clear();
    Money unspent;
    if (part_) {
      if (const Status closed = co_await part_->close(); !closed) tell(closed.error());
      unspent = part_->unspent();
    }
    const Status requeued = co_await give_back(workspace_, *claimed_, progress_, unspent, clock_);
    if (!requeued) tell(requeued.error());
    const int code = tell(error);
    display_.say("What was finished is saved: the same command goes on when the cause is mended.");
    co_return code == kBadInput ? kFailed : code;
  }

  int tell(const Error& error) {
    display_.clear();
    JsonObject event;
    event["kind"] = to_string(error.kind);
    event["message"] = error.text();
    display_.event("error", std::move(event));
    return tell_error(error);
  }

  void on_signal(int signal, int count) {
    signal_ = signal;
    export_stop_.request();
    if (count == 1) {
      display_.say(control_.calls_in_flight == 0 ? "Stopping."
                                                 : "Stopping: " + counted(control_.calls_in_flight, "call") +
                                                       " in flight may finish (once more: stop now).");
      control_.drain();
      drain_deadline_.emplace(workspace_.loop.context());
      drain_deadline_->expires_after(std::chrono::milliseconds(limits::kDrainDeadline_ms));
      drain_deadline_->async_wait([this](const boost::system::error_code& error) {
        if (!error) control_.cancel_calls();
      });
    } else {
      if (count == 2) display_.say("Stopping now.");
      control_.cancel_calls();
    }
  }

  void hook_events() {
    JsonObject event;
    event["job_id"] = claimed_->item.id.text;
    event["attempt"] = claimed_->queue.attempt.value;
    event["num_records"] = prepared_.spec.num_records;
    event["note"] = claimed_->told;
    display_.event("started", std::move(event));
    if (display_.mode() != DisplayMode::json) return;
    progress_.on_batch_committed = [this](BatchNumber batch, std::int64_t records, std::int64_t failed) {
      JsonObject fields;
      fields["batch"] = batch.value;
      fields["records"] = records;
      fields["failed"] = failed;
      display_.event("batch_committed", std::move(fields));
    };
    progress_.on_record_failed = [this](const generate::RecordState& state) {
      JsonObject fields;
      fields["record"] = state.index.value;
      fields["step"] = state.failure->step;
      fields["kind"] = to_string(state.failure->kind);
      fields["message"] = state.failure->message;
      fields["tries"] = state.failure->tries;
      display_.event("record_failed", std::move(fields));
    };
  }

  Workspace& workspace_;
  const generate::PreparedJob& prepared_;
  const RunRequest& request_;
  const Clock& clock_;
  generate::Progress progress_;
  generate::RunControl control_;
  async::StopFlag export_stop_;
  ProgressDisplay display_;
  std::optional<ClaimedJob> claimed_;
  model::Connections connections_;
  std::optional<worker::PartRun> part_;  // from the claim on
  JobCosts costs_;                       // of all attempts; whole at the end
  std::optional<boost::asio::steady_timer> drain_deadline_;
  job::JobStatus status_ = job::JobStatus::completed;
  std::string failed_cause_;
  std::int64_t started_ms_ = 0;
  int signal_ = 0;
};

}  // namespace

int run_job(Workspace& workspace, const generate::PreparedJob& prepared, const RunRequest& request) {
  return JobRun(workspace, prepared, request).run();
}

}  // namespace palette::cli
