// What `estimate` shows: a table of the steps and the sums, or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/confirm_cost.h"
#include "cli/job_estimate.h"

namespace palette::cli {

// What --calibrate found.
struct Measured {
  generate::Calibrated figures;
  std::string job_id;
  std::int64_t records_total = 0;
  std::int64_t failed = 0;       // of the records that were measured
  std::int64_t made_now = 0;     // 0: they were there already
  std::int64_t duration_ms = 0;  // of the whole job
  Money paid;                    // for the records that were measured

  bool is_whole() const { return figures.records >= records_total; }
  KeptEstimate kept() const { return {figures.expected, figures.low, figures.high, true, records_total}; }
};

void print_estimate(const generate::Estimate& estimate, const generate::PreparedJob& prepared, const CallCosts& costs,
                    const std::optional<Measured>& measured);

// Unknown figures are null; amounts are decimals in USD.
JsonObject estimate_json(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                         const std::optional<Measured>& measured);

}  // namespace palette::cli
