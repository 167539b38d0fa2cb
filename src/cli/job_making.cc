#include "cli/job_making.h"

#include <algorithm>

#include "cli/terminal.h"
#include "generate/job_slices.h"
#include "generate/saved_job.h"

namespace palette::cli {
namespace {

constexpr int kIdsMax = 10'000;
constexpr std::int64_t kRecordsPerPart = 2'500;

JsonObject spec_fields(const generate::PreparedJob& prepared) {
  const job::JobSpec& spec = prepared.spec;
  JsonObject out;
  out["template_id"] = spec.templ.id;
  out["seed_data_path"] = prepared.seed_key.empty() ? spec.seed_data : prepared.seed_key;
  out["num_records"] = spec.num_records;
  JsonArray formats;
  for (job::OutputFormat format : spec.output_formats) formats.emplace_back(job::to_string(format));
  out["output_format"] = std::move(formats);
  out["partition_strategy"] = job::to_string(spec.partition_strategy);
  out["job_file"] = spec.file;
  return out;
}

store::QueueItem queue_item(const store::JobItem& job, std::int64_t priority, PartNumber part) {
  store::QueueItem item;
  item.position = store::QueuePosition::make(static_cast<int>(priority), job.created_at, job.id, part);
  item.job = job.id;
  item.part = part;
  item.kind = part == store::kExportPart ? store::WorkKind::export_ : store::WorkKind::generate;
  if (const auto noted = job.parts.find(part.value); noted != job.parts.end()) item.attempt = noted->second.attempt;
  return item;
}

// Everything in the job's item that a new command may change, but its extents.
Status take_over_fields(store::JobItem& item, const generate::PreparedJob& prepared, const JobOptions& options) {
  const job::JobSpec& spec = prepared.spec;
  auto estimate = kept_estimate(item.spec_fields);
  if (!estimate) return std::unexpected(estimate.error().at(item.id.text));
  estimate = better_of(*estimate, options.estimate);
  item.num_records = spec.num_records;
  // What is not given to slices moves with the budget.
  item.unallocated += generate::budget_or_largest(spec.budget_limit) - generate::budget_or_largest(item.budget_limit);
  item.budget_limit = spec.budget_limit;
  item.spec_fields = spec_fields(prepared);
  if (*estimate) item.spec_fields["estimate"] = (*estimate)->to_json();
  return {};
}

// Attempts that came to nothing are forgiven: the user asks for new ones.
void start_again(store::JobItem& item) {
  item.status = job::JobStatus::queued;
  item.stop_reason.clear();
  item.error_message.clear();
  item.completed_at.reset();
  for (auto& [number, part] : item.parts) {
    part.fruitless = 0;
    part.last_cause.clear();
  }
}

}  // namespace

async::Task<Result<FoundJobs>> find_jobs(Workspace& workspace, const generate::PreparedJob& prepared) {
  const auto jobs = co_await workspace.jobs->jobs_named(prepared.spec.name);
  if (!jobs) co_return std::unexpected(jobs.error());
  FoundJobs out;
  for (const store::JobItem& job : *jobs) {
    (job.identity_hash == prepared.identity.hash() ? out.same : out.other) = job;
  }
  co_return out;
}

async::Task<Result<JobId>> id_for(Workspace& workspace, const generate::PreparedJob& prepared, const FoundJobs& found,
                                  bool fresh) {
  if (found.same && !fresh) co_return found.same->id;
  const JobId base = job::make_job_id(prepared.spec, prepared.identity);
  for (int n = 1; n <= kIdsMax; ++n) {
    const JobId id{n == 1 ? base.text : base.text + "-" + std::to_string(n)};
    const auto taken = co_await workspace.jobs->get_job(id);
    if (!taken && taken.error().kind == ErrorKind::not_found) co_return id;
    if (!taken) co_return std::unexpected(taken.error());
    if (!fresh && taken->identity_hash == prepared.identity.hash()) co_return id;
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

std::string told_about(const store::JobItem& before, std::int64_t num_records) {
  if (before.status != job::JobStatus::completed) return "Going on with " + before.id.text + ".";
  if (num_records > before.records_generated + before.records_failed) {
    return "Extending " + before.id.text + " to " + counted(num_records, "record") + ".";
  }
  return "";
}

std::int64_t parts_of_large_job(const job::JobSpec& spec, std::int64_t interval) {
  const std::int64_t by_size = (spec.num_records + kRecordsPerPart - 1) / kRecordsPerPart;
  const std::int64_t batches = (spec.num_records + interval - 1) / interval;
  return std::clamp<std::int64_t>(spec.parts.value_or(by_size), 1, std::min(limits::kPartsMax, batches));
}

async::Task<Status> create_job(Workspace& workspace, JobId id, const generate::PreparedJob& prepared,
                               JobOptions options, UtcTime now) {
  store::JobItem item;
  item.id = id;
  item.name = prepared.spec.name;
  item.user_id = options.user_id;
  item.identity_hash = prepared.identity.hash();
  item.created_at = item.updated_at = now;
  item.unallocated = generate::budget_or_largest({});  // take_over_fields makes it the job's own
  const job::Extents extents = job::Extents::of(prepared.spec.num_records, options.interval);
  item.extents = extents.to_json();
  for (std::int64_t part = 1; part <= options.parts && options.parts > 1; ++part) item.parts[part] = {};
  if (Status taken = take_over_fields(item, prepared, options); !taken) co_return taken;
  // spec.json first: a job that is in the tables has one.
  if (Status saved = co_await generate::save_job(workspace.objects, id, prepared, extents, now); !saved)
    co_return saved;
  std::vector<store::QueueItem> queue = queue_all_parts(item, prepared.spec.priority.value_or(kPriorityDefault));
  co_return co_await workspace.jobs->create_job(std::move(item), std::move(queue));
}

Status check_enough(const store::JobItem& item, const std::optional<Money>& budget, std::string_view said_by) {
  const Money given = generate::given_to_slices(item);
  if (generate::budget_or_largest(budget) >= given) return {};
  return fail(ErrorKind::bad_input,
              "found " + dollars(budget->to_decimal()) + ", but " + dollars(given.to_decimal()) + " of the budget of " +
                  item.id.text + " is spent already, or in the hands of workers; give at least as much",
              std::string(said_by));
}

async::Task<Status> take_over_wishes(Workspace& workspace, store::JobItem* item, const generate::PreparedJob& prepared,
                                     JobOptions options, UtcTime now) {
  auto extents = job::Extents::from_json(item->extents);
  if (!extents) co_return std::unexpected(extents.error());
  extents->extend_to(prepared.spec.num_records, options.interval);
  item->extents = extents->to_json();
  item->updated_at = now;
  if (Status taken = take_over_fields(*item, prepared, options); !taken) co_return taken;
  co_return co_await generate::save_job(workspace.objects, item->id, prepared, *extents, item->created_at);
}

std::vector<store::QueueItem> queue_all_parts(store::JobItem& item, std::int64_t priority) {
  start_again(item);
  item.parts_ended = 0;
  std::vector<store::QueueItem> queue;
  const std::int64_t parts = item.parts_total();
  for (std::int64_t part = 1; part <= parts; ++part) queue.push_back(queue_item(item, priority, PartNumber{part}));
  return queue;
}

store::QueueItem queue_export(store::JobItem& item, std::int64_t priority) {
  start_again(item);
  item.parts_ended = item.parts_total();
  return queue_item(item, priority, store::kExportPart);
}

}  // namespace palette::cli
