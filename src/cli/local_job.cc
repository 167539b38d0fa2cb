#include "cli/local_job.h"

#include "cli/terminal.h"
#include "generate/saved_job.h"

namespace palette::cli {
namespace {

constexpr int kIdsMax = 10'000;

struct Found {
  std::optional<store::JobItem> same;   // the newest with the same name and hash
  std::optional<store::JobItem> other;  // the newest of that name with another hash
};

async::Task<Result<Found>> find_jobs(Workspace& workspace, const generate::PreparedJob& prepared) {
  const auto jobs = co_await workspace.jobs->jobs_named(prepared.spec.name);
  if (!jobs) co_return std::unexpected(jobs.error());
  Found out;
  for (const store::JobItem& job : *jobs) {
    (job.identity_hash == prepared.identity.hash() ? out.same : out.other) = job;
  }
  co_return out;
}

// <id>, <id>-2, <id>-3 …: the first that no other job has. The very job may have been made by another process just now.
async::Task<Result<JobId>> id_of_new(Workspace& workspace, JobId base, std::string identity_hash, bool fresh) {
  for (int n = 1; n <= kIdsMax; ++n) {
    const JobId id{n == 1 ? base.text : base.text + "-" + std::to_string(n)};
    const auto taken = co_await workspace.jobs->get_job(id);
    if (!taken && taken.error().kind == ErrorKind::not_found) co_return id;
    if (!taken) co_return std::unexpected(taken.error());
    if (!fresh && taken->identity_hash == identity_hash) co_return id;
  }
  co_return fail(ErrorKind::bad_input,
                 "there are 10000 jobs with the id " + base.text + "; remove some with plot-palette rm");
}

async::Task<std::string> what_differs(Workspace& workspace, store::JobItem other,
                                      const generate::PreparedJob& prepared) {
  const auto saved = co_await generate::load_job(workspace.objects, other.id);
  std::string text = "This is a new job: ";
  text += saved ? "it differs from " + other.id.text + " in " + prepared.identity.differences(saved->identity)
                : "it differs from " + other.id.text;
  co_return text + " (that one has " + counted(other.records_generated, "record") + " and cost " +
      dollars(other.cost_estimate.to_decimal()) + ").";
}

JsonObject spec_fields(const job::JobSpec& spec) {
  JsonObject out;
  out["template_id"] = spec.templ.id;
  out["seed_data_path"] = spec.seed_data;
  out["num_records"] = spec.num_records;
  JsonArray formats;
  for (job::OutputFormat format : spec.output_formats) formats.emplace_back(job::to_string(format));
  out["output_format"] = std::move(formats);
  out["partition_strategy"] = job::to_string(spec.partition_strategy);
  out["job_file"] = spec.file;
  return out;
}

store::QueueItem queue_item(const store::JobItem& job, const job::JobSpec& spec) {
  store::QueueItem item;
  item.position =
      store::QueuePosition::make(static_cast<int>(spec.priority.value_or(5)), job.created_at, job.id, PartNumber{1});
  item.job = job.id;
  item.attempt = job.parts.empty() ? AttemptNumber{0} : job.parts.begin()->second.attempt;
  return item;
}

// A job without a budget has the largest there can be, so that its slices are counted all the same.
Money budget_of(const std::optional<Money>& limit) {
  return limit.value_or(Money::of(limits::kBudgetUsdMax, 1'000'000'000'000));
}

// Everything about the job that a new command may change.
Status take_over_wishes(store::JobItem& item, const job::JobSpec& spec, const ClaimOptions& options) {
  auto estimate = kept_estimate(item.spec_fields);
  if (!estimate) return std::unexpected(estimate.error().at(item.id.text));
  estimate = better_of(*estimate, options.estimate);
  item.num_records = spec.num_records;
  // What is not given to slices moves with the budget.
  item.unallocated += budget_of(spec.budget_limit) - budget_of(item.budget_limit);
  item.budget_limit = spec.budget_limit;
  item.spec_fields = spec_fields(spec);
  if (*estimate) item.spec_fields["estimate"] = (*estimate)->to_json();
  return {};
}

async::Task<Status> create(Workspace& workspace, JobId id, const generate::PreparedJob& prepared, ClaimOptions options,
                           UtcTime now) {
  store::JobItem item;
  item.id = id;
  item.name = prepared.spec.name;
  item.identity_hash = prepared.identity.hash();
  item.created_at = item.updated_at = now;
  item.unallocated = budget_of({});  // take_over_wishes makes it the job's own
  const job::Extents extents = job::Extents::of(prepared.spec.num_records, options.interval);
  item.extents = extents.to_json();
  if (Status taken = take_over_wishes(item, prepared.spec, options); !taken) co_return taken;
  // spec.json first: a job that is in the tables has one.
  if (Status saved = co_await generate::save_job(workspace.objects, id, prepared, extents, now); !saved)
    co_return saved;
  co_return co_await workspace.jobs->create_job(item, {queue_item(item, prepared.spec)});
}

// An existing job takes the new wishes and is put into the queue if it is not there.
async::Task<Status> renew(Workspace& workspace, store::JobItem item, const generate::PreparedJob& prepared,
                          ClaimOptions options, UtcTime now) {
  auto extents = job::Extents::from_json(item.extents);
  if (!extents) co_return std::unexpected(extents.error());
  extents->extend_to(prepared.spec.num_records, options.interval);
  item.extents = extents->to_json();
  item.updated_at = now;
  if (Status taken = take_over_wishes(item, prepared.spec, options); !taken) co_return taken;
  if (Status saved = co_await generate::save_job(workspace.objects, item.id, prepared, *extents, item.created_at);
      !saved)
    co_return saved;
  const auto queued = co_await workspace.jobs->queue_items_of(item.id);
  if (!queued) co_return std::unexpected(queued.error());
  if (queued->empty()) {
    item.status = job::JobStatus::queued;
    item.stop_reason.clear();
    item.error_message.clear();
    item.completed_at.reset();
    const auto put = co_await workspace.jobs->put_job_and_enqueue(item, {queue_item(item, prepared.spec)});
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

std::string told_about(const store::JobItem& before, std::int64_t num_records) {
  if (before.status != job::JobStatus::completed) return "Going on with " + before.id.text + ".";
  if (num_records > before.records_generated + before.records_failed) {
    return "Extending " + before.id.text + " to " + counted(num_records, "record") + ".";
  }
  return "";
}

class JobSlices final : public generate::SliceSource {
 public:
  JobSlices(store::JobStore& jobs, store::QueueItem held) : jobs_(jobs), held_(std::move(held)) {}

  async::Task<Result<Answer>> take(std::int64_t slice_no, Money amount) override {
    const Result<store::SliceAnswer> answer = co_await jobs_.take_slice(held_, slice_no, amount);
    if (!answer) co_return std::unexpected(answer.error());
    co_return Answer{answer->granted, answer->unallocated};
  }

 private:
  store::JobStore& jobs_;
  store::QueueItem held_;
};

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
                                          ClaimOptions options, const Clock& clock) {
  const auto found = co_await find_jobs(workspace, prepared);
  if (!found) co_return std::unexpected(found.error());
  const bool is_new = options.fresh || !found->same;
  JobId id;
  if (is_new) {
    const auto free = co_await id_of_new(workspace, job::make_job_id(prepared.spec, prepared.identity),
                                         prepared.identity.hash(), options.fresh);
    if (!free) co_return std::unexpected(free.error());
    id = *free;
  } else {
    id = found->same->id;
  }
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
    if (Status made = co_await create(workspace, id, prepared, options, clock.now()); !made)
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

std::shared_ptr<generate::SliceSource> slices_of(Workspace& workspace, const ClaimedJob& claimed) {
  return std::make_shared<JobSlices>(*workspace.jobs, claimed.queue);
}

Money allocated(const store::JobItem& job) { return budget_of(job.budget_limit) - job.unallocated; }

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
