// Makes one record: renders its steps' templates, asks the models, hands earlier answers to later steps.
//
//   RecordState state{.index = RecordIndex{17}};
//   Status made = co_await pipeline.make(&state);
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/task.h"
#include "generate/preflight.h"
#include "generate/record.h"
#include "generate/run_control.h"
#include "generate/seed_rows.h"
#include "jinja/value.h"
#include "model/model.h"

namespace palette::generate {

class Pipeline {
 public:
  // `id`: what the calls say of whom they are for. `models`: one for each of job.compiled.steps. All must outlive the
  // pipeline.
  Pipeline(const PreparedJob& job, JobId id, std::vector<std::shared_ptr<model::Model>> models, RunControl& control);

  // Makes the record `state->index` in place: each step is in `state` as soon as it is done, so that a journal written
  // meanwhile has it. Steps that it already has are used as they are if they answer the very request that would be sent
  // now (the same request_sha256). In the end the record has succeeded or failed (finished_at is left to the caller),
  // or, when the run was stopped, has the steps that were done: see is_whole(). An error only when the seed data cannot
  // be read.
  async::Task<Status> make(RecordState* state);

  // Every executed step has its outcome.
  bool is_whole(const RecordState& state) const;

  // Fills in the request_sha256 of the steps that `state` has.
  void name_requests(RecordState& state) const;

 private:
  struct Run;
  async::Task<void> run_chain(std::shared_ptr<Run> run);
  async::Task<void> run_graph(std::shared_ptr<Run> run);
  async::Task<void> run_step_then_next(std::shared_ptr<Run> run, std::size_t step, async::TaskGroup* group);
  void start_ready(const std::shared_ptr<Run>& run, async::TaskGroup* group);
  std::shared_ptr<model::ModelRequest> next_request(Run& run, std::size_t step) const;
  std::shared_ptr<model::ModelRequest> request_of(const Run& run, std::size_t step, StepOutcome rendered) const;
  async::Task<void> ask(std::shared_ptr<Run> run, std::size_t step, std::shared_ptr<model::ModelRequest> request);
  void keep(Run& run, std::size_t step, model::ModelRequest& request, Result<model::ModelResult>&& answer);
  std::optional<StepOutcome> render(Run& run, std::size_t step) const;
  bool ends_the_run(const Error& error);
  std::string request_sha256(std::size_t step, const StepOutcome& outcome) const;

  const PreparedJob& job_;
  std::string job_id_;
  std::vector<std::shared_ptr<model::Model>> models_;
  std::vector<std::string> request_prefixes_;  // what of a step's request does not depend on the record
  RunControl& control_;
  SeedRows rows_;
  bool is_chain_;
};

// What the templates of a record see: the seed row, `seed_row`, `record_index`, and `steps` with what is done (`steps`:
// one for each id, null where there is none yet).
jinja::Value record_context(const jinja::Value& row, RecordIndex index, const std::vector<std::string>& step_ids,
                            std::span<const StepOutcome* const> steps);

// The random numbers of a record's templates.
jinja::RenderOptions render_options(const job::JobSpec& spec, RecordIndex index);

}  // namespace palette::generate
