#include "cli/local_job.h"

#include <utility>

namespace palette::cli {
namespace {

// An existing job takes the new wishes and is put into the queue if it is not there.
async::Task<Status> renew(Workspace& workspace, store::JobItem item, const generate::PreparedJob& prepared,
                          JobOptions options, UtcTime now) {
  if (Status taken = co_await take_over_wishes(workspace, &item, prepared, options, now); !taken) co_return taken;
  const auto queued = co_await workspace.jobs->queue_items_of(item.id);
  if (!queued) co_return std::unexpected(queued.error());
  if (queued->empty()) {
    std::vector<store::QueueItem> queue = queue_all_parts(item, prepared.spec.priority.value_or(kPriorityDefault));
    const auto put = co_await workspace.jobs->put_job_and_enqueue(std::move(item), std::move(queue));
    co_return put ? Status{} : std::unexpected(put.error());
  }
  const auto put = co_await workspace.jobs->put_job(item);
  co_return put ? Status{} : std::unexpected(put.error());
}

async::Task<Result<store::QueueItem>> claim_part(Workspace& workspace, JobId id, std::string owner, UtcTime now) {
  const auto queued = co_await workspace.jobs->queue_items_of(id);
  if (!queued) co_return std::unexpected(queued.error());
  if (queued->empty()) co_return fail(ErrorKind::internal, "the job " + id.text + " is not in the queue");
  // The kernel's lock is the lease: who holds it may take what a dead process left RUNNING.
  co_return co_await workspace.jobs->claim(queued->front(),
                                           {.owner = owner, .now = now, .lease_expires_at = now, .take_over = true});
}

store::PartProgress part_progress(const ClaimedJob& claimed, const generate::Progress& progress) {
  store::PartProgress out;
  out.attempt = claimed.queue.attempt;
  out.records = progress.records_done;
  out.failed = progress.records_failed;
  out.tokens = progress.input_tokens + progress.output_tokens;
  out.cost = progress.cost;
  return out;
}

}  // namespace

async::Task<Result<ClaimedJob>> claim_job(Workspace& workspace, const generate::PreparedJob& prepared,
                                          JobOptions options, const Clock& clock) {
  const auto found = co_await find_jobs(workspace, prepared);
  if (!found) co_return std::unexpected(found.error());
  const auto which = co_await id_for(workspace, prepared, *found, options.fresh);
  if (!which) co_return std::unexpected(which.error());
  const JobId id = *which;
  const std::string owner = store::FileLease::this_process(clock.now());
  Result<store::FileLease> lease = store::FileLease::acquire(workspace.lease_file(id), owner);
  if (!lease) {
    Error error = lease.error();
    if (error.kind == ErrorKind::held)
      error.message = "another run works on the job " + id.text + " (" + error.message + "); wait for it, or stop it";
    co_return std::unexpected(error);
  }

  // With the lease in hand, what stands is looked at again: another process may have made or moved the job meanwhile.
  Result<store::JobItem> before = co_await workspace.jobs->get_job(id);
  ClaimedJob claimed{.item = {}, .queue = {}, .extents = {}, .lease = std::move(*lease), .told = {}};
  if (!before && before.error().kind == ErrorKind::not_found) {
    if (found->other && !options.fresh) claimed.told = co_await what_differs(workspace, *found->other, prepared);
    if (Status made = co_await create_job(workspace, id, prepared, options, clock.now()); !made)
      co_return std::unexpected(made.error());
  } else if (!before) {
    co_return std::unexpected(before.error());
  } else {
    claimed.status_before = before->status;
    claimed.told = told_about(*before, prepared.spec.num_records);
    if (Status renewed = co_await renew(workspace, *before, prepared, options, clock.now()); !renewed)
      co_return std::unexpected(renewed.error());
  }
  auto queue = co_await claim_part(workspace, id, owner, clock.now());
  if (!queue) co_return std::unexpected(queue.error());
  claimed.queue = std::move(*queue);
  auto item = co_await workspace.jobs->get_job(id);
  if (!item) co_return std::unexpected(item.error());
  claimed.item = std::move(*item);
  auto extents = job::Extents::from_json(claimed.item.extents);
  if (!extents) co_return std::unexpected(extents.error());
  claimed.extents = std::move(*extents);
  co_return claimed;
}

async::Task<Status> report_progress(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                                    const Clock& clock) {
  return workspace.jobs->report(claimed.queue, part_progress(claimed, progress), clock.now());
}

async::Task<Status> give_back(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                              Money unspent, const Clock& clock) {
  return workspace.jobs->requeue(claimed.queue, part_progress(claimed, progress), {.unspent = unspent}, clock.now());
}

async::Task<Status> finish_job(Workspace& workspace, const ClaimedJob& claimed, const generate::Progress& progress,
                               JobEnd end, const Clock& clock) {
  auto item = co_await workspace.jobs->get_job(claimed.item.id);
  if (!item) co_return std::unexpected(item.error());
  item->status = end.status;
  item->stop_reason.clear();
  item->error_message = std::move(end.cause);
  item->records_generated = progress.records_done;
  item->records_failed = progress.records_failed;
  item->tokens_used = progress.input_tokens + progress.output_tokens;
  item->cost_estimate = progress.cost;
  item->completed_at = item->updated_at = clock.now();
  co_return co_await workspace.jobs->finish(claimed.queue, std::move(*item), end.unspent);
}

}  // namespace palette::cli
