#include "generate/pipeline.h"

#include <boost/asio/this_coro.hpp>

#include "base/hash.h"
#include "base/limits.h"

namespace palette::generate {

struct Pipeline::Run {
  RecordState& state;  // the caller's
  std::shared_ptr<const SeedRow> row;
  std::vector<bool> started;  // by step of the compiled job
  std::vector<bool> done;     // likewise: its outcome stands
};

Pipeline::Pipeline(const PreparedJob& job, JobId id, std::vector<std::shared_ptr<model::Model>> models,
                   RunControl& control)
    : job_(job),
      job_id_(std::move(id.text)),
      models_(std::move(models)),
      control_(control),
      rows_(*job.seeds, job.spec.seed_sampling, job.spec.seed),
      is_chain_(job.compiled.is_chain()) {
  for (const job::CompiledStep& step : job.compiled.steps) {
    std::string prefix = step.id + "\n";
    for (const std::string& model : step.models) prefix += model + "\n";
    request_prefixes_.push_back(prefix + to_json_text(step.options.to_json()) + "\n");
  }
}

async::Task<Status> Pipeline::make(RecordState* state) {
  Result<std::shared_ptr<const SeedRow>> row = rows_.of_record(state->index);
  if (!row) co_return std::unexpected(row.error());
  state->seed_data_keys = (*row)->keys_text;
  state->steps.resize(job_.compiled.step_ids.size());
  const std::vector<bool> none(job_.compiled.steps.size());
  auto run = std::make_shared<Run>(Run{*state, std::move(*row), none, none});
  if (is_chain_) {
    co_await run_chain(run);
  } else {
    co_await run_graph(run);
  }
  co_return Status{};
}

async::Task<void> Pipeline::run_chain(std::shared_ptr<Run> run) {
  for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) {
    co_await run_step(run, i);
    if (!run->done[i]) co_return;
  }
}

async::Task<void> Pipeline::run_graph(std::shared_ptr<Run> run) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  control_.groups.insert(&group);
  start_ready(run, &group);
  co_await group.join();
  control_.groups.erase(&group);
}

void Pipeline::start_ready(const std::shared_ptr<Run>& run, async::TaskGroup* group) {
  for (std::size_t i = 0; i < job_.compiled.steps.size() && !run->state.failure; ++i) {
    if (run->started[i]) continue;
    bool ready = true;
    for (std::size_t need : job_.compiled.steps[i].needs) ready = ready && run->done[need];
    if (!ready) continue;
    run->started[i] = true;
    group->spawn(run_step_then_next(run, i, group));
  }
}

async::Task<void> Pipeline::run_step_then_next(std::shared_ptr<Run> run, std::size_t step, async::TaskGroup* group) {
  co_await run_step(run, step);
  if (run->done[step]) start_ready(run, group);
}

async::Task<void> Pipeline::run_step(std::shared_ptr<Run> run, std::size_t step) {
  std::optional<StepOutcome> rendered = render(*run, step);
  if (!rendered) co_return;
  const std::size_t position = job_.compiled.steps[step].position;
  if (std::optional<StepOutcome>& kept = run->state.steps[position]; kept) {
    if (kept->request_sha256 == request_sha256(step, *rendered)) {
      run->done[step] = true;
      co_return;
    }
    kept.reset();
  }
  if (control_.stop->requested()) co_return;
  co_await ask(run, step, std::move(*rendered));
}

std::optional<StepOutcome> Pipeline::render(Run& run, std::size_t step) const {
  const job::CompiledStep& compiled = job_.compiled.steps[step];
  const auto give_up = [&](ErrorKind kind, std::string message) {
    run.state.failure = RecordFailure{compiled.id, kind, std::move(message), 1};
    return std::nullopt;
  };
  // What was kept from an earlier attempt is seen by later steps only once it was found to answer their request.
  std::vector<const StepOutcome*> visible(run.state.steps.size());
  for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) {
    const std::size_t position = job_.compiled.steps[i].position;
    if (run.done[i]) visible[position] = &*run.state.steps[position];
  }
  const jinja::Value context = record_context(run.row->values, run.state.index, job_.compiled.step_ids, visible);
  const jinja::RenderOptions options = render_options(job_.spec, run.state.index);
  StepOutcome out;
  if (compiled.system) {
    Result<std::string> text = compiled.system->render(context, options);
    if (!text) return give_up(text.error().kind, text.error().text());
    out.system = std::move(*text);
  }
  Result<std::string> text = compiled.prompt->render(context, options);
  if (!text) return give_up(text.error().kind, text.error().text());
  out.prompt = std::move(*text);
  if (out.prompt.size() + out.system.size() > limits::kPromptBytesMax) {
    return give_up(ErrorKind::too_large, "the prompt has " + std::to_string(out.prompt.size() + out.system.size()) +
                                             " bytes; at most 4 MiB are allowed (truncate_tokens shortens a text)");
  }
  return out;
}

