// plot-palette estimate JOB.yaml: what a job will cost, how many tokens, how long, before it runs; with --calibrate
// from its first records, made for real.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cstdio>

#include "cli/calibration.h"
#include "cli/command.h"
#include "cli/confirm_cost.h"
#include "cli/diagnostics_output.h"
#include "cli/estimate_output.h"
#include "cli/job_overrides.h"
#include "cli/run_job.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kCalibrateMax = 1'000;

struct EstimateOptions {
  CommonOptions common;
  std::filesystem::path job_file;
  OverrideOptions overrides;
  std::int64_t calibrate = 0;  // 0: only from the templates
  bool yes = false;
};

// May `count` records be paid for? Nothing when they may, else the exit code.
std::optional<int> confirm_calibration(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                                       std::int64_t count) {
  generate::Estimate part = estimate;
  part.records = count;
  part.expected = Money::of(count, estimate.expected.pico / estimate.records);
  part.bound = Money::of(count, estimate.record_bound.pico);
  const std::string cost = cost_text(part, prepared);
  const std::string what = "--calibrate " + std::to_string(count) + " makes " + counted(count, "record") +
                           " for real: " + (cost == "not known" ? "what that costs is not known" : cost);
  if (!can_ask()) return tell_error(Error{ErrorKind::bad_input, what + "; give --yes to do it"});
  std::fprintf(stderr, "%s.\n", what.c_str());
  if (ask("Go on?")) return std::nullopt;
  std::fprintf(stderr, "Nothing was started.\n");
  return kBadInput;
}

class Calibration {
 public:
  Calibration(const EstimateOptions& options, const generate::Estimate& estimate, generate::PreparedJob& prepared,
              const CallCosts& costs, Workspace& workspace)
      : options_(options),
        estimate_(estimate),
        prepared_(prepared),
        costs_(costs),
        workspace_(workspace),
        count_(std::min(options.calibrate, prepared.spec.num_records)) {}

  // Makes the records that are missing, unless the job has them already, and measures. An exit code when that is not to
  // be, which has been told.
  std::expected<Measured, int> run() {
    const auto before = measure(std::max(count_, kCalibrateMax));
    if (!before) return std::unexpected(tell_error(before.error()));
    if (before->job && before->made.records() >= count_) return kept(*before, summed(*before, 0, 0));
    if (before->job && before->job->num_records > count_) return std::unexpected(tell_in_the_middle(*before));
    if (costs_.costs_money && !options_.yes) {
      if (const auto code = confirm_calibration(estimate_, prepared_, count_)) return std::unexpected(*code);
    }
    const std::int64_t started_ms = system_clock().monotonic_ms();
    if (const int code = make_records(); code != kDone) return std::unexpected(code);
    const std::int64_t took_ms = system_clock().monotonic_ms() - started_ms;
    const auto after = measure(count_);
    if (!after) return std::unexpected(tell_error(after.error()));
    if (!after->job) return std::unexpected(tell_error(Error{ErrorKind::changed, "the job was removed meanwhile"}));
    return kept(*after, summed(*after, took_ms, after->made.records() - before->made.records()));
  }

 private:
  struct Standing {
    std::optional<store::JobItem> job;
    MadeRecords made;
  };

  Result<Standing> measure(std::int64_t count) {
    Standing out;
    auto job = workspace_.loop.run(same_job(&workspace_, prepared_.spec.name, prepared_.identity.hash()));
    if (!job) return std::unexpected(job.error());
    out.job = std::move(*job);
    if (!out.job) return out;
    auto made = workspace_.loop.run(
        made_records(&workspace_, *out.job, prepared_.compiled.step_ids, count, system_clock().now()));
    if (!made) return std::unexpected(made.error());
    out.made = std::move(*made);
    return out;
  }

  // A run over so few records would take the rest of the dataset away from the job.
  int tell_in_the_middle(const Standing& standing) const {
    const std::int64_t made = standing.made.records();
    return tell_error(Error{ErrorKind::bad_input,
                            "the job " + standing.job->id.text + " stands at " + grouped(made) + " of " +
                                counted(standing.job->num_records, "record") + "; " +
                                (made > 0 ? "measure those: --calibrate " + std::to_string(made) + ", or " : "") +
                                "go on with it: plot-palette run " + options_.job_file.string() +
                                data_dir_flag(options_.common.data_dir)});
  }

