#include "generate/record_line.h"

#include <algorithm>

namespace palette::generate {
namespace {

// Takes `prefix` off the front.
bool take(std::string_view& rest, std::string_view prefix) {
  if (!rest.starts_with(prefix)) return false;
  rest.remove_prefix(prefix.size());
  return true;
}

// Takes what stands before `end`, and `end`.
bool take_until(std::string_view& rest, std::string_view end, std::string_view& taken) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return false;
  taken = rest.substr(0, at);
  rest.remove_prefix(at + end.size());
  return true;
}

}  // namespace

Result<RecordLine> split_record_line(std::string_view line) {
  RecordLine out;
  std::string_view rest = line;
  // seed_data_keys is a number or a string, in which a quote is always escaped: the end that is looked for cannot be in
  // it.
  const bool whole = take(rest, "{\"id\":\"") && take_until(rest, "\",\"job_id\":\"", out.id) &&
                     take_until(rest, "\",\"timestamp\":\"", out.job_id) &&
                     take_until(rest, "\",\"seed_data_keys\":", out.timestamp) &&
                     take_until(rest, ",\"generation_result\":", out.seed_data_keys) && rest.size() >= 3 &&
                     rest.front() == '{' && rest.ends_with("}}");
  if (!whole) return fail(ErrorKind::corrupt, "the line is not a record");
  out.generation_result = rest.substr(0, rest.size() - 1);
  return out;
}

Result<std::vector<std::optional<StepOutcome>>> read_generation_result(const JsonObject& object,
                                                                       const StepIds& step_ids) {
  std::vector<std::optional<StepOutcome>> steps(step_ids.size());
  for (const auto& member : object) {
    const auto found = std::find(step_ids.begin(), step_ids.end(), member.key());
    if (found == step_ids.end()) continue;
    const JsonObject* step = member.value().if_object();
    if (step == nullptr) return fail(ErrorKind::corrupt, "a step is not an object");
    auto prompt = json_string(*step, "prompt"), output = json_string(*step, "output"),
         model = json_string(*step, "model");
    if (!prompt || !output || !model) return fail(ErrorKind::corrupt, "a step lacks its prompt, output or model");
    StepOutcome outcome;
    outcome.prompt = std::move(*prompt);
    outcome.output = std::move(*output);
    outcome.model = std::move(*model);
    steps[static_cast<std::size_t>(found - step_ids.begin())] = std::move(outcome);
  }
  return steps;
}

}  // namespace palette::generate
