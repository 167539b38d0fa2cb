#include "cli/estimate_output.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "cli/table.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

bool is_offline(const job::ResolvedModel& model) { return model.parsed.provider == job::Provider::offline; }

// The price of a step's first model is known.
bool is_priced(const generate::PreparedJob& prepared, std::size_t step) {
  const std::string tier = prepared.compiled.steps[step].options.service_tier.value_or("");
  return prepared.step_models[step].front().prices(tier).has_value();
}

TableRow cells_of(const generate::StepEstimate& step, const generate::PreparedJob& prepared, std::size_t i) {
  const bool free = is_offline(prepared.step_models[i].front()), priced = is_priced(prepared, i);
  const bool bounded = priced && step.output_tokens_max > 0;
  return {step.step,
          grouped(step.input_tokens_mean),
          grouped(step.output_tokens_mean),
          step.output_tokens_max > 0 ? grouped(step.output_tokens_max) : "?",
          free     ? "free"
          : priced ? rounded_dollars(step.expected)
                   : "?",
          free      ? "free"
          : bounded ? rounded_dollars(step.bound, Rounding::up)
                    : "?",
          step.model};
}

void line(const char* name, const std::string& value) { std::printf("%-7s  %s\n", name, value.c_str()); }

std::string time_text(std::int64_t ms) {
  if (ms < 1'000) return "less than a second";
  const std::int64_t seconds = (ms + 500) / 1'000;
  return "about " + (seconds < 60 ? std::to_string(seconds) + " s" : duration_text(seconds * 1'000));
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void print_guessed(const generate::Estimate& estimate, const generate::PreparedJob& prepared, const CallCosts& costs) {
  std::vector<std::string> unpriced = costs.unpriced;
  unpriced.insert(unpriced.end(), costs.uncounted.begin(), costs.uncounted.end());
  if (generate::is_offline(prepared)) {
    line("cost", "nothing: its models are offline stand-ins");
  } else {
    line("cost",
         cost_text(estimate, prepared) + (unpriced.empty() ? "" : " (no price is known for " + joined(unpriced) + ")"));
  }
  line("tokens", "about " + grouped(estimate.tokens()));
  line("time", time_text(expected_duration_ms(estimate, prepared)));
}

void print_measured(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                    const Measured& measured) {
  const generate::Calibrated& figures = measured.figures;
  const bool paid = figures.expected > Money{};
  std::string cost = !estimate.priced && !paid ? "not known" : "nothing";
  if (paid && measured.is_whole()) {
    cost = rounded_dollars(figures.expected) + ", every record is made";
  } else if (paid) {
    cost = "about " + rounded_dollars(figures.expected) + " (" + rounded_dollars(figures.low, Rounding::down) + " to " +
           rounded_dollars(figures.high, Rounding::up) + ", 95 %)";
    if (has_bound(estimate, prepared)) cost += ", at most " + rounded_dollars(estimate.bound, Rounding::up);
  }
  line("cost", cost);
  line("tokens", "about " + grouped(figures.tokens_mean * measured.records_total));
  line("time", time_text(measured.duration_ms));
}

void print_notes(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                 const std::optional<Measured>& measured) {
  const std::int64_t looked_at = std::min<std::int64_t>(estimate.records, 100);
  std::printf(
      "\nPrompts: %s of the job, rendered%s; four bytes are taken as a token.\n",
      counted(estimate.sampled, "record").c_str(),
      estimate.sampled < looked_at ? (" (" + grouped(looked_at - estimate.sampled) + " more failed)").c_str() : "");
  if (measured) {
    std::printf(
        "Measured: %s%s, %s, %s. The job %s keeps them; run goes on with it.\n"
        "The table has the guess from before: how long answers are (half of the most, at most 512 tokens).\n",
        counted(measured->figures.records, "record").c_str(),
        measured->failed > 0 ? (", " + grouped(measured->failed) + " of them failed").c_str() : "",
        rounded_dollars(measured->paid).c_str(), measured->made_now > 0 ? "made now" : "made before",
        measured->job_id.c_str());
  } else if (!generate::is_offline(prepared)) {
    std::printf("A guess: how long answers are (half of the most, at most 512 tokens); --calibrate 5 measures it.\n");
  }
  if (generate::is_offline(prepared) || (!estimate.priced && estimate.bound == Money{})) return;
  if (has_bound(estimate, prepared)) {
    std::printf(
        "A bound: \"at most\" takes every byte of a prompt as a token and every answer at its longest; retries come "
        "on top.\n");
  } else {
    std::printf("No bound: a model does not say how long its answers can be; max_tokens in the job gives one.\n");
  }
}

Json known(bool is_known, const std::string& text) { return is_known ? Json(text) : Json(nullptr); }

JsonArray steps_json(const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  JsonArray out;
  for (std::size_t i = 0; i < estimate.steps.size(); ++i) {
    const generate::StepEstimate& step = estimate.steps[i];
    const bool priced = is_priced(prepared, i);
    const bool bounded = priced && (step.output_tokens_max > 0 || is_offline(prepared.step_models[i].front()));
    out.emplace_back(
        JsonObject{{"step", step.step},
                   {"model", step.model},
                   {"prompt_tokens_mean", step.input_tokens_mean},
                   {"answer_tokens_mean", step.output_tokens_mean},
                   {"answer_tokens_max", step.output_tokens_max > 0 ? Json(step.output_tokens_max) : Json(nullptr)},
                   {"record_expected_usd", known(priced, step.expected.to_decimal())},
                   {"record_at_most_usd", known(bounded, step.bound.to_decimal())}});
  }
  return out;
}

JsonObject measured_json(const Measured& measured) {
  const generate::Calibrated& figures = measured.figures;
  return JsonObject{{"job_id", measured.job_id},
                    {"records", figures.records},
                    {"failed", measured.failed},
                    {"made_now", measured.made_now},
                    {"paid_usd", measured.paid.to_decimal()},
                    {"expected_usd", figures.expected.to_decimal()},
                    {"low_usd", figures.low.to_decimal()},
                    {"high_usd", figures.high.to_decimal()},
                    {"tokens", figures.tokens_mean * measured.records_total},
                    {"duration_ms", measured.duration_ms}};
}

}  // namespace

void print_estimate(const generate::Estimate& estimate, const generate::PreparedJob& prepared, const CallCosts& costs,
                    const std::optional<Measured>& measured) {
  std::vector<TableRow> table = {
      {"STEP", "PROMPT TOKENS", "ANSWER TOKENS", "MOST", "COST OF A RECORD", "AT MOST", "MODEL"}};
  for (std::size_t i = 0; i < estimate.steps.size(); ++i) table.push_back(cells_of(estimate.steps[i], prepared, i));
  print_table(table, {1, 2, 3, 4, 5});
  std::printf("\n");
  line("records", grouped(estimate.records));
  line("calls", grouped(estimate.calls));
  if (measured) {
    print_measured(estimate, prepared, *measured);
  } else {
    print_guessed(estimate, prepared, costs);
  }
  print_notes(estimate, prepared, measured);
}

JsonObject estimate_json(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                         const std::optional<Measured>& measured) {
  const bool known_at_all = estimate.priced || estimate.expected > Money{};
  JsonObject out;
  out["name"] = prepared.spec.name;
  out["records"] = estimate.records;
  out["calls"] = estimate.calls;
  out["records_sampled"] = estimate.sampled;
  out["steps"] = steps_json(estimate, prepared);
  out["tokens"] = estimate.tokens();
  out["priced"] = estimate.priced;  // false: the sums leave out the models without a known price
  out["expected_usd"] = known(known_at_all, estimate.expected.to_decimal());
  out["at_most_usd"] =
      known(known_at_all && estimate.priced && has_bound(estimate, prepared), estimate.bound.to_decimal());
  out["duration_ms"] = expected_duration_ms(estimate, prepared);
  out["calibrated"] = measured ? Json(measured_json(*measured)) : Json(nullptr);
  return out;
}

}  // namespace palette::cli
