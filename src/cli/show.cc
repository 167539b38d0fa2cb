// plot-palette show JOB_ID: what is known of a job; with --failures, which records failed and why.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/command.h"
#include "cli/job_costs.h"
#include "cli/job_json.h"
#include "cli/local_job.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/batch.h"
#include "generate/exporter.h"
#include "generate/journal.h"
#include "generate/saved_job.h"

namespace palette::cli {
namespace {

struct Shown {
  store::JobItem item;
  JobCosts costs;
  std::vector<std::string> export_files;
  std::vector<generate::RecordState> failures;
};

// Of every batch with a failures object, less what retries made good; then those that only a journal has, because the
// job stopped before their batch was committed.
async::Task<Result<std::vector<generate::RecordState>>> load_failures(Workspace* workspace, store::JobItem item) {
  std::vector<generate::RecordState> out;
  auto saved = co_await generate::load_job(workspace->objects, item.id);
  if (!saved) co_return std::unexpected(saved.error());
  const auto extents = job::Extents::from_json(item.extents);
  if (!extents) co_return std::unexpected(extents.error());
  const auto failures = co_await store::list_all(workspace->objects, job::failures_prefix(item.id));
  const auto outputs = co_await store::list_all(workspace->objects, job::outputs_prefix(item.id));
  if (!failures) co_return std::unexpected(failures.error());
  if (!outputs) co_return std::unexpected(outputs.error());
  std::set<BatchNumber> batches;
  for (const auto& info : *failures) {
    const auto batch = job::parse_batch_key(info.key);
    if (!batch) co_return std::unexpected(batch.error());
    batches.insert(batch->batch);
  }
  for (const BatchNumber batch : batches) {
    std::set<std::int64_t> succeeded;
    for (const auto& info : *outputs) {
      const auto parsed = job::parse_batch_key(info.key);
      if (!parsed || parsed->batch != batch) continue;
      const auto object = co_await workspace->objects.get(info.key);
      if (!object) co_return std::unexpected(object.error());
      const auto content = generate::read_batch(object->body, item.id, extents->records_of(batch));
      if (!content) co_return std::unexpected(content.error().at(info.key));
      succeeded.insert(content->indexes.begin(), content->indexes.end());
    }
    auto records = co_await generate::read_failures(workspace->objects, item.id, batch,
                                                    saved->prepared.compiled.step_ids, succeeded);
    if (!records) co_return std::unexpected(records.error());
    for (auto& [index, state] : *records) out.push_back(std::move(state));
  }
  std::set<std::int64_t> committed;
  for (const auto& info : *outputs) {
    if (const auto key = job::parse_batch_key(info.key); key) committed.insert(key->batch.value);
  }
  auto journal = co_await generate::read_journals(
      workspace->objects, item.id, PartNumber{1}, saved->prepared.compiled.step_ids, [&](RecordIndex index) {
        return index.value < extents->records() && !committed.contains(extents->batch_of(index).value);
      });
  if (!journal) co_return std::unexpected(journal.error());
  for (auto& [index, state] : *journal) {
    if (state.failure) out.push_back(std::move(state));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.index.value < b.index.value; });
  co_return out;
}

// Of a job that has ended the checkpoint says all; else batches and journals may know more.
async::Task<Result<JobCosts>> load_costs(Workspace* workspace, store::JobItem item) {
  JobCosts out;
  generate::ResumeState state;
  if (item.status == job::JobStatus::completed) {
    auto checkpoint = co_await generate::load_checkpoint(workspace->objects, item.id, PartNumber{1});
    if (!checkpoint) co_return std::unexpected(checkpoint.error());
    if (*checkpoint) state.checkpoint = std::move(**checkpoint);
  } else {
    const auto saved = co_await generate::load_job(workspace->objects, item.id);
    if (!saved) co_return std::unexpected(saved.error());
    const auto extents = job::Extents::from_json(item.extents);
    if (!extents) co_return std::unexpected(extents.error());
    const generate::PartContext context{item.id, PartNumber{1}, AttemptNumber{0}, *extents, item.num_records};
    auto resume = co_await generate::load_resume_state(workspace->objects, context, saved->prepared.compiled.step_ids,
                                                       item.updated_at);
    if (!resume) co_return std::unexpected(resume.error());
    state = std::move(*resume);
  }
  out.used = {state.checkpoint.usage_total(), state.checkpoint.steps_total()};
  out.used += state.journaled;
  out.waste = state.checkpoint.waste_total();
  // What a running job holds in its slice is not spent yet: nothing is said of it.
  if (item.status != job::JobStatus::running) out.possibly_spent = std::max(Money{}, allocated(item) - out.total());
  out.budget = item.budget_limit;
  if (out.budget) out.left = item.unallocated;
  co_return out;
}

async::Task<Result<Shown>> load(Workspace* workspace, JobId id, bool with_failures) {
  Shown out;
  auto item = co_await workspace->jobs->get_job(id);
  if (!item) {
    Error error = item.error();
    if (error.kind == ErrorKind::not_found)
      error.message = "there is no job '" + id.text + "'; plot-palette jobs lists them";
    co_return std::unexpected(error);
  }
  out.item = std::move(*item);
  workspace->mend_status(out.item);
  auto costs = co_await load_costs(workspace, out.item);
  if (!costs) co_return std::unexpected(costs.error());
  out.costs = std::move(*costs);
  const auto exports = co_await store::list_all(workspace->objects, generate::exports_prefix(id));
  if (!exports) co_return std::unexpected(exports.error());
  for (const auto& info : *exports) out.export_files.push_back(workspace->objects.location(info.key));
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

void print(const Shown& shown, bool with_failures, const std::string& data_dir_flag) {
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
  if (job.started_at) line("started", job.started_at->to_iso());
  if (job.completed_at) line("ended", job.completed_at->to_iso());
  if (!shown.costs.used.models.empty() || shown.costs.total() > Money{}) {
    std::printf("costs\n");
    shown.costs.print(true);
  }
  for (const std::string& file : shown.export_files) line("dataset", file);
  if (job.records_failed > 0 && !with_failures)
    std::printf("Why records failed: plot-palette show %s --failures%s\n", job.id.text.c_str(), data_dir_flag.c_str());
  if (with_failures) print_failures(shown.failures);
}

JsonObject shown_json(const Shown& shown, bool with_failures) {
  JsonObject out = job_json(shown.item);
  out["models"] = generate::usage_to_json(shown.costs.used.models);
  out["costs"] = shown.costs.to_json();
  JsonArray files;
  for (const std::string& file : shown.export_files) files.emplace_back(file);
  out["files"] = std::move(files);
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
  auto workspace = Workspace::open_existing(options.data_dir);
  if (!workspace) return tell_error(workspace.error());
  const auto shown = (*workspace)->loop.run(load(workspace->get(), JobId{id}, with_failures));
  if (!shown) return tell_error(shown.error());
  if (options.json) {
    std::printf("%s\n", to_json_text(shown_json(*shown, with_failures)).c_str());
  } else {
    print(*shown, with_failures, data_dir_flag(options.data_dir));
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
  add_common_options(*command, options->common);
  command->footer("Example:\n  plot-palette show countries-qa-1a2b3c4d --failures");
  command->callback([options, &exit_code] { exit_code = show(options->common, options->id, options->failures); });
}

}  // namespace palette::cli
