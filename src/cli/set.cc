// plot-palette set JOB_ID --budget X: what a job may cost, also while it is worked on.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/job_making.h"
#include "cli/job_queue.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/job_slices.h"
#include "generate/saved_job.h"
#include "job/stop_reason.h"

namespace palette::cli {
namespace {

constexpr int kRoundsMax = 20;  // owners write the job between our look and our write

struct SetOptions {
  CommonOptions common;
  std::string id;
  std::string budget;
};

struct Set {
  store::JobItem item;   // as it is now
  bool goes_on = false;  // it had stopped at its budget, and is in the queue again
};

Result<Money> read_budget(const std::string& text) {
  const Result<Money> budget = Money::from_decimal(text);
  if (budget && *budget > Money{} && *budget <= generate::budget_or_largest({})) return budget;
  return fail(ErrorKind::bad_input, "found '" + text + "'; US dollars above 0 and up to 1000000 are allowed",
              "--budget");
}

// Errors: changed when others wrote the job meanwhile.
async::Task<Result<Set>> set_once(Workspace* workspace, JobId id, Money budget) {
  auto item = co_await find_job(workspace, id);
  if (!item) co_return std::unexpected(item.error());
  if (Status enough = check_enough(*item, budget, "--budget"); !enough) co_return std::unexpected(enough.error());
  item->unallocated += budget - generate::budget_or_largest(item->budget_limit);
  const bool more = !item->budget_limit || budget > *item->budget_limit;
  item->budget_limit = budget;
  item->updated_at = system_clock().now();
  Set out;
  out.goes_on = item->status == job::JobStatus::budget_exceeded && more;
  if (out.goes_on) {
    const auto saved = co_await generate::load_job(workspace->objects, id);
    if (!saved) co_return std::unexpected(saved.error());
    auto queue = queue_all_parts(*item, saved->prepared.spec.priority.value_or(kPriorityDefault));
    const auto put = co_await workspace->jobs->put_job_and_enqueue(*item, std::move(queue));
    if (!put) co_return std::unexpected(put.error());
  } else {
    const auto put = co_await workspace->jobs->put_job(*item);
    if (!put) co_return std::unexpected(put.error());
    auto queue = co_await load_queue(*workspace->jobs, *item);
    if (!queue) co_return std::unexpected(queue.error());
    if (Status woken = co_await wake_starved(*workspace->jobs, std::move(*queue)); !woken)
      co_return std::unexpected(woken.error());
  }
  out.item = std::move(*item);
  co_return out;
}

async::Task<Result<Set>> set_budget(Workspace* workspace, JobId id, Money budget) {
  Result<Set> done = fail(ErrorKind::changed, "");
  for (int round = 0; round < kRoundsMax; ++round) {
    done = co_await set_once(workspace, id, budget);
    if (done || done.error().kind != ErrorKind::changed) break;
  }
  co_return done;
}

void print(const Set& done, const Workspace& workspace) {
  const store::JobItem& item = done.item;
  std::printf("The budget of %s is %s now: %s of it free.\n", item.id.text.c_str(),
              dollars(item.budget_limit->to_decimal()).c_str(), dollars(item.unallocated.to_decimal()).c_str());
  if (item.stop_reason == job::kStopBudget && !job::is_terminal(item.status)) {
    std::printf("It is being ended at its old budget; once it is BUDGET_EXCEEDED, give the same command again.\n");
  } else if (done.goes_on) {
    std::printf(workspace.is_in_aws()
                    ? "It had stopped at its budget, and is in the queue again: the next worker goes on. With the same "
                      "budget_limit in its job file, plot-palette submit starts workers.\n"
                    : "It had stopped at its budget: plot-palette run with the same budget_limit (or --budget) goes "
                      "on.\n");
  }
}

int set(const SetOptions& options) {
  const Result<Money> budget = read_budget(options.budget);
  if (!budget) return tell_error(budget.error());
  const auto workspace = open_place(options.common);
  if (!workspace) return tell_error(workspace.error());
  const auto done = (*workspace)->loop.run(set_budget(workspace->get(), JobId{options.id}, *budget));
  if (!done) return tell_error(done.error());
  if (options.common.json) {
    JsonObject out;
    out["job_id"] = done->item.id.text;
    out["status"] = job::to_string(done->item.status);
    out["budget_limit"] = budget->to_decimal();
    out["left_usd"] = done->item.unallocated.to_decimal();
    out["goes_on"] = done->goes_on;
    std::printf("%s\n", to_json_text(out).c_str());
  } else {
    print(*done, **workspace);
  }
  return kDone;
}

}  // namespace

void add_set(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SetOptions>();
  CLI::App* command = app.add_subcommand("set", "Change what a job may cost, also while it is worked on");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  command->add_option("--budget", options->budget, "Replaces budget_limit (US dollars)")->type_name("USD")->required();
  add_place_options(*command, options->common);
  command->footer("Example:\n  plot-palette set countries-qa-1a2b3c4d --budget 10");
  command->callback([options, &exit_code] { exit_code = set(*options); });
}

}  // namespace palette::cli
