#include "generate/batch.h"

#include <algorithm>

#include "generate/lines.h"

namespace palette::generate {
namespace {

std::unexpected<Error> corrupt(std::string message) { return fail(ErrorKind::corrupt, std::move(message)); }

Status add_line(Spending& spending, std::string_view line) {
  const Result<Json> json = parse_json(line);
  if (!json || !json->is_object()) return corrupt("the line is not a JSON object");
  const auto steps = json_object(json->get_object(), "generation_result");
  if (!steps) return std::unexpected(steps.error());
  for (const auto& member : **steps) {
    const JsonObject* step = member.value().if_object();
    if (step == nullptr) return corrupt("a step is not an object");
    const auto model = json_string(*step, "model");
    const auto used = json_object(*step, "usage");
    const Json* cost = step->if_contains("cost_usd");
    if (!model || !used || cost == nullptr) return corrupt("a step lacks its model, usage or cost");
    const Result<model::Usage> tokens = tokens_from_json(**used);
    const Result<Money> money = Money::from_decimal(to_json_text(*cost));
    if (!tokens || !money) return corrupt("a step's usage cannot be read");
    spending.add(*model, std::string(member.key()), *tokens, *money);
  }
  return {};
}

}  // namespace

Result<BatchContent> read_batch(std::string_view text, const JobId& job, const job::RecordRange& range) {
  BatchContent out;
  for (const std::string_view line : Lines(text)) {
    const Result<RecordIndex> index = index_of_line(line, job);
    if (!index) return std::unexpected(index.error());
    if (index->value < range.first || index->value >= range.first + range.count) {
      return corrupt("record " + std::to_string(index->value) + " does not belong to this batch");
    }
    if (!out.indexes.empty() && index->value <= out.indexes.back()) {
      return corrupt("record " + std::to_string(index->value) + " stands twice or out of order");
    }
    out.indexes.push_back(index->value);
    if (Status added = add_line(out.spending, line); !added) return std::unexpected(added.error());
  }
  return out;
}

void add_steps(Spending& spending, const StepIds& step_ids, const RecordState& state, bool only_new) {
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    const auto& step = state.steps[i];
    if (step && !(only_new && step->booked)) spending.add(step->model, step_ids[i], step->usage, step->cost);
  }
}

void add_unused(Spending& spending, const RecordState& state) {
  if (!state.failure) return;
  for (const UnusedAnswer& answer : state.failure->unused)
    spending.add(answer.model, answer.step, answer.usage, answer.cost);
}

async::Task<Result<RecordsByIndex>> read_failures(store::ObjectStore& objects, JobId job, BatchNumber batch,
                                                  StepIds step_ids, std::set<std::int64_t> succeeded) {
  RecordsByIndex out;
  const std::string prefix = job::failures_prefix(job) + zero_padded(batch.value, 4) + "-";
  const Result<std::vector<store::ObjectInfo>> listed = co_await store::list_all(objects, prefix);
  if (!listed) co_return std::unexpected(listed.error());
  for (const store::ObjectInfo& info : *listed) {  // in the order of the attempts
    const Result<store::Object> object = co_await objects.get(info.key);
    if (!object) co_return std::unexpected(object.error());
    for (const std::string_view line : Lines(object->body)) {
      Result<RecordState> state = parse_journal_line(line, step_ids);
      if (!state) co_return std::unexpected(state.error().at(objects.location(info.key)));
      if (succeeded.contains(state->index.value)) continue;
      const auto [entry, first] = out.try_emplace(state->index.value);
      const std::vector<std::optional<StepOutcome>>& before = entry->second.steps;
      for (std::size_t i = 0; i < state->steps.size(); ++i) {
        if (state->steps[i]) state->steps[i]->booked = first || before[i].has_value();
      }
      entry->second = std::move(*state);
    }
  }
  co_return out;
}

}  // namespace palette::generate