  int make_records() {
    const Result<std::int64_t> interval = checkpoint_interval();
    if (!interval) return tell_error(interval.error());
    RunRequest request;
    request.quiet = true;  // its summary would say what ours says
    request.interval = *interval;
    request.display = options_.common.json || options_.common.quiet ? DisplayMode::silent
                      : is_terminal(stderr)                         ? DisplayMode::live
                                                                    : DisplayMode::still;
    const std::int64_t wanted = prepared_.spec.num_records;
    prepared_.spec.num_records = count_;
    const int code = run_job(workspace_, prepared_, request);
    prepared_.spec.num_records = wanted;
    return code;
  }

  Measured summed(const Standing& standing, std::int64_t took_ms, std::int64_t made_now) const {
    Measured out;
    out.job_id = standing.job->id.text;
    out.failed = standing.made.failed;
    out.made_now = made_now;
    for (const Money cost : standing.made.costs) out.paid += cost;
    out.figures = generate::calibrate(standing.made.costs, standing.made.tokens, estimate_.records);
    out.records_total = estimate_.records;
    out.duration_ms = made_now > 0 ? measured_duration_ms(took_ms, made_now, estimate_, prepared_)
                                   : expected_duration_ms(estimate_, prepared_);
    return out;
  }

  // The job remembers it, so that the end of its run can say how good it was.
  // What is no estimate any more, because every record is made, is not kept.
  std::expected<Measured, int> kept(const Standing& standing, Measured measured) {
    if (measured.is_whole()) return measured;
    store::JobItem job = *standing.job;
    job.spec_fields["estimate"] = measured.kept().to_json();
    const auto put = workspace_.loop.run(workspace_.jobs->put_job(std::move(job)));
    if (!put) return std::unexpected(tell_error(put.error()));
    return measured;
  }

  const EstimateOptions& options_;
  const generate::Estimate& estimate_;
  generate::PreparedJob& prepared_;
  const CallCosts& costs_;
  Workspace& workspace_;
  std::int64_t count_;
};

int estimate(const EstimateOptions& options) {
  generate::PreflightInput input = preflight_input(options.job_file, options.overrides, options.common.data_dir);
  if (options.calibrate > 0) input.written_to = {options.common.data_dir};
  generate::Preflight checked = generate::preflight(input);
  tell_findings(checked.diagnostics, options.common.quiet);
  if (!checked.job) return kBadInput;
  generate::PreparedJob& prepared = *checked.job;
  const auto estimated = generate::estimate_job(prepared);
  if (!estimated) return tell_error(estimated.error());
  if (estimated->sampled == 0) {
    return tell_error(
        Error{ErrorKind::bad_input, "the templates fail for every record that was looked at; plot-palette preview " +
                                        options.job_file.string() + " shows why"});
  }
  const CallCosts costs = call_costs(prepared, input.environment);
  std::optional<Measured> measured;
  if (options.calibrate > 0) {
    auto workspace = Workspace::open(options.common.data_dir);
    if (!workspace) return tell_error(workspace.error());
    auto outcome = Calibration(options, *estimated, prepared, costs, **workspace).run();
    if (!outcome) return outcome.error();
    measured = std::move(*outcome);
  }
  if (options.common.json) {
    std::printf("%s\n", to_json_text(estimate_json(*estimated, prepared, measured)).c_str());
    return kDone;
  }
  print_estimate(*estimated, prepared, costs, measured);
  return kDone;
}

}  // namespace

void add_estimate(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<EstimateOptions>();
  CLI::App* command = app.add_subcommand("estimate", "Tell what a job will cost, and how long it will take");
  command->add_option("JOB", options->job_file, "The job file (YAML or JSON)")->type_name("")->required();
  command
      ->add_option("--calibrate", options->calibrate,
                   "Makes the first N records for real, and estimates the rest by them; they are kept")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, kCalibrateMax).description(""));
  command->add_flag("--yes", options->yes, "Pays for the records of --calibrate without asking");
  add_common_options(*command, options->common);
  add_override_options(*command, options->overrides);
  command->footer("Example:\n  plot-palette estimate job.yaml --calibrate 5");
  command->callback([options, &exit_code] { exit_code = estimate(*options); });
}

}  // namespace palette::cli
