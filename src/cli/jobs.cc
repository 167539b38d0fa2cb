// plot-palette jobs: the jobs of a data directory, or of AWS.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/job_json.h"
#include "cli/terminal.h"
#include "cli/workspace.h"

namespace palette::cli {
namespace {

void print_table(const std::vector<store::JobItem>& jobs) {
  std::size_t width = 6;
  for (const store::JobItem& job : jobs) width = std::max(width, job.id.text.size());
  std::printf("%-*s  %-15s  %12s  %8s  %10s  %s\n", static_cast<int>(width), "JOB", "STATUS", "RECORDS", "FAILED",
              "COST", "CREATED");
  for (const store::JobItem& job : jobs) {
    const std::string records = grouped(job.records_generated) + "/" + grouped(job.num_records);
    std::printf("%-*s  %-15s  %12s  %8s  %10s  %s\n", static_cast<int>(width), job.id.text.c_str(),
                std::string(job::to_string(job.status)).c_str(), records.c_str(), grouped(job.records_failed).c_str(),
                dollars(job.cost_estimate.to_decimal()).c_str(), job.created_at.to_iso().c_str());
  }
}

int list_jobs(const CommonOptions& options) {
  std::vector<store::JobItem> jobs;
  const auto workspace = open_place(options);
  const bool is_new_folder = !workspace && workspace.error().kind == ErrorKind::not_found;
  if (!workspace && !is_new_folder) return tell_error(workspace.error());
  if (workspace) {
    auto listed = (*workspace)->loop.run((*workspace)->jobs->list_jobs());
    if (!listed) return tell_error(listed.error());
    jobs = std::move(*listed);
    for (store::JobItem& job : jobs) (*workspace)->mend_status(job);
  }
  if (options.json) {
    JsonArray array;
    for (const store::JobItem& job : jobs) array.emplace_back(job_json(job));
    std::printf("%s\n", to_json_text(array).c_str());
  } else if (jobs.empty() && workspace && (*workspace)->is_in_aws()) {
    std::printf("There are no jobs in AWS yet. Make one: plot-palette submit job.yaml --aws\n");
  } else if (jobs.empty()) {
    std::printf("There are no jobs in %s yet. Make one: plot-palette init, then plot-palette run job.yaml\n",
                options.data_dir.c_str());
  } else {
    print_table(jobs);
  }
  return kDone;
}

}  // namespace

void add_jobs(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand("jobs", "List the jobs, oldest first");
  add_place_options(*command, *options);
  command->footer("Example:\n  plot-palette jobs --json");
  command->callback([options, &exit_code] { exit_code = list_jobs(*options); });
}

}  // namespace palette::cli
