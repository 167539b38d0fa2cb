#include "cli/calibration.h"

#include <map>
#include <set>

#include "generate/batch.h"
#include "generate/record_source.h"
#include "generate/resume.h"

namespace palette::cli {
namespace {

struct Taken {
  Money cost;
  std::int64_t tokens = 0;
  bool failed = false;
};
using TakenByIndex = std::map<std::int64_t, Taken>;

Taken taken_by_failed(const generate::RecordState& state) {
  Taken out{Money{}, 0, true};
  for (const auto& step : state.steps) {
    if (!step) continue;
    out.cost += step->cost;
    out.tokens += step->usage.total();
  }
  if (state.failure) {
    for (const generate::UnusedAnswer& answer : state.failure->unused) {
      out.cost += answer.cost;
      out.tokens += answer.usage.total();
    }
  }
  return out;
}

Result<Taken> taken_by_line(std::string_view line, const JobId& job, std::int64_t index) {
  const auto content = generate::read_batch(line, job, job::RecordRange{index, 1});
  if (!content) return std::unexpected(content.error());
  const generate::ModelUsage total = generate::total_of(content->spending.models);
  return Taken{total.cost, total.tokens()};
}

// Those that succeeded, then those that failed, of batches and journals.
class Reader {
 public:
  Reader(store::ObjectStore& objects, generate::PartContext context, generate::StepIds step_ids,
         generate::ResumeState state)
      : objects_(objects), context_(std::move(context)), step_ids_(std::move(step_ids)), state_(std::move(state)) {}

  async::Task<Result<TakenByIndex>> read() {
    generate::RecordSource source(objects_, context_, step_ids_, state_);
    while (true) {
      const auto batch = co_await source.next();
      if (!batch) co_return std::unexpected(batch.error());
      if (!*batch) break;
      for (const auto& [index, line] : (*batch)->lines) {
        const Result<Taken> taken = taken_by_line(line, context_.job, index);
        if (!taken) co_return std::unexpected(taken.error().at(context_.job.text));
        out_[index] = *taken;
      }
    }
    for (std::int64_t batch = 1; batch <= context_.last_batch().value; ++batch) {
      if (Status added = co_await add_failures(BatchNumber{batch}); !added) co_return std::unexpected(added.error());
    }
    for (const auto& [index, state] : state_.journal) {
      if (state.failure && index < context_.num_records) out_.emplace(index, taken_by_failed(state));
    }
    co_return std::move(out_);
  }

 private:
  async::Task<Status> add_failures(BatchNumber batch) {
    if (!state_.checkpoint.failed.contains(batch.value)) co_return Status{};
    const job::RecordRange range = context_.extents.records_of(batch);
    std::set<std::int64_t> succeeded;
    for (auto made = out_.lower_bound(range.first); made != out_.end() && made->first < range.first + range.count;
         ++made)
      succeeded.insert(made->first);
    const auto failures = co_await generate::read_failures(objects_, context_.job, batch, step_ids_, succeeded);
    if (!failures) co_return std::unexpected(failures.error());
    for (const auto& [index, state] : *failures) {
      if (index < context_.num_records) out_.emplace(index, taken_by_failed(state));
    }
    co_return Status{};
  }

  store::ObjectStore& objects_;
  generate::PartContext context_;
  generate::StepIds step_ids_;
  generate::ResumeState state_;
  TakenByIndex out_;
};

}  // namespace

async::Task<Result<std::optional<store::JobItem>>> same_job(Workspace* workspace, std::string name,
                                                            std::string identity_hash) {
  auto jobs = co_await workspace->jobs->jobs_named(name);
  if (!jobs) co_return std::unexpected(jobs.error());
  std::optional<store::JobItem> out;
  for (store::JobItem& job : *jobs) {
    if (job.identity_hash == identity_hash) out = std::move(job);
  }
  co_return out;
}

async::Task<Result<MadeRecords>> made_records(Workspace* workspace, store::JobItem job,
                                              std::vector<std::string> step_ids, std::int64_t count, UtcTime now) {
  const auto extents = job::Extents::from_json(job.extents);
  if (!extents) co_return std::unexpected(extents.error());
  const generate::PartContext context{job.id, PartNumber{1}, AttemptNumber{0}, *extents,
                                      std::min(count, extents->records())};
  auto state = co_await generate::load_resume_state(workspace->objects, context, step_ids, now);
  if (!state) co_return std::unexpected(state.error());
  const Money waste = generate::total_of(state->checkpoint.waste_total()).cost;
  const std::int64_t tried = state->checkpoint.records_generated(*extents) + state->checkpoint.records_failed();
  Reader reader(workspace->objects, context, step_ids, std::move(*state));
  const Result<TakenByIndex> taken = co_await reader.read();
  if (!taken) co_return std::unexpected(taken.error());
  const Money waste_each{tried > 0 ? waste.pico / tried : 0};
  MadeRecords out;
  for (const auto& [index, each] : *taken) {
    out.costs.push_back(each.cost + waste_each);
    out.tokens += each.tokens;
    out.failed += each.failed ? 1 : 0;
  }
  co_return out;
}

}  // namespace palette::cli
