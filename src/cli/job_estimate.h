// What a job is expected to cost and how long it may take: as `estimate` and `run` show it, as a job keeps it, and how
// good it was at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "generate/estimate.h"
#include "generate/preflight.h"
#include "store/job_store.h"

namespace palette::cli {

// In the Jobs item, spec_fields["estimate"]: {"expected_usd","low_usd","high_usd","calibrated","records"}; amounts are
// decimals, of `records` records.
struct KeptEstimate {
  Money expected;
  Money low, high;          // calibrated: hold the cost with about 95 %; else nothing, and the most that it can be
  bool calibrated = false;  // measured on records of the job
  std::int64_t records = 0;

  KeptEstimate for_records(std::int64_t number) const;  // cost goes with the number of records
  JsonObject to_json() const;
};

// Nothing when the job has none; corrupt when it has something else there.
Result<std::optional<KeptEstimate>> kept_estimate(const JsonObject& spec_fields);

// Of an estimate that was not measured.
KeptEstimate kept_of(const generate::Estimate& estimate);

// Which of the two a job keeps: what was measured stands against what was not, else the newer one.
std::optional<KeptEstimate> better_of(std::optional<KeptEstimate> older, std::optional<KeptEstimate> newer);

// "$0.0123", "$12.35": cents, or three digits below a dollar. Up for a bound from above.
enum class Rounding : std::uint8_t { nearest, up, down };
std::string rounded_dollars(Money amount, Rounding rounding = Rounding::nearest);

// How long the job may take. A call takes 0.5 s and 20 ms for each token of its answer (offline: its latency_ms), a
// record its steps one after the other, `concurrency` records at once; requests_per_minute and tokens_per_minute of
// each model stretch it.
std::int64_t expected_duration_ms(const generate::Estimate& estimate, const generate::PreparedJob& prepared);

// The same with a record's time measured: `took_ms` for `records` of them.
std::int64_t measured_duration_ms(std::int64_t took_ms, std::int64_t records, const generate::Estimate& estimate,
                                  const generate::PreparedJob& prepared);

// "about $1.20, at most $4.50", with what of it is not known.
std::string cost_text(const generate::Estimate& estimate, const generate::PreparedJob& prepared);

// Is the most that a record may cost known: does every priced model say how long its answers can be?
bool has_bound(const generate::Estimate& estimate, const generate::PreparedJob& prepared);

// At the end of a run that completed the job: "Estimated $1.20 ($1.10 to $1.31) before: it cost 3 % more."; empty when
// there was no estimate, nothing was paid, or the run ended otherwise. A kept estimate that cannot be read is said to
// be so.
std::string told_accuracy(const store::JobItem& job, job::JobStatus ended, Money cost);

// The same for machines: the kept estimate, scaled to the job's records, with "off_percent". Nothing where
// told_accuracy is empty.
std::optional<JsonObject> accuracy_json(const store::JobItem& job, job::JobStatus ended, Money cost);

}  // namespace palette::cli
