#include "generate/record.h"

#include <algorithm>
#include <charconv>

#include "generate/usage.h"

namespace palette::generate {
namespace {

void append_key(std::string& out, std::string_view key) {
  append_json_string(out, key);
  out += ':';
}

void append_outcome_fields(std::string& out, const StepOutcome& step) {
  out += "\"prompt\":";
  append_json_string(out, step.prompt);
  out += ",\"output\":";
  append_json_string(out, step.output);
  out += ",\"model\":";
  append_json_string(out, step.model);
  out += ",\"usage\":";
  append_tokens(out, step.usage);
  out += ",\"cost_usd\":";
  out += step.cost.to_decimal();
}

// The finished steps with what is needed to use them again.
void append_steps(std::string& out, const StepIds& step_ids, const RecordState& state) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < step_ids.size(); ++i) {
    if (!state.steps[i]) continue;
    if (!first) out += ',';
    first = false;
    append_key(out, step_ids[i]);
    out += "{\"request\":";
    append_json_string(out, state.steps[i]->request_sha256);
    out += ",\"tries\":";
    append_integer(out, state.steps[i]->tries);
    if (state.steps[i]->booked) out += ",\"booked\":true";
    out += ',';
    append_outcome_fields(out, *state.steps[i]);
    out += '}';
  }
  out += '}';
}

void append_failure_fields(std::string& out, const RecordFailure& failure) {
  out += ",\"step\":";
  append_json_string(out, failure.step);
  out += ",\"error\":{\"kind\":";
  append_json_string(out, to_string(failure.kind));
  out += ",\"message\":";
  append_json_string(out, failure.message);
  out += "},\"tries\":";
  append_integer(out, failure.tries);
  if (failure.unused.empty()) return;
  out += ",\"unused\":";
  char separator = '[';
  for (const UnusedAnswer& answer : failure.unused) {
    out += separator;
    separator = ',';
    out += "{\"step\":";
    append_json_string(out, answer.step);
    out += ",\"model\":";
    append_json_string(out, answer.model);
    out += ",\"usage\":";
    append_tokens(out, answer.usage);
    out += ",\"cost_usd\":" + answer.cost.to_decimal() + "}";
  }
  out += ']';
}

std::unexpected<Error> corrupt(std::string message) { return fail(ErrorKind::corrupt, std::move(message)); }

Result<StepOutcome> read_step(const Json& json) {
  const JsonObject* object = json.if_object();
  if (object == nullptr) return corrupt("a step is not an object");
  const auto request = json_string(*object, "request"), prompt = json_string(*object, "prompt");
  const auto output = json_string(*object, "output"), model = json_string(*object, "model");
  const auto usage = json_object(*object, "usage");
  const auto tries = json_int(*object, "tries");
  if (!request || !prompt || !output || !model || !usage || !tries) return corrupt("a step lacks a field");
  const Result<model::Usage> tokens = tokens_from_json(**usage);
  const Json* cost = object->if_contains("cost_usd");
  if (!tokens || cost == nullptr) return corrupt("a step lacks its usage");
  const Result<Money> money = Money::from_decimal(to_json_text(*cost));
  if (!money) return corrupt(money.error().message);
  return StepOutcome{
      *prompt, "", *output, *model, *tokens, *money, static_cast<int>(*tries), *request, object->contains("booked")};
}

Result<UnusedAnswer> read_unused(const Json& json) {
  const JsonObject* object = json.if_object();
  if (object == nullptr) return corrupt("an unused answer is not an object");
  const auto step = json_string(*object, "step"), model = json_string(*object, "model");
  const auto usage = json_object(*object, "usage");
  const Json* cost = object->if_contains("cost_usd");
  if (!step || !model || !usage || cost == nullptr) return corrupt("an unused answer lacks a field");
  const Result<model::Usage> tokens = tokens_from_json(**usage);
  const Result<Money> money = Money::from_decimal(to_json_text(*cost));
  if (!tokens || !money) return corrupt("the usage or cost of an unused answer cannot be read");
  return UnusedAnswer{*step, *model, *tokens, *money};
}

Status read_failure(const JsonObject& object, RecordState& state) {
  const auto step = json_string(object, "step");
  const auto error = json_object(object, "error");
  const auto tries = json_int(object, "tries");
  if (!step || !error || !tries) return corrupt("a failure lacks its step, error or tries");
  const auto kind = json_string(**error, "kind"), message = json_string(**error, "message");
  if (!kind || !message) return corrupt("a failure lacks the kind or message of its error");
  state.failure = RecordFailure{*step, error_kind_from(*kind), *message, static_cast<int>(*tries)};
  const Json* unused = object.if_contains("unused");
  if (unused == nullptr) return {};
  if (!unused->is_array()) return corrupt("what a failure left unused is not a list");
  for (const Json& entry : unused->get_array()) {
    Result<UnusedAnswer> answer = read_unused(entry);
    if (!answer) return std::unexpected(answer.error());
    state.failure->unused.push_back(std::move(*answer));
  }
  return {};
}

}  // namespace

