#include "worker/job_loading.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "generate/job_slices.h"
#include "worker/job_intake.h"

namespace palette::worker {
namespace {

constexpr int kRoundsMax = 5;
constexpr int kPriorityDefault = 5;

// What a job that others wrote lacks.
void complete(store::JobItem& item, const generate::SavedJob& saved) {
  item.extents = saved.extents.to_json();
  item.identity_hash = saved.identity.hash();
  item.num_records = saved.prepared.spec.num_records;
  if (item.name.empty()) item.name = saved.prepared.spec.name;
  const bool has_slices = std::ranges::any_of(item.parts, [](const auto& part) { return part.second.slice_no > 0; });
  if (!item.budget_limit && !has_slices) item.unallocated = generate::budget_or_largest(item.budget_limit);
}

// In the table too, for the other workers; who was faster is right.
async::Task<Result<store::JobItem>> completed(store::JobStore& jobs, store::JobItem item,
                                              const generate::SavedJob* saved) {
  for (int round = 0; round < kRoundsMax && item.extents.empty(); ++round) {
    complete(item, *saved);
    const Result<std::int64_t> put = co_await jobs.put_job(item);
    if (put) {
      item.revision = *put;
      co_return item;
    }
    if (put.error().kind != ErrorKind::changed) co_return std::unexpected(put.error());
    Result<store::JobItem> now = co_await jobs.get_job(item.id);
    if (!now) co_return now;
    item = std::move(*now);
  }
  if (item.extents.empty()) co_return fail(ErrorKind::conflict, "the job " + item.id.text + " keeps changing");
  co_return item;
}

async::Task<Status> open_seeds(WorkContext& context, generate::SavedJob* saved, dataset::SeedPlaces places,
                               generate::SeedUse use) {
  const std::string& key = saved->prepared.seed_key;
  auto& kept = context.open_seeds;
  const bool is_kept = !key.empty() && kept.key == key && kept.sha256 == saved->seed_sha256;
  if (saved->prepared.seeds == nullptr && is_kept) saved->prepared.seeds = kept.seeds;
  if (saved->prepared.seeds == nullptr) {
    if (const Status opened = co_await generate::open_saved_seeds(saved, places, use); !opened) co_return opened;
  }
  if (saved->prepared.seeds != nullptr) kept = {key, saved->seed_sha256, saved->prepared.seeds};
  co_return Status{};
}

// The first part of a position: the priority that the job was queued with.
int priority_in(const store::QueuePosition& position) {
  int priority = kPriorityDefault;
  std::from_chars(position.text.data(), position.text.data() + std::min<std::size_t>(position.text.find('#'), 9),
                  priority);
  return priority;
}

}  // namespace

async::Task<Result<LoadedJob>> load_job_for_work(WorkContext& context, store::JobItem item, generate::SeedUse use) {
  const dataset::SeedPlaces places{&context.places.objects, &context.pool, context.temp_dir};
  const IntakeParts parts{&context.places.jobs, places, context.places.connections.environment(), context.region,
                          context.settings.batch_records};
  Result<generate::SavedJob> saved = co_await load_or_make_job(parts, item);
  if (!saved) co_return std::unexpected(saved.error());
  if (const Status opened = co_await open_seeds(context, &*saved, places, use); !opened)
    co_return std::unexpected(opened.error());
  Result<store::JobItem> whole = co_await completed(context.places.jobs, std::move(item), &*saved);
  if (!whole) co_return std::unexpected(whole.error());
  Result<job::Extents> extents = job::Extents::from_json(whole->extents);
  if (!extents) co_return std::unexpected(extents.error());
  saved->prepared.spec.num_records = whole->num_records;
  saved->prepared.spec.budget_limit = whole->budget_limit;
  co_return LoadedJob{std::move(*whole), std::move(saved->prepared), std::move(*extents)};
}

store::QueueItem export_item_of(const store::JobItem& job, const store::QueueItem& part) {
  store::QueueItem out;
  out.job = job.id;
  out.part = store::kExportPart;
  out.kind = store::WorkKind::export_;
  out.position = store::QueuePosition::make(priority_in(part.position), job.created_at, job.id, store::kExportPart);
  if (const auto before = job.parts.find(store::kExportPart.value); before != job.parts.end())
    out.attempt = before->second.attempt;
  return out;
}

}  // namespace palette::worker
