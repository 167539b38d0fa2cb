// plot-palette show JOB_ID: what is known of a job; with --failures, which records failed and why.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/job_details.h"
#include "cli/job_json.h"
#include "cli/job_queue.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/exporter.h"

namespace palette::cli {
namespace {

struct Shown {
  store::JobItem item;
  JobCosts costs;
  std::vector<std::string> export_files;
  std::vector<generate::RecordState> failures;
  JobQueue queue;  // of a job that has not ended
};

async::Task<Result<Shown>> load(Workspace* workspace, JobId id, bool with_failures) {
  Shown out;
  auto item = co_await find_job(workspace, id);
  if (!item) co_return std::unexpected(item.error());
  out.item = std::move(*item);
  workspace->mend_status(out.item);
  auto costs = co_await load_costs(workspace, out.item);
  if (!costs) co_return std::unexpected(costs.error());
  out.costs = std::move(*costs);
  const auto exports = co_await store::list_all(workspace->objects, generate::exports_prefix(id));
  if (!exports) co_return std::unexpected(exports.error());
  for (const auto& info : *exports) out.export_files.push_back(workspace->objects.location(info.key));
  if (!job::is_terminal(out.item.status)) {
    auto queue = co_await load_queue(*workspace->jobs, out.item);
    if (!queue) co_return std::unexpected(queue.error());
    out.queue = std::move(*queue);
  }
  if (with_failures) {
    auto failures = co_await load_failures(workspace, out.item);
    if (!failures) co_return std::unexpected(failures.error());
    out.failures = std::move(*failures);
  }
  co_return out;
}

// Its finished steps, and the answer that was not used.
Money cost_of(const generate::RecordState& state) {
  Money cost = state.failure->unused_cost();
  for (const auto& step : state.steps) {
    if (step) cost += step->cost;
  }
  return cost;
}

void line(const char* name, const std::string& value) {
  if (!value.empty()) std::printf("%-10s %s\n", name, value.c_str());
}

void print_failures(const std::vector<generate::RecordState>& failures) {
  std::printf("\n%s\n", counted(static_cast<std::int64_t>(failures.size()), "failed record").c_str());
  for (const generate::RecordState& state : failures) {
    std::printf("  record %lld (seed row %s), step '%s', %d %s, %s: %s [%s]\n",
                static_cast<long long>(state.index.value), state.seed_data_keys.c_str(), state.failure->step.c_str(),
                state.failure->tries, state.failure->tries == 1 ? "try" : "tries",
                dollars(cost_of(state).to_decimal()).c_str(), one_line(state.failure->message, 400).c_str(),
                std::string(to_string(state.failure->kind)).c_str());
  }
}

// Who works on it, and what the others wait for.
void print_queue(const JobQueue& queue, std::int64_t parts_total) {
  if (queue.items.empty()) return;
  line("queue", queue.summary(parts_total));
  for (const std::string& text : queue.lines()) std::printf("  %s\n", text.c_str());
}

void print(const Shown& shown, bool with_failures, const Workspace& workspace) {
  const store::JobItem& job = shown.item;
  line("job", job.id.text);
  line("name", job.name);
  line("status", std::string(job::to_string(job.status)));
  line("error", job.error_message);
  line("records", grouped(job.records_generated) + " of " + grouped(job.num_records) +
                      (job.records_failed > 0 ? ", " + grouped(job.records_failed) + " failed" : ""));
  line("tokens", grouped(job.tokens_used));
  line("cost", dollars(job.cost_estimate.to_decimal()) +
                   (job.budget_limit ? " of a budget of " + dollars(job.budget_limit->to_decimal()) : ""));
  line("created", job.created_at.to_iso());
  line("stopping", job::is_terminal(job.status) ? "" : job.stop_reason);
  if (job.started_at) line("started", job.started_at->to_iso());
  if (job.completed_at) line("ended", job.completed_at->to_iso());
  if (!shown.costs.used.models.empty() || shown.costs.total() > Money{}) {
    std::printf("costs\n");
    shown.costs.print(true);
  }
  if (workspace.is_in_aws()) print_queue(shown.queue, job.parts_total());
  for (const std::string& file : shown.export_files) line("dataset", file);
  if (job.records_failed > 0 && !with_failures)
    std::printf("Why records failed: plot-palette show %s --failures%s\n", job.id.text.c_str(),
                place_flag(workspace).c_str());
  if (with_failures) print_failures(shown.failures);
}

JsonObject shown_json(const Shown& shown, bool with_failures) {
  JsonObject out = job_json(shown.item);
  out["models"] = generate::usage_to_json(shown.costs.used.models);
  out["costs"] = shown.costs.to_json();
  JsonArray files;
  for (const std::string& file : shown.export_files) files.emplace_back(file);
  out["files"] = std::move(files);
  out["queue"] = shown.queue.to_json();
  if (!with_failures) return out;
  JsonArray failures;
  for (const generate::RecordState& state : shown.failures) {
    JsonObject failure;
    failure["record"] = state.index.value;
    failure["seed_data_keys"] = state.seed_data_keys;
    failure["step"] = state.failure->step;
    failure["kind"] = to_string(state.failure->kind);
    failure["message"] = state.failure->message;
    failure["tries"] = state.failure->tries;
    failure["cost_usd"] = cost_of(state).to_decimal();
    failures.emplace_back(std::move(failure));
  }
  out["failures"] = std::move(failures);
  return out;
}

int show(const CommonOptions& options, const std::string& id, bool with_failures) {
  const auto workspace = open_place(options);
  if (!workspace) return tell_error(workspace.error());
  const auto shown = (*workspace)->loop.run(load(workspace->get(), JobId{id}, with_failures));
  if (!shown) return tell_error(shown.error());
  if (options.json) {
    std::printf("%s\n", to_json_text(shown_json(*shown, with_failures)).c_str());
  } else {
    print(*shown, with_failures, **workspace);
  }
  return kDone;
}

}  // namespace

void add_show(CLI::App& app, int& exit_code) {
  struct Options {
    CommonOptions common;
    std::string id;
    bool failures = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Show a job: status, records, cost, files");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  command->add_flag("--failures", options->failures, "Which records failed, and why");
  add_place_options(*command, options->common);
  command->footer("Example:\n  plot-palette show countries-qa-1a2b3c4d --failures");
  command->callback([options, &exit_code] { exit_code = show(options->common, options->id, options->failures); });
}

}  // namespace palette::cli
