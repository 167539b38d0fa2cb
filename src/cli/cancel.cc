// plot-palette cancel JOB_ID: no more records; what was made is exported.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/export_job.h"
#include "cli/job_queue.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "job/stop_reason.h"
#include "store/local/file_lease.h"

namespace palette::cli {
namespace {

struct Cancelled {
  store::JobItem item;    // as it is now
  std::string what_next;  // for the user
};

bool is_begun(const store::JobItem& item) {
  return std::ranges::any_of(item.parts, [](const auto& part) { return part.second.attempt.value > 0; });
}

async::Task<Result<Cancelled>> request_stop(Workspace* workspace, JobId id) {
  auto item = co_await workspace->jobs->request_stop(id, std::string(job::kStopCancelled), job::JobStatus::cancelled,
                                                     system_clock().now());
  if (!item) co_return std::unexpected(item.error());
  if (job::is_terminal(item->status)) co_return Cancelled{std::move(*item), "Nothing of it had been made."};
  const auto queue = co_await load_queue(*workspace->jobs, *item);
  if (!queue) co_return std::unexpected(queue.error());
  std::string next = queue->is_worked_on()
                         ? "Its workers let calls in flight finish; then what was made is exported."
                         : "No worker has it: the next one exports what was made (plot-palette submit starts workers).";
  co_return Cancelled{std::move(*item), std::move(next)};
}

// No workers are here: whoever cancels a job exports what was made. The lease is held.
async::Task<Result<Cancelled>> end_locally(Workspace* workspace, store::JobItem item) {
  const auto queued = co_await workspace->jobs->queue_items_of(item.id);
  if (!queued) co_return std::unexpected(queued.error());
  if (queued->empty()) co_return fail(ErrorKind::internal, "the job " + item.id.text + " is not in the queue");
  const UtcTime now = system_clock().now();
  store::Claim claim;
  claim.owner = store::FileLease::this_process(now);
  claim.now = claim.lease_expires_at = now;
  claim.take_over = true;  // the kernel's lock is the lease
  const auto held = co_await workspace->jobs->claim(queued->front(), claim);
  if (!held) co_return std::unexpected(held.error());
  const auto exported = co_await export_made(workspace, item, ExportWish{.formats = {}, .replace_all = true});
  if (!exported) {
    store::GiveBack back;
    back.cause = exported.error().text();
    const Status requeued = co_await workspace->jobs->requeue(*held, item.parts[held->part.value], back, now);
    co_return requeued ? std::unexpected(exported.error()) : std::unexpected(requeued.error());
  }
  auto ended = co_await workspace->jobs->get_job(item.id);
  if (!ended) co_return std::unexpected(ended.error());
  ended->status = job::JobStatus::cancelled;
  ended->stop_reason = job::kStopCancelled;
  ended->records_generated = exported->records;
  ended->completed_at = ended->updated_at = system_clock().now();
  if (Status finished = co_await workspace->jobs->finish(*held, *ended, Money{}); !finished)
    co_return std::unexpected(finished.error());
  co_return Cancelled{std::move(*ended), "Exported " + counted(exported->records, "record") + "."};
}

Result<Cancelled> cancel_locally(Workspace& workspace, const JobId& id) {
  auto item = workspace.loop.run(find_job(&workspace, id));
  if (!item) return std::unexpected(item.error());
  const auto lease =
      store::FileLease::acquire(workspace.lease_file(id), store::FileLease::this_process(system_clock().now()));
  if (!lease) {
    Error error = lease.error();
    if (error.kind == ErrorKind::held) {
      error.message = "a run works on this job and would not hear of it (" + error.message +
                      "); stop it with Ctrl-C there, then give the same command again";
    }
    return std::unexpected(error);
  }
  item = workspace.loop.run(workspace.jobs->get_job(id));  // as it is now that nobody else can move it
  if (!item) return std::unexpected(item.error());
  const bool ends_at_once = job::is_terminal(item->status) || !is_begun(*item);  // the store says so, or does so
  return workspace.loop.run(ends_at_once ? request_stop(&workspace, id) : end_locally(&workspace, *item));
}

Result<Cancelled> cancel_in_aws(Workspace& workspace, const JobId& id) {
  const auto item = workspace.loop.run(find_job(&workspace, id));
  if (!item) return std::unexpected(item.error());
  return workspace.loop.run(request_stop(&workspace, id));
}

int cancel(const CommonOptions& options, const std::string& id) {
  const auto workspace = open_place(options);
  if (!workspace) return tell_error(workspace.error());
  Workspace& place = **workspace;
  const auto done = place.is_in_aws() ? cancel_in_aws(place, JobId{id}) : cancel_locally(place, JobId{id});
  if (!done) return tell_error(done.error());
  const bool has_ended = job::is_terminal(done->item.status);
  if (options.json) {
    JsonObject out;
    out["job_id"] = id;
    out["status"] = job::to_string(done->item.status);
    out["stop_reason"] = done->item.stop_reason;
    out["note"] = done->what_next;
    std::printf("%s\n", to_json_text(out).c_str());
  } else {
    std::printf("%s %s. %s\n", id.c_str(), has_ended ? "is cancelled" : "will stop", done->what_next.c_str());
  }
  return kDone;
}

}  // namespace

void add_cancel(CLI::App& app, int& exit_code) {
  struct Options {
    CommonOptions common;
    std::string id;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("cancel", "Stop a job for good; what was made is exported");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  add_place_options(*command, options->common);
  command->footer("Example:\n  plot-palette cancel countries-qa-1a2b3c4d");
  command->callback([options, &exit_code] { exit_code = cancel(options->common, options->id); });
}

}  // namespace palette::cli
