#include "generate/estimate.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "generate/pipeline.h"
#include "generate/seed_rows.h"
#include "model/call_bound.h"

namespace palette::generate {
namespace {

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kGuessedAnswerTokens = 512;
constexpr std::size_t kStandInBytesMax = 64 * limits::kKiB;
constexpr std::string_view kStandInWords = "of the same length as an answer would have ";

std::string stand_in(std::int64_t tokens) {
  const auto bytes = std::min(static_cast<std::size_t>(tokens * kBytesPerToken), kStandInBytesMax);
  std::string out;
  while (out.size() < bytes) out += kStandInWords;
  out.resize(bytes);
  return out;
}

// What a step's calls can be, whatever the record.
struct StepFigures {
  std::int64_t output_tokens_max = 0, output_tokens_mean = 0;
  std::vector<job::TokenPrices> prices;  // of its models that have one
};

class Estimator {
 public:
  explicit Estimator(const PreparedJob& prepared)
      : job_(prepared), rows_(*prepared.seeds, prepared.spec.seed_sampling, prepared.spec.seed) {
    for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) figures_.push_back(figures_of(i));
    steps_.resize(figures_.size());
  }

  Result<Estimate> run(std::int64_t sample_max) {
    Estimate out;
    out.records = job_.spec.num_records;
    out.priced = priced_;
    const std::int64_t sample = std::min(sample_max, out.records);
    for (std::int64_t i = 0; i < sample; ++i) {
      const Result<bool> added = add_record(RecordIndex{i * out.records / sample}, out);
      if (!added) return std::unexpected(added.error());
      out.sampled += *added;
    }
    if (out.sampled == 0) return out;
    Money expected, bound;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      StepEstimate& step = steps_[i];
      step.input_bytes_mean /= out.sampled;
      step.input_tokens_mean = (step.input_bytes_mean + kBytesPerToken - 1) / kBytesPerToken;
      step.expected.pico /= out.sampled;
      expected += step.expected;
      bound += step.bound;
      out.steps.push_back(step);
    }
    out.expected = Money::of(out.records, expected.pico);
    out.bound = Money::of(out.records, out.record_bound.pico);
    out.calls = out.records * static_cast<std::int64_t>(steps_.size());
    return out;
  }

 private:
  StepFigures figures_of(std::size_t i) {
    const job::CompiledStep& step = job_.compiled.steps[i];
    StepFigures out;
    for (const job::ResolvedModel& model : job_.step_models[i]) {
      out.output_tokens_max =
          std::max(out.output_tokens_max, model::output_tokens_max(step.options, model).value_or(0));
      if (const auto prices = model.prices(step.options.service_tier.value_or(""))) {
        out.prices.push_back(*prices);
      } else {
        priced_ = false;
      }
    }
    out.output_tokens_mean = out.output_tokens_max == 0
                                 ? kGuessedAnswerTokens
                                 : std::min(kGuessedAnswerTokens, (out.output_tokens_max + 1) / 2);
    return out;
  }

  // False when one of its templates fails.
  Result<bool> add_record(RecordIndex index, Estimate& out) {
    const auto row = rows_.sample_of(index);
    if (!row) return std::unexpected(row.error());
    std::vector<std::optional<StepOutcome>> done(job_.compiled.step_ids.size());
    std::vector<StepEstimate> steps = steps_;
    Money record_bound;
    for (std::size_t i = 0; i < job_.compiled.steps.size(); ++i) {
      const job::CompiledStep& step = job_.compiled.steps[i];
      std::vector<const StepOutcome*> visible;
      for (const auto& outcome : done) visible.push_back(outcome ? &*outcome : nullptr);
      const jinja::Value context = record_context((*row)->values, index, job_.compiled.step_ids, visible);
      const jinja::RenderOptions options = render_options(job_.spec, index);
      StepOutcome outcome;
      if (step.system) {
        Result<std::string> text = step.system->render(context, options);
        if (!text) return false;
        outcome.system = std::move(*text);
      }
      Result<std::string> prompt = step.prompt->render(context, options);
      if (!prompt) return false;
      outcome.prompt = std::move(*prompt);
      record_bound += add_call(i, outcome, steps[i]);
      outcome.output =
          stand_in(figures_[i].output_tokens_max > 0 ? figures_[i].output_tokens_max : figures_[i].output_tokens_mean);
      outcome.model = step.models.front();
      done[step.position] = std::move(outcome);
    }
    steps_ = std::move(steps);
    out.record_bound = std::max(out.record_bound, record_bound);
    return true;
  }

