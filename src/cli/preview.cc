// plot-palette preview JOB.yaml: a few records to the screen; nothing is kept.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/diagnostics_output.h"
#include "cli/job_overrides.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/dataset_rows.h"
#include "generate/job_models.h"
#include "generate/ledger.h"
#include "generate/pipeline.h"

namespace palette::cli {
namespace {

struct PreviewOptions {
  CommonOptions common;
  std::filesystem::path job_file;
  OverrideOptions overrides;
  std::int64_t count = 3;
};

constexpr std::int64_t kCountMax = 100;

// The lines of a text under one another, beside the word before it.
std::string indented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(12, ' ');
  }
  return out;
}

void print_record(const generate::PreparedJob& job, const generate::RecordState& state) {
  std::printf("%s\n", styled(stdout, Style::bold,
                             "Record " + std::to_string(state.index.value) + " (seed row " + state.seed_data_keys + ")")
                          .c_str());
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    if (!state.steps[i]) continue;
    const generate::StepOutcome& step = *state.steps[i];
    const std::string head = job.compiled.step_ids[i] + " (" + step.model + ", " +
                             std::to_string(step.usage.input_tokens) + " + " +
                             std::to_string(step.usage.output_tokens) + " tokens)";
    std::printf("%s\n", styled(stdout, Style::good, "  " + head).c_str());
    if (!step.system.empty()) std::printf("    system: %s\n", indented(step.system).c_str());
    std::printf("    prompt: %s\n    output: %s\n", indented(step.prompt).c_str(), indented(step.output).c_str());
  }
  if (state.failure) {
    std::printf("  %s step '%s': %s\n", styled(stdout, Style::error, "failed:").c_str(), state.failure->step.c_str(),
                state.failure->message.c_str());
  }
}

// The line that a run would write; the row when the job has columns.
Result<std::string> json_line(const generate::PreparedJob& job, generate::ColumnRows& rows,
                              const generate::RecordState& state) {
  std::string line;
  if (state.failure) {
    append_failure_line(line, job.compiled.step_ids, state);
    return line;
  }
  append_record_line(line, JobId{"preview"}, job.compiled.step_ids, state);
  if (job.compiled.columns.empty()) return line;
  const Result<JsonObject> row = rows.row_of(state.index, line);
  if (!row) return std::unexpected(row.error());
  return to_json_text(*row);
}

async::Task<Result<std::vector<generate::RecordState>>> make_records(generate::Pipeline* pipeline, std::int64_t count) {
  std::vector<generate::RecordState> out;
  for (std::int64_t i = 0; i < count; ++i) {
    generate::RecordState state;
    state.index = RecordIndex{i};
    if (Status made = co_await pipeline->make(&state); !made) co_return std::unexpected(made.error());
    state.finished_at = system_clock().now();
    out.push_back(std::move(state));
  }
  co_return out;
}

int preview(const PreviewOptions& options) {
  const generate::PreflightInput input = preflight_input(options.job_file, options.overrides, options.common.data_dir);
  generate::Preflight checked = generate::preflight(input);
  tell_findings(checked.diagnostics, options.common.quiet);
  if (!checked.job) return kBadInput;
  async::EventLoop loop;
  generate::RunControl control;
  const Money budget = checked.job->spec.budget_limit.value_or(Money{Money::kPicoMax});
  auto ledger = std::make_shared<generate::Ledger>(generate::LedgerSettings{.unallocated = budget},
                                                   generate::slices_in_memory(budget), control, system_clock());
  model::Connections connections(loop.context().get_executor(), input.environment, system_clock());
  auto models = generate::make_job_models(*checked.job, control,
                                          {connections, ledger, loop.context().get_executor(), system_clock()});
  if (!models) return tell_error(models.error());
  generate::Pipeline pipeline(*checked.job, JobId{"preview"}, std::move(*models), control);
  const auto records = loop.run(make_records(&pipeline, std::min(options.count, checked.job->spec.num_records)));
  if (!records) return tell_error(records.error());
  generate::ColumnRows rows(*checked.job);
  bool any_failed = false;
  for (const generate::RecordState& state : *records) {
    any_failed = any_failed || state.failure.has_value();
    const Result<std::string> line = json_line(*checked.job, rows, state);
    if (!line) return tell_error(line.error());
    if (options.common.json) {
      std::printf("%s\n", line->c_str());
      continue;
    }
    print_record(*checked.job, state);
    if (!checked.job->compiled.columns.empty() && !state.failure)
      std::printf("%s\n    %s\n", styled(stdout, Style::good, "  row").c_str(), line->c_str());
    std::printf("\n");
  }
  for (const std::string& note : rows.notes())
    std::fprintf(stderr, "%s %s\n", styled(stderr, Style::warning, "warning:").c_str(), note.c_str());
  if (ledger->spent() > Money{} && !options.common.json)
    std::printf("This preview cost %s.\n", dollars(ledger->spent().to_decimal()).c_str());
  return any_failed ? kFailed : kDone;
}

}  // namespace

void add_preview(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<PreviewOptions>();
  CLI::App* command = app.add_subcommand("preview", "Make a few records and show prompts and answers; keeps nothing");
  command->add_option("JOB", options->job_file, "The job file (YAML or JSON)")->type_name("")->required();
  command->add_option("-n,--count", options->count, "How many")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, kCountMax).description(""));
  add_common_options(*command, options->common);
  add_override_options(*command, options->overrides);
  command->footer("Example:\n  plot-palette preview examples/countries-qa.yaml -n 2");
  command->callback([options, &exit_code] { exit_code = preview(*options); });
}

}  // namespace palette::cli
