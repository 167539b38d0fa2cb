#include "cli/job_estimate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kCall_ms = 500, kOutputToken_ms = 20;
constexpr double kMinute_ms = 60'000;

Result<Money> money_in(const JsonObject& object, std::string_view key) {
  const auto text = json_string(object, key);
  if (!text) return std::unexpected(text.error());
  return Money::from_decimal(*text);
}

Result<KeptEstimate> read_estimate(const JsonObject& object) {
  const auto expected = money_in(object, "expected_usd"), low = money_in(object, "low_usd"),
             high = money_in(object, "high_usd");
  for (const Result<Money>* amount : {&expected, &low, &high}) {
    if (!*amount) return std::unexpected(amount->error());
  }
  const auto records = json_int(object, "records");
  if (!records) return std::unexpected(records.error());
  const Json* calibrated = object.if_contains("calibrated");
  if (calibrated == nullptr || !calibrated->is_bool() || *records < 1)
    return fail(ErrorKind::corrupt, "'calibrated' or 'records' is not as it was written");
  return KeptEstimate{*expected, *low, *high, calibrated->get_bool(), *records};
}

Money scaled(Money amount, std::int64_t number, std::int64_t of) {
  const double pico = static_cast<double>(amount.pico) * static_cast<double>(number) / static_cast<double>(of);
  return pico >= static_cast<double>(Money::kPicoMax) ? Money{Money::kPicoMax}
                                                      : Money{static_cast<std::int64_t>(std::llround(pico))};
}

// What the rates of the job allow at best: each model has its own.
double slowest_rate_ms(const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  struct Load {
    double calls = 0, tokens = 0;
  };
  std::map<std::string, Load> loads;
  for (std::size_t i = 0; i < estimate.steps.size(); ++i) {
    if (prepared.step_models[i].front().parsed.provider == job::Provider::offline) continue;
    const generate::StepEstimate& step = estimate.steps[i];
    Load& load = loads[step.model];
    load.calls += static_cast<double>(estimate.records);
    load.tokens +=
        static_cast<double>(estimate.records) * static_cast<double>(step.input_tokens_mean + step.output_tokens_mean);
  }
  double out = 0;
  for (const auto& [model, load] : loads) {
    if (const auto rate = prepared.spec.requests_per_minute)
      out = std::max(out, load.calls / static_cast<double>(*rate) * kMinute_ms);
    if (const auto rate = prepared.spec.tokens_per_minute)
      out = std::max(out, load.tokens / static_cast<double>(*rate) * kMinute_ms);
  }
  return out;
}

std::int64_t duration_ms(double record_ms, const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  const double rounds = std::max(1.0, static_cast<double>(estimate.records) /
                                          static_cast<double>(std::max<std::int64_t>(1, prepared.spec.concurrency)));
  return std::llround(std::max(record_ms * rounds, slowest_rate_ms(estimate, prepared)));
}

struct Accuracy {
  KeptEstimate estimate;
  std::int64_t off_percent = 0;  // of the estimate: above zero when it cost more
};

Result<std::optional<Accuracy>> accuracy_of(const store::JobItem& job, job::JobStatus ended, Money cost) {
  if (ended != job::JobStatus::completed || cost <= Money{}) return std::nullopt;
  const auto kept = kept_estimate(job.spec_fields);
  if (!kept) return std::unexpected(kept.error());
  if (!*kept || (*kept)->expected <= Money{}) return std::nullopt;
  Accuracy out{(*kept)->for_records(job.num_records)};
  const double ratio =
      static_cast<double>(cost.pico) / static_cast<double>(std::max<std::int64_t>(1, out.estimate.expected.pico));
  out.off_percent = std::llround((ratio - 1) * 100);
  return out;
}

}  // namespace

KeptEstimate KeptEstimate::for_records(std::int64_t number) const {
  return {scaled(expected, number, records), scaled(low, number, records), scaled(high, number, records), calibrated,
          number};
}

JsonObject KeptEstimate::to_json() const {
  return JsonObject{{"expected_usd", expected.to_decimal()},
                    {"low_usd", low.to_decimal()},
                    {"high_usd", high.to_decimal()},
                    {"calibrated", calibrated},
                    {"records", records}};
}

