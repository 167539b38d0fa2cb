// plot-palette run JOB.yaml: the job from seed data to dataset on this machine, going on where an earlier run stopped.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <cstdio>

#include "async/signals.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/confirm_cost.h"
#include "cli/diagnostics_output.h"
#include "cli/job_overrides.h"
#include "cli/run_job.h"
#include "cli/terminal.h"
#include "http/client.h"

namespace palette::cli {
namespace {

struct RunOptions {
  CommonOptions common;
  std::filesystem::path job_file;
  OverrideOptions overrides;
  RunRequest request;
  bool no_progress = false;
  bool yes = false;
};

DisplayMode display_mode(const RunOptions& options) {
  if (options.common.json) return DisplayMode::json;
  if (options.common.quiet) return DisplayMode::silent;
  if (options.no_progress) return DisplayMode::still;
  return is_terminal(stderr) ? DisplayMode::live : DisplayMode::plain;
}

// Every call in flight is an open file.
void make_room_for_calls(const RunOptions& options, const generate::PreparedJob& prepared) {
  if (std::ranges::none_of(prepared.step_models,
                           [](const auto& models) { return std::ranges::any_of(models, is_remote); }))
    return;
  const auto wanted = static_cast<std::uint64_t>(prepared.spec.concurrency) + kFilesBesideCalls;
  const auto limit = http::raise_file_limit(wanted);
  if ((limit && *limit >= wanted) || options.common.quiet) return;
  std::fprintf(stderr, "%s %s; calls may fail, lower concurrency or raise the limit (ulimit -n)\n",
               styled(stderr, Style::warning, "warning:").c_str(),
               limit ? ("only " + std::to_string(*limit) + " files may be open at once, and concurrency is " +
                        std::to_string(prepared.spec.concurrency))
                           .c_str()
                     : limit.error().text().c_str());
}

int run(RunOptions options) {
  const Result<std::int64_t> interval = checkpoint_interval();
  if (!interval) return tell_error(interval.error());
  options.request.interval = *interval;
  options.request.quiet = options.common.quiet;
  options.request.display = display_mode(options);

  generate::PreflightInput input = preflight_input(options.job_file, options.overrides, options.common.data_dir);
  input.written_to = {options.common.data_dir};
  if (!options.request.out_dir.empty()) input.written_to.push_back(options.request.out_dir);
  generate::Preflight checked = generate::preflight(input);
  if (!checked.job) return tell_invalid(checked.diagnostics, options.common.json);
  tell_findings(checked.diagnostics, options.common.quiet);
  const CostLook look{.quiet = options.common.quiet, .yes = options.yes, .is_made = [&options, &checked] {
                        return nothing_left_to_do(options.common.data_dir, *checked.job, options.request.fresh,
                                                  options.request.retry_failed);
                      }};
  if (const auto code = look_at_costs(look, *checked.job, input.environment, options.request.estimate)) return *code;

  make_room_for_calls(options, *checked.job);
  auto workspace = Workspace::open(options.common.data_dir);
  if (!workspace) return tell_error(workspace.error());
  return run_job(**workspace, *checked.job, options.request);
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command =
      app.add_subcommand("run", "Make the dataset of a job on this machine, or go on where a run stopped");
  command->add_option("JOB", options->job_file, "The job file (YAML or JSON)")->type_name("")->required();
  add_common_options(*command, options->common);
  add_override_options(*command, options->overrides);
  command->add_option("--out", options->request.out_dir, "Also writes DIR/dataset.<ext>")->type_name("DIR");
  command->add_flag("--fresh", options->request.fresh, "Starts over under a new id, whatever was made before");
  command->add_flag("--retry-failed", options->request.retry_failed, "Makes the failed records again");
  command->add_flag("--yes", options->yes, "Goes on without asking when the job costs money and has no budget_limit");
  command->add_flag("--quiet", options->common.quiet, "Shows errors only");
  command->add_flag("--no-progress", options->no_progress, "Shows no progress, only how it begins and ends");
  command->footer(
      "Example:\n  plot-palette run examples/countries-qa.yaml --out dataset\n\n"
      "Ctrl-C once lets calls in flight finish and saves; twice stops now. The same command goes on.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace palette::cli
