#include "generate/pipeline.h"

#include <bitset>
#include <boost/asio/this_coro.hpp>

#include "base/hash.h"
#include "base/limits.h"
#include "jinja/with_members.h"

namespace palette::generate {

struct Pipeline::Run {
  RecordState& state;  // the caller's
  std::shared_ptr<const SeedRow> row;
  std::bitset<limits::kStepsMax> started;  // by step of the compiled job
  std::bitset<limits::kStepsMax> done;     // likewise: its outcome stands
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
  // Rows of a file, nearly always: then there is nothing to wait for.
  Result<std::shared_ptr<const SeedRow>> row = nullptr;
  if (rows_.is_at_hand(state->index))
    row = rows_.of_record(state->index);
  else
    row = co_await rows_.fetch(state->index);
  if (!row) co_return std::unexpected(row.error());
  state->seed_data_keys = (*row)->keys_text;
  state->steps.resize(job_.compiled.step_ids.size());
  auto run = std::make_shared<Run>(Run{*state, std::move(*row), {}, {}});
  if (is_chain_) {
    co_await run_chain(run);
  } else {
    co_await run_graph(run);
  }
  co_return Status{};
}

async::Task<void> Pipeline::run_chain(std::shared_ptr<Run> run) {
  for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) {
    std::shared_ptr<model::ModelRequest> request = next_request(*run, i);
    if (request != nullptr) co_await ask(run, i, std::move(request));
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
  std::shared_ptr<model::ModelRequest> request = next_request(*run, step);
  if (request != nullptr) co_await ask(run, step, std::move(request));
  if (run->done[step]) start_ready(run, group);
}

// No coroutine: a record that waits for an answer keeps nothing of its rendering but the request. Null when there is
// nothing to ask: an outcome is kept, the record has failed, or the run stops.
std::shared_ptr<model::ModelRequest> Pipeline::next_request(Run& run, std::size_t step) const {
  std::optional<StepOutcome> rendered = render(run, step);
  if (!rendered) return nullptr;
  const std::size_t position = job_.compiled.steps[step].position;
  if (std::optional<StepOutcome>& kept = run.state.steps[position]; kept) {
    if (kept->request_sha256 == request_sha256(step, *rendered)) {
      run.done[step] = true;
      return nullptr;
    }
    kept.reset();
  }
  if (control_.stop->requested()) return nullptr;
  return request_of(run, step, std::move(*rendered));
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
  out.prompt.shrink_to_fit();  // it stays as long as the call and the batch
  if (out.prompt.size() + out.system.size() > limits::kPromptBytesMax) {
    return give_up(ErrorKind::too_large, "the prompt has " + std::to_string(out.prompt.size() + out.system.size()) +
                                             " bytes; at most 4 MiB are allowed (truncate_tokens shortens a text)");
  }
  return out;
}

// The texts move into it, and keep() takes them back: one copy of each while the call is in flight.
std::shared_ptr<model::ModelRequest> Pipeline::request_of(const Run& run, std::size_t step,
                                                          StepOutcome rendered) const {
  const job::CompiledStep& compiled = job_.compiled.steps[step];
  auto request = std::make_shared<model::ModelRequest>();
  request->system = std::move(rendered.system);
  request->messages.reserve(1);
  request->messages.push_back({model::Message::Role::user, std::move(rendered.prompt)});
  request->options = compiled.options;
  request->cache_system = compiled.cache_system;
  request->key = {job_.spec.seed, run.state.index, compiled.stream, 1, run.state.round};
  request->identity = {job_id_, compiled.id, run.state.index, static_cast<std::int64_t>(step)};
  return request;
}

async::Task<void> Pipeline::ask(std::shared_ptr<Run> run, std::size_t step,
                                std::shared_ptr<model::ModelRequest> request) {
  ++control_.calls_in_flight;
  Result<model::ModelResult> answer = co_await models_[step]->call(request);
  --control_.calls_in_flight;
  keep(*run, step, *request, std::move(answer));
}

// What became of the call, in the record's state.
void Pipeline::keep(Run& run, std::size_t step, model::ModelRequest& request, Result<model::ModelResult>&& answer) {
  const job::CompiledStep& compiled = job_.compiled.steps[step];
  if (!answer) {
    if (!ends_the_run(answer.error()) && !run.state.failure)
      run.state.failure = RecordFailure{compiled.id, answer.error().kind, answer.error().message, request.tries};
    return;
  }
  const bool truncated =
      answer->stop == model::StopReason::truncated && !compiled.options.accept_truncated.value_or(false);
  if (truncated || answer->stop == model::StopReason::refused) {
    // Steps that ran side by side may fail too: the first is the cause, and every answer is paid for.
    if (!run.state.failure) {
      run.state.failure =
          RecordFailure{compiled.id, truncated ? ErrorKind::truncated : ErrorKind::refused,
                        truncated ? "the answer was cut at the token limit; raise max_tokens or set accept_truncated"
                                  : "the model declined to answer",
                        request.tries};
    }
    run.state.failure->unused.push_back({compiled.id, std::move(answer->model), answer->usage, answer->cost});
    return;
  }
  StepOutcome& outcome = run.state.steps[compiled.position].emplace();
  outcome.system = std::move(request.system);
  outcome.prompt = std::move(request.messages.front().text);
  outcome.output = std::move(answer->text);
  outcome.model = std::move(answer->model);
  outcome.usage = answer->usage;
  outcome.cost = answer->cost;
  outcome.tries = answer->tries;
  run.done[step] = true;
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
    if (!outcome.request_sha256.empty()) continue;
    outcome.request_sha256 = request_sha256(i, outcome);
    std::string().swap(outcome.system);  // nothing else is kept of it, and it may be long
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

namespace {

// The names of a context, made once.
struct ContextKeys {
  jinja::Value steps = jinja::Value::of(job::kStepsVariable), seed_row = jinja::Value::of(job::kSeedRowVariable),
               record_index = jinja::Value::of(job::kRecordIndexVariable);
  jinja::Value output = jinja::Value::of("output"), prompt = jinja::Value::of("prompt"),
               model = jinja::Value::of("model");
  jinja::Value nothing = jinja::Value::map({});
};

}  // namespace

jinja::Value record_context(const jinja::Value& row, RecordIndex index, const std::vector<std::string>& step_ids,
                            std::span<const StepOutcome* const> steps) {
  static const ContextKeys keys;
  std::vector<std::pair<std::string, jinja::Value>> done;
  for (std::size_t i = 0; i < step_ids.size(); ++i) {
    if (steps[i] == nullptr) continue;
    done.emplace_back(step_ids[i],
                      jinja::with_members(keys.nothing, {{keys.output, jinja::Value::of(steps[i]->output)},
                                                         {keys.prompt, jinja::Value::of(steps[i]->prompt)},
                                                         {keys.model, jinja::Value::of(steps[i]->model)}}));
  }
  return jinja::with_members(row, {{keys.steps, jinja::Value::map(std::move(done))},
                                   {keys.seed_row, row},
                                   {keys.record_index, jinja::Value::of(index.value)}});
}

jinja::RenderOptions render_options(const job::JobSpec& spec, RecordIndex index) {
  jinja::RenderOptions options;
  options.random_key = spec.seed;
  options.random_index = static_cast<std::uint64_t>(index.value);
  return options;
}

}  // namespace palette::generate