Money RecordFailure::unused_cost() const {
  Money cost;
  for (const UnusedAnswer& answer : unused) cost += answer.cost;
  return cost;
}

void append_record_line(std::string& out, const JobId& job, const StepIds& step_ids, const RecordState& state) {
  out += "{\"id\":\"";
  out += job.text;
  out += '-';
  append_integer(out, state.index.value);
  out += "\",\"job_id\":\"";
  out += job.text;
  out += "\",\"timestamp\":\"";
  out += state.finished_at->to_iso();
  out += "\",\"seed_data_keys\":";
  out += state.seed_data_keys;
  out += ",\"generation_result\":{";
  bool first = true;
  for (std::size_t i = 0; i < step_ids.size(); ++i) {
    if (!state.steps[i]) continue;
    if (!first) out += ',';
    first = false;
    append_key(out, step_ids[i]);
    out += '{';
    append_outcome_fields(out, *state.steps[i]);
    out += '}';
  }
  out += "}}";
}

void append_failure_line(std::string& out, const StepIds& step_ids, const RecordState& state) {
  Money cost = state.failure->unused_cost();
  for (const auto& step : state.steps) {
    if (step) cost += step->cost;
  }
  out += "{\"index\":";
  append_integer(out, state.index.value);
  out += ",\"timestamp\":\"" + state.finished_at->to_iso() + "\",\"seed_data_keys\":";
  out += state.seed_data_keys;
  append_failure_fields(out, *state.failure);
  out += ",\"cost_usd\":" + cost.to_decimal() + ",\"steps\":";
  append_steps(out, step_ids, state);
  out += '}';
}

void append_journal_line(std::string& out, const StepIds& step_ids, const RecordState& state) {
  out += "{\"record\":";
  append_integer(out, state.index.value);
  out += ",\"seed_data_keys\":";
  out += state.seed_data_keys;
  if (state.finished_at) out += ",\"timestamp\":\"" + state.finished_at->to_iso() + "\"";
  if (state.round > 0) {
    out += ",\"round\":";
    append_integer(out, state.round);
  }
  if (state.failure) append_failure_fields(out, *state.failure);
  out += ",\"steps\":";
  append_steps(out, step_ids, state);
  out += '}';
}

Result<RecordState> parse_journal_line(std::string_view line, const StepIds& step_ids) {
  const Result<Json> json = parse_json(line);
  if (!json) return corrupt(json.error().message);
  const JsonObject* object = json->if_object();
  if (object == nullptr) return corrupt("the line is not an object");
  const auto index = json_int(*object, object->contains("record") ? "record" : "index");
  const auto steps = json_object(*object, "steps");
  const Json* keys = object->if_contains("seed_data_keys");
  if (!index || *index < 0 || !steps || keys == nullptr)
    return corrupt("the line lacks its record, seed_data_keys or steps");

  RecordState state;
  state.index = RecordIndex{*index};
  state.seed_data_keys = to_json_text(*keys);
  state.steps.resize(step_ids.size());
  for (const auto& member : **steps) {
    const auto found = std::find(step_ids.begin(), step_ids.end(), member.key());
    if (found == step_ids.end()) continue;
    Result<StepOutcome> step = read_step(member.value());
    if (!step) return std::unexpected(step.error());
    state.steps[static_cast<std::size_t>(found - step_ids.begin())] = std::move(*step);
  }
  if (object->contains("round")) {
    const auto round = json_int(*object, "round");
    if (!round) return corrupt("the round of a retry is not an integer");
    state.round = *round;
  }
  if (object->contains("timestamp")) {
    const auto text = json_string(*object, "timestamp");
    const Result<UtcTime> time = text ? UtcTime::from_iso(*text) : std::unexpected(text.error());
    if (!time) return corrupt(time.error().message);
    state.finished_at = *time;
  }
  if (object->contains("error")) {
    if (Status read = read_failure(*object, state); !read) return std::unexpected(read.error());
  }
  return state;
}

Result<RecordIndex> index_of_line(std::string_view line, const JobId& job) {
  const std::string record_start = "{\"id\":\"" + job.text + "-";
  constexpr std::string_view kFailureStart = "{\"index\":";
  std::string_view rest = line;
  const char after = line.starts_with(kFailureStart) ? ',' : '"';  // the index
  if (rest.starts_with(record_start)) {
    rest.remove_prefix(record_start.size());
  } else if (rest.starts_with(kFailureStart)) {
    rest.remove_prefix(kFailureStart.size());
  } else {
    return corrupt("the line is not a record of the job " + job.text);
  }
  RecordIndex index;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), index.value);
  const bool whole = ec == std::errc{} && end != rest.data() + rest.size() && *end == after;
  if (!whole || index.value < 0) return corrupt("the line has no record index");
  return index;
}

}  // namespace palette::generate
