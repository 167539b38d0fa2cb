#include "cli/job_details.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cli/export_job.h"
#include "generate/batch.h"
#include "generate/cost_book.h"
#include "generate/job_slices.h"
#include "generate/journal.h"

namespace palette::cli {
namespace {

using Failures = std::vector<generate::RecordState>;

// The job as it was checked, and its batches.
struct Made {
  generate::SavedJob saved;
  job::Extents extents;
  std::vector<store::ObjectInfo> outputs;
};

async::Task<Result<Made>> load_objects(Workspace* workspace, store::JobItem item) {
  Made out;
  auto saved = co_await generate::load_job(workspace->objects, item.id);
  if (!saved) co_return std::unexpected(saved.error());
  auto extents = job::Extents::from_json(item.extents);
  if (!extents) co_return std::unexpected(extents.error());
  auto outputs = co_await store::list_all(workspace->objects, job::outputs_prefix(item.id));
  if (!outputs) co_return std::unexpected(outputs.error());
  out.saved = std::move(*saved);
  out.extents = std::move(*extents);
  out.outputs = std::move(*outputs);
  co_return out;
}

// Records of the batch that succeeded, at first or when they were retried.
async::Task<Result<std::set<std::int64_t>>> succeeded_in(Workspace* workspace, const Made* made, JobId id,
                                                         BatchNumber batch) {
  std::set<std::int64_t> out;
  for (const auto& info : made->outputs) {
    const auto parsed = job::parse_batch_key(info.key);
    if (!parsed || parsed->batch != batch) continue;
    const auto object = co_await workspace->objects.get(info.key);
    if (!object) co_return std::unexpected(object.error());
    const auto content = generate::read_batch(object->body, id, made->extents.records_of(batch));
    if (!content) co_return std::unexpected(content.error().at(info.key));
    out.insert(content->indexes.begin(), content->indexes.end());
  }
  co_return out;
}

// Of every batch with a failures object.
async::Task<Result<Failures>> failures_of_batches(Workspace* workspace, const Made* made, JobId id) {
  const auto objects = co_await store::list_all(workspace->objects, job::failures_prefix(id));
  if (!objects) co_return std::unexpected(objects.error());
  std::set<BatchNumber> batches;
  for (const auto& info : *objects) {
    const auto batch = job::parse_batch_key(info.key);
    if (!batch) co_return std::unexpected(batch.error());
    batches.insert(batch->batch);
  }
  Failures out;
  for (const BatchNumber batch : batches) {
    const auto succeeded = co_await succeeded_in(workspace, made, id, batch);
    if (!succeeded) co_return std::unexpected(succeeded.error());
    auto records = co_await generate::read_failures(workspace->objects, id, batch,
                                                    made->saved.prepared.compiled.step_ids, *succeeded);
    if (!records) co_return std::unexpected(records.error());
    for (auto& [index, state] : *records) out.push_back(std::move(state));
  }
  co_return out;
}

// Of batches that are not committed.
async::Task<Result<Failures>> failures_of_journals(Workspace* workspace, const Made* made, store::JobItem item) {
  std::set<std::int64_t> committed;
  for (const auto& info : made->outputs) {
    if (const auto key = job::parse_batch_key(info.key); key) committed.insert(key->batch.value);
  }
  Failures out;
  for (std::int64_t part = 1; part <= item.parts_total(); ++part) {
    auto journal = co_await generate::read_journals(
        workspace->objects, item.id, PartNumber{part}, made->saved.prepared.compiled.step_ids,
        [made, &committed](RecordIndex index) {
          return index.value < made->extents.records() && !committed.contains(made->extents.batch_of(index).value);
        });
    if (!journal) co_return std::unexpected(journal.error());
    for (auto& [index, state] : *journal) {
      if (state.failure) out.push_back(std::move(state));
    }
  }
  co_return out;
}

// Of a job that has ended well the checkpoints say all.
async::Task<Result<generate::ResumeState>> load_checkpoints(Workspace* workspace, store::JobItem item) {
  generate::ResumeState out;
  for (std::int64_t part = 1; part <= item.parts_total(); ++part) {
    auto checkpoint = co_await generate::load_checkpoint(workspace->objects, item.id, PartNumber{part});
    if (!checkpoint) co_return std::unexpected(checkpoint.error());
    if (!*checkpoint) continue;
    out.journaled += generate::Spending{(*checkpoint)->usage_total(), (*checkpoint)->steps_total()};
    for (auto& [attempt, waste] : (*checkpoint)->waste) out.checkpoint.waste[attempt] += waste;
  }
  co_return out;
}

}  // namespace

async::Task<Result<JobCosts>> load_costs(Workspace* workspace, store::JobItem item) {
  JobCosts out;
  out.budget = item.budget_limit;
  if (out.budget) out.left = item.unallocated;
  generate::ResumeState state;
  if (item.status == job::JobStatus::completed) {
    auto loaded = co_await load_checkpoints(workspace, item);
    if (!loaded) co_return std::unexpected(loaded.error());
    state = std::move(*loaded);
  } else {
    const auto saved = co_await generate::load_job(workspace->objects, item.id);
    if (!saved && saved.error().kind == ErrorKind::not_found) co_return out;
    if (!saved) co_return std::unexpected(saved.error());
    auto loaded = co_await load_made(workspace, item, saved->prepared.compiled.step_ids);
    if (!loaded) co_return std::unexpected(loaded.error());
    state = std::move(*loaded);
  }
  out.used = {state.checkpoint.usage_total(), state.checkpoint.steps_total()};
  out.used += state.journaled;
  out.waste = state.checkpoint.waste_total();
  const auto infrastructure = co_await generate::infrastructure_spent(*workspace->jobs, item.id, item.parts_total());
  if (!infrastructure) co_return std::unexpected(infrastructure.error());
  out.compute = infrastructure->compute;
  out.storage = infrastructure->s3 + infrastructure->dynamodb;
  // What a running job holds in its slice is not spent yet: nothing is said of it.
  if (item.status != job::JobStatus::running)
    out.possibly_spent = std::max(Money{}, generate::given_to_slices(item) - out.total());
  co_return out;
}

async::Task<Result<Failures>> load_failures(Workspace* workspace, store::JobItem item) {
  const auto made = co_await load_objects(workspace, item);
  if (!made) co_return std::unexpected(made.error());
  auto out = co_await failures_of_batches(workspace, &*made, item.id);
  if (!out) co_return out;
  auto journaled = co_await failures_of_journals(workspace, &*made, std::move(item));
  if (!journaled) co_return journaled;
  std::ranges::move(*journaled, std::back_inserter(*out));
  std::ranges::sort(*out, {}, [](const generate::RecordState& state) { return state.index.value; });
  co_return out;
}

}  // namespace palette::cli