  // The call's bound.
  Money add_call(std::size_t i, const StepOutcome& outcome, StepEstimate& estimate) const {
    const job::CompiledStep& step = job_.compiled.steps[i];
    const StepFigures& figures = figures_[i];
    model::ModelRequest request;
    request.system = outcome.system;
    request.messages.push_back({model::Message::Role::user, outcome.prompt});
    request.options = step.options;
    request.cache_system = step.cache_system;
    const auto bytes = static_cast<std::int64_t>(outcome.system.size() + outcome.prompt.size());
    model::Usage expected{(bytes + kBytesPerToken - 1) / kBytesPerToken, figures.output_tokens_mean};
    Money bound;
    for (const job::TokenPrices& prices : figures.prices)
      bound = std::max(bound, model::bound_of(request, figures.output_tokens_max, prices).cost);
    estimate.step = step.id;
    estimate.model = step.models.front();
    estimate.input_bytes_mean += bytes;  // a sum, until run() divides it
    estimate.input_bytes_max = std::max(estimate.input_bytes_max, bytes);
    estimate.output_tokens_mean = figures.output_tokens_mean;
    estimate.output_tokens_max = figures.output_tokens_max;
    if (!figures.prices.empty()) estimate.expected += model::cost_of(expected, figures.prices.front());
    estimate.bound = std::max(estimate.bound, bound);
    return bound;
  }

  const PreparedJob& job_;
  SeedRows rows_;
  std::vector<StepFigures> figures_;  // by step of the compiled job
  std::vector<StepEstimate> steps_;   // likewise
  bool priced_ = true;
};

// Student's t for 95 %, by degrees of freedom from 1; the last goes on (it falls towards 1.96).
constexpr std::array<double, 30> kStudent95 = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                               2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                               2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

}  // namespace

std::int64_t Estimate::tokens() const {
  std::int64_t each = 0;
  for (const StepEstimate& step : steps) each += step.input_tokens_mean + step.output_tokens_mean;
  return each * records;
}

bool is_offline(const PreparedJob& job) {
  const auto of_model = [](const job::ResolvedModel& model) { return model.parsed.provider == job::Provider::offline; };
  return std::ranges::all_of(job.step_models,
                             [&](const auto& models) { return std::ranges::all_of(models, of_model); });
}

Result<Estimate> estimate_job(const PreparedJob& prepared, std::int64_t sample_max) {
  return Estimator(prepared).run(sample_max);
}

Calibrated calibrate(const std::vector<Money>& cost_of_records, std::int64_t tokens, std::int64_t records_total) {
  Calibrated out;
  out.records = static_cast<std::int64_t>(cost_of_records.size());
  if (cost_of_records.empty()) return out;
  const auto n = static_cast<double>(cost_of_records.size());
  double sum = 0, squares = 0;
  for (const Money cost : cost_of_records) sum += static_cast<double>(cost.pico);
  const double mean = sum / n;
  for (const Money cost : cost_of_records)
    squares += (static_cast<double>(cost.pico) - mean) * (static_cast<double>(cost.pico) - mean);
  // One record says nothing about how much they differ: then the interval is from nothing to twice the mean.
  const double error = n < 2 ? mean
                             : kStudent95[std::min(cost_of_records.size() - 2, kStudent95.size() - 1)] *
                                   std::sqrt(squares / (n - 1) / n);
  const auto of_all = [&](double each) {
    return Money{static_cast<std::int64_t>(std::max(0.0, each) * static_cast<double>(records_total))};
  };
  out.low = of_all(mean - error);
  out.expected = of_all(mean);
  out.high = of_all(mean + error);
  out.tokens_mean = tokens / out.records;
  return out;
}

}  // namespace palette::generate
