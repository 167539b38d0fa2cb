// plot-palette rm JOB_ID: the job and everything that was made for it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <iostream>
#include <optional>

#include "cli/command.h"
#include "cli/job_queue.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "store/local/file_lease.h"

namespace palette::cli {
namespace {

// The objects first: while the job is in the tables, a removal that was cut off can be repeated.
async::Task<Status> remove(Workspace* workspace, JobId id) {
  for (const char* folder : {"jobs/", "journal/"}) {
    const std::string prefix = folder + id.text + "/";
    const auto objects = co_await store::list_all(workspace->objects, prefix);
    if (!objects) co_return std::unexpected(objects.error());
    for (const auto& info : *objects) {
      if (Status removed = co_await workspace->objects.remove(info.key); !removed) co_return removed;
    }
  }
  co_return co_await workspace->jobs->remove_job(id);
}

bool user_agrees(const store::JobItem& job) {
  std::fprintf(stderr, "Remove %s with its %s (cost %s)? [y/N] ", job.id.text.c_str(),
               counted(job.records_generated, "record").c_str(), dollars(job.cost_estimate.to_decimal()).c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// Nobody may work on it. Locally the kernel's lock is held from here on, so that nobody begins.
Result<std::optional<store::FileLease>> keep_others_out(Workspace& place, const store::JobItem& job) {
  if (place.is_in_aws()) {
    const auto queue = place.loop.run(load_queue(*place.jobs, job));
    if (!queue) return std::unexpected(queue.error());
    for (const store::QueueItem& item : queue->items) {
      if (!has_owner(item, queue->now)) continue;
      return fail(ErrorKind::held, "a worker has part " + std::to_string(item.part.value) + " of this job (" +
                                       item.owner + ", until " + item.lease_expires_at->to_iso() +
                                       "); plot-palette cancel " + job.id.text + " --aws stops it");
    }
    return std::nullopt;
  }
  auto lease =
      store::FileLease::acquire(place.lease_file(job.id), store::FileLease::this_process(system_clock().now()));
  if (lease) return std::move(*lease);
  Error error = lease.error();
  if (error.kind == ErrorKind::held) error.message = "a run works on this job (" + error.message + "); stop it first";
  return std::unexpected(error);
}

int rm(const CommonOptions& options, const std::string& text, bool yes) {
  const JobId id{text};
  auto workspace = open_place(options);
  if (!workspace) return tell_error(workspace.error());
  Workspace& place = **workspace;
  const auto job = place.loop.run(find_job(&place, id));
  if (!job) return tell_error(job.error());
  const auto lease = keep_others_out(place, *job);
  if (!lease) return tell_error(lease.error());
  if (!yes && is_terminal(stdin) && !user_agrees(*job)) {
    std::fprintf(stderr, "Nothing was removed.\n");
    return kFailed;
  }
  if (Status removed = place.loop.run(remove(&place, id)); !removed) return tell_error(removed.error());
  std::error_code ec;
  // While it is held: nobody can take a lock on what has no name.
  if (*lease) std::filesystem::remove(place.lease_file(id), ec);
  if (options.json) {
    JsonObject out;
    out["job_id"] = text;
    out["removed"] = true;
    std::printf("%s\n", to_json_text(out).c_str());
  } else {
    std::printf("Removed %s.\n", text.c_str());
  }
  return kDone;
}

}  // namespace

void add_rm(CLI::App& app, int& exit_code) {
  struct Options {
    CommonOptions common;
    std::string id;
    bool yes = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("rm", "Remove a job with everything that was made for it");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  command->add_flag("--yes", options->yes, "Does not ask (off a terminal nothing is asked)");
  add_place_options(*command, options->common);
  command->footer("Example:\n  plot-palette rm countries-qa-1a2b3c4d --yes");
  command->callback([options, &exit_code] { exit_code = rm(options->common, options->id, options->yes); });
}

}  // namespace palette::cli
