// plot-palette watch JOB_ID: follows a job that others work on, until it ends.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "async/timer.h"
#include "cli/command.h"
#include "cli/export_job.h"
#include "cli/job_queue.h"
#include "cli/progress_display.h"
#include "cli/terminal.h"
#include "cli/workspace.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kLookLocally_ms = 500;
constexpr std::int64_t kLookInAws_ms = 2'000;  // each look costs a few reads

struct WatchOptions {
  CommonOptions common;
  std::string id;
  bool no_progress = false;
};

DisplayMode display_mode(const WatchOptions& options) {
  if (options.common.json) return DisplayMode::json;
  if (options.common.quiet) return DisplayMode::silent;
  if (options.no_progress) return DisplayMode::still;
  return is_terminal(stderr) ? DisplayMode::live : DisplayMode::plain;
}

class Watch {
 public:
  Watch(const WatchOptions& options, Workspace& workspace)
      : options_(options),
        workspace_(workspace),
        clock_(system_clock()),
        display_(display_mode(options), progress_, clock_) {}

  int run() { return workspace_.loop.run(follow()); }

 private:
  async::Task<int> follow() {
    for (bool first = true;; first = false) {
      auto item = co_await find_job(&workspace_, JobId{options_.id});
      if (!item) co_return tell(item.error());
      workspace_.mend_status(*item);
      take(*item, first);
      if (first) tell_started(*item);
      if (job::is_terminal(item->status)) co_return co_await tell_end(std::move(*item));
      const auto queue = co_await load_queue(*workspace_.jobs, *item);
      if (!queue) co_return tell(queue.error());
      tell_state(*item, *queue);
      show_when_due();
      const std::int64_t pause_ms = workspace_.is_in_aws() ? kLookInAws_ms : kLookLocally_ms;
      if (Status slept = co_await async::sleep_for(pause_ms); !slept) co_return tell(slept.error());
    }
  }

  void take(const store::JobItem& item, bool first) {
    progress_.records_total = item.num_records;
    progress_.records_done = item.records_generated;
    progress_.records_failed = item.records_failed;
    progress_.input_tokens = item.tokens_used;  // the sum: the tables have no other
    progress_.cost = item.cost_estimate;
    if (first) progress_.records_at_start = item.records_generated + item.records_failed;
  }

  // A line each time that something else holds the job up, or goes on.
  void tell_state(const store::JobItem& item, const JobQueue& queue) {
    std::string state(job::to_string(item.status));
    if (!item.stop_reason.empty()) state += ", being ended (" + item.stop_reason + ")";
    std::string why = why_of(queue, item);
    if (!why.empty()) state += ": " + why;
    if (state == told_) return;
    told_ = state;
    display_.say(item.id.text + " is " + state + ".");
    JsonObject event;
    event["job_id"] = item.id.text;
    event["status"] = job::to_string(item.status);
    event["stop_reason"] = item.stop_reason;
    event["queue"] = queue.to_json();
    display_.event("state", std::move(event));
  }

  std::string why_of(const JobQueue& queue, const store::JobItem& item) const {
    if (workspace_.is_in_aws()) return queue.summary(item.parts_total());
    return item.status == job::JobStatus::running ? "" : "nobody works on it; plot-palette run goes on";
  }

  // The display may be updated less often than the job is looked at.
  void show_when_due() {
    const std::int64_t now_ms = clock_.monotonic_ms();
    if (shown_ms_ && now_ms - *shown_ms_ < display_.interval_ms()) return;
    shown_ms_ = now_ms;
    display_.update();
  }

  void tell_started(const store::JobItem& item) {
    JsonObject event;
    event["job_id"] = item.id.text;
    event["num_records"] = item.num_records;
    event["status"] = job::to_string(item.status);
    display_.event("started", std::move(event));
  }

  async::Task<int> tell_end(store::JobItem item) {
    const auto files = co_await list_exports(&workspace_, item.id);
    if (!files) co_return tell(files.error());
    display_.clear();
    JsonObject event;
    event["job_id"] = item.id.text;
    event["status"] = job::to_string(item.status);
    event["stop_reason"] = item.stop_reason;
    event["records"] = item.records_generated;
    event["records_failed"] = item.records_failed;
    event["tokens_used"] = item.tokens_used;
    event["cost_usd"] = item.cost_estimate.to_decimal();
    JsonArray locations;
    for (const auto& file : *files) locations.emplace_back(workspace_.objects.location(file.key));
    event["files"] = std::move(locations);
    if (!item.error_message.empty()) event["error"] = item.error_message;
    display_.event("finished", std::move(event));
    const int code = tell_status(item);
    if (options_.common.json || options_.common.quiet) co_return code;
    std::printf("%s %s, %s%s.\n", styled(stdout, Style::bold, item.id.text + ":").c_str(),
                counted(item.records_generated, "record").c_str(), dollars(item.cost_estimate.to_decimal()).c_str(),
                item.records_failed > 0 ? (", " + grouped(item.records_failed) + " failed").c_str() : "");
    for (const auto& file : *files) std::printf("  %s\n", workspace_.objects.location(file.key).c_str());
    co_return code;
  }

  // What is to be done about a job that did not come to its end, and the exit code that `run` would have had.
  int tell_status(const store::JobItem& item) const {
    const std::string& id = item.id.text;
    switch (item.status) {
      case job::JobStatus::budget_exceeded:
        tell_error(Error{ErrorKind::over_budget, "the job " + id + " stopped at its budget" +
                                                     (item.error_message.empty() ? "" : ": " + item.error_message) +
                                                     "; raise it (plot-palette set " + id + " --budget USD" +
                                                     place_flag(workspace_) + ")"});
        return kBudgetExceeded;
      case job::JobStatus::failed:
        return tell_error(Error{ErrorKind::internal, "the job " + id + " FAILED: " + item.error_message +
                                                         "; plot-palette show " + id + " --failures" +
                                                         place_flag(workspace_) + " tells more"});
      case job::JobStatus::cancelled:
        return tell_error(Error{ErrorKind::cancelled, "the job " + id + " was cancelled"});
      case job::JobStatus::completed:
      case job::JobStatus::queued:
      case job::JobStatus::running:
        return kDone;
    }
    return kDone;
  }

  int tell(const Error& error) {
    display_.clear();
    return tell_error(error);
  }

  const WatchOptions& options_;
  Workspace& workspace_;
  const Clock& clock_;
  generate::Progress progress_;
  ProgressDisplay display_;
  std::string told_;
  std::optional<std::int64_t> shown_ms_;
};

int watch(const WatchOptions& options) {
  const auto workspace = open_place(options.common);
  if (!workspace) return tell_error(workspace.error());
  return Watch(options, **workspace).run();
}

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* command = app.add_subcommand("watch", "Follow a job until it ends, with the exit code of a run");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  add_place_options(*command, options->common);
  command->add_flag("--quiet", options->common.quiet, "Shows errors only");
  command->add_flag("--no-progress", options->no_progress, "Shows no progress, only what changes");
  command->footer(
      "Example:\n  plot-palette watch countries-qa-1a2b3c4d --aws\n\n"
      "Ctrl-C ends the watching, not the job. With --json: events started, state, progress, finished, one a line.");
  command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace palette::cli
