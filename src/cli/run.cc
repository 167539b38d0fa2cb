// plot-palette run JOB.yaml: the job from seed data to dataset on this machine, going on where an earlier run stopped.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cstdio>

#include "async/signals.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/diagnostics_output.h"
#include "cli/job_overrides.h"
#include "cli/run_job.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

struct RunOptions {
  CommonOptions common;
  std::filesystem::path job_file;
  OverrideOptions overrides;
  RunRequest request;
  bool no_progress = false;
};

DisplayMode display_mode(const RunOptions& options) {
  if (options.common.json) return DisplayMode::json;
  if (options.common.quiet) return DisplayMode::silent;
  if (options.no_progress) return DisplayMode::still;
  return is_terminal(stderr) ? DisplayMode::live : DisplayMode::plain;
}

int tell_invalid(const job::Diagnostics& diagnostics, bool json) {
  tell_findings(diagnostics, false);
  if (json) {
    JsonObject event;
    event["event"] = "invalid";
    event["findings"] = findings_json(diagnostics);
    std::printf("%s\n", to_json_text(event).c_str());
  }
  return kBadInput;
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
  command->add_flag("--quiet", options->common.quiet, "Shows errors only");
  command->add_flag("--no-progress", options->no_progress, "Shows no progress, only how it begins and ends");
  command->footer(
      "Example:\n  plot-palette run examples/countries-qa.yaml --out dataset\n\n"
      "Ctrl-C once lets calls in flight finish and saves; twice stops now. The same command goes on.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace palette::cli