Result<std::optional<KeptEstimate>> kept_estimate(const JsonObject& spec_fields) {
  const Json* value = spec_fields.if_contains("estimate");
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return fail(ErrorKind::corrupt, "the job's estimate is no object");
  Result<KeptEstimate> read = read_estimate(value->get_object());
  if (!read) return fail(ErrorKind::corrupt, "the job's estimate cannot be read: " + read.error().message);
  return *read;
}

KeptEstimate kept_of(const generate::Estimate& estimate) {
  return {estimate.expected, Money{}, estimate.bound, false, estimate.records};
}

std::optional<KeptEstimate> better_of(std::optional<KeptEstimate> older, std::optional<KeptEstimate> newer) {
  if (!newer || (older && older->calibrated && !newer->calibrated)) return older;
  return newer;
}

std::string rounded_dollars(Money amount, Rounding rounding) {
  std::int64_t unit = 10'000'000'000;  // a cent
  while (unit > 1 && amount.pico > 0 && amount.pico < 100 * unit) unit /= 10;
  const std::int64_t rest = amount.pico % unit;
  const bool goes_up = rest > 0 && (rounding == Rounding::up || (rounding == Rounding::nearest && 2 * rest >= unit));
  return dollars((Money{amount.pico - rest} + Money{goes_up ? unit : 0}).to_decimal());
}

std::int64_t expected_duration_ms(const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  double record_ms = 0;
  for (std::size_t i = 0; i < estimate.steps.size(); ++i) {
    const job::ModelName& model = prepared.step_models[i].front().parsed;
    record_ms += static_cast<double>(model.provider == job::Provider::offline
                                         ? model.latency_ms
                                         : kCall_ms + kOutputToken_ms * estimate.steps[i].output_tokens_mean);
  }
  return duration_ms(record_ms, estimate, prepared);
}

std::int64_t measured_duration_ms(std::int64_t took_ms, std::int64_t records, const generate::Estimate& estimate,
                                  const generate::PreparedJob& prepared) {
  const std::int64_t rounds = (records + prepared.spec.concurrency - 1) / prepared.spec.concurrency;
  return duration_ms(static_cast<double>(took_ms) / static_cast<double>(std::max<std::int64_t>(1, rounds)), estimate,
                     prepared);
}

bool has_bound(const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  for (std::size_t i = 0; i < estimate.steps.size(); ++i) {
    const bool is_offline = prepared.step_models[i].front().parsed.provider == job::Provider::offline;
    if (!is_offline && estimate.steps[i].output_tokens_max == 0) return false;
  }
  return true;
}

std::string cost_text(const generate::Estimate& estimate, const generate::PreparedJob& prepared) {
  if (!estimate.priced && estimate.expected == Money{}) return "not known";
  if (estimate.priced && estimate.expected == Money{} && estimate.bound == Money{}) return "nothing";
  std::string out = "about " + rounded_dollars(estimate.expected);
  if (has_bound(estimate, prepared)) out += ", at most " + rounded_dollars(estimate.bound, Rounding::up);
  return estimate.priced ? out : out + ", and what models without a known price cost";
}

std::string told_accuracy(const store::JobItem& job, job::JobStatus ended, Money cost) {
  const auto accuracy = accuracy_of(job, ended, cost);
  if (!accuracy) return "How good the estimate was cannot be told: " + accuracy.error().message + ".";
  if (!*accuracy) return "";
  const KeptEstimate& estimate = (*accuracy)->estimate;
  const std::string range = estimate.calibrated ? rounded_dollars(estimate.low, Rounding::down) + " to " +
                                                      rounded_dollars(estimate.high, Rounding::up)
                                                : "at most " + rounded_dollars(estimate.high, Rounding::up);
  const std::int64_t off = (*accuracy)->off_percent;
  return "Estimated " + rounded_dollars(estimate.expected) + " (" + range + ") before: it cost " +
         (off == 0 ? "as much." : grouped(std::abs(off)) + " % " + (off > 0 ? "more." : "less."));
}

std::optional<JsonObject> accuracy_json(const store::JobItem& job, job::JobStatus ended, Money cost) {
  const auto accuracy = accuracy_of(job, ended, cost);
  if (!accuracy) return JsonObject{{"error", accuracy.error().message}};
  if (!*accuracy) return std::nullopt;
  JsonObject out = (*accuracy)->estimate.to_json();
  out["off_percent"] = (*accuracy)->off_percent;
  return out;
}

}  // namespace palette::cli