async::Task<void> Pipeline::ask(std::shared_ptr<Run> run, std::size_t step, StepOutcome outcome) {
  const job::CompiledStep& compiled = job_.compiled.steps[step];
  model::ModelRequest request;
  request.system = outcome.system;
  request.messages.push_back({model::Message::Role::user, outcome.prompt});
  request.options = compiled.options;
  request.cache_system = compiled.cache_system;
  request.key = {job_.spec.seed, run->state.index, compiled.stream, 1, run->state.round};
  request.identity = {job_id_, compiled.id, run->state.index, static_cast<std::int64_t>(step)};
  int tries = 1;
  request.tries = &tries;
  ++control_.calls_in_flight;
  Result<model::ModelResult> answer = co_await models_[step]->call(std::move(request));
  --control_.calls_in_flight;
  if (!answer) {
    if (!ends_the_run(answer.error())) {
      run->state.failure =
          RecordFailure{compiled.id, answer.error().kind, answer.error().message, tries};
    }
    co_return;
  }
  const bool truncated =
      answer->stop == model::StopReason::truncated && !compiled.options.accept_truncated.value_or(false);
  if (truncated || answer->stop == model::StopReason::refused) {
    run->state.failure = RecordFailure{
        compiled.id, truncated ? ErrorKind::truncated : ErrorKind::refused,
        truncated ? "the answer was cut at the token limit; raise max_tokens or set accept_truncated"
                  : "the model declined to answer",
        tries, std::move(answer->model), answer->usage, answer->cost};
    co_return;
  }
  outcome.output = std::move(answer->text);
  outcome.model = std::move(answer->model);
  outcome.usage = answer->usage;
  outcome.cost = answer->cost;
  outcome.tries = answer->tries;
  run->state.steps[compiled.position] = std::move(outcome);
  run->done[step] = true;
  ++control_.steps_finished;
}

// Is it no fault of the record's? Then it is made again when the run goes on.
bool Pipeline::ends_the_run(const Error& error) {
  switch (error.kind) {
    case ErrorKind::cancelled:
    case ErrorKind::over_budget:
      return true;
    case ErrorKind::quota:
    case ErrorKind::outage:
      control_.halt(error);
      return true;
    default:
      return false;
  }
}

bool Pipeline::is_whole(const RecordState& state) const {
  for (const job::CompiledStep& step : job_.compiled.steps) {
    if (step.position >= state.steps.size() || !state.steps[step.position]) return false;
  }
  return true;
}

void Pipeline::name_requests(RecordState& state) const {
  for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) {
    const std::size_t position = job_.compiled.steps[i].position;
    if (position >= state.steps.size() || !state.steps[position]) continue;
    StepOutcome& outcome = *state.steps[position];
    if (outcome.request_sha256.empty()) outcome.request_sha256 = request_sha256(i, outcome);
  }
}

std::string Pipeline::request_sha256(std::size_t step, const StepOutcome& outcome) const {
  Sha256 sha;
  sha.update(request_prefixes_[step]);
  sha.update(std::to_string(outcome.system.size()) + "\n");
  sha.update(outcome.system);
  sha.update(outcome.prompt);
  return sha.finish_hex();
}

jinja::Value record_context(const jinja::Value& row, RecordIndex index, const std::vector<std::string>& step_ids,
                            std::span<const StepOutcome* const> steps) {
  std::vector<std::pair<std::string, jinja::Value>> context, done;
  context.reserve(row.size() + 3);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto [key, value] = row.entry(i);
    context.emplace_back(key.as_string(), value);
  }
  for (std::size_t i = 0; i < step_ids.size(); ++i) {
    if (steps[i] == nullptr) continue;
    done.emplace_back(step_ids[i], jinja::Value::map({{"output", jinja::Value::of(steps[i]->output)},
                                                      {"prompt", jinja::Value::of(steps[i]->prompt)},
                                                      {"model", jinja::Value::of(steps[i]->model)}}));
  }
  context.emplace_back(job::kStepsVariable, jinja::Value::map(std::move(done)));
  context.emplace_back(job::kSeedRowVariable, row);
  context.emplace_back(job::kRecordIndexVariable, jinja::Value::of(index.value));
  return jinja::Value::map(std::move(context));
}

jinja::RenderOptions render_options(const job::JobSpec& spec, RecordIndex index) {
  jinja::RenderOptions options;
  options.random_key = spec.seed;
  options.random_index = static_cast<std::uint64_t>(index.value);
  return options;
}

}  // namespace palette::generate
