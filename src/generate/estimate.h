// What a job will cost and how long it will take, before it runs: a sample of its records is rendered from the real
// seed data through the real templates; what later steps see of earlier answers is a stand-in of their length.
//
//   Result<Estimate> estimate = estimate_job(prepared, {});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "generate/preflight.h"

namespace palette::generate {

struct StepEstimate {
  std::string step, model;  // the first of its models
  std::int64_t input_bytes_mean = 0, input_bytes_max = 0;
  std::int64_t input_tokens_mean = 0;   // four bytes a token
  std::int64_t output_tokens_mean = 0;  // a guess: half of the most, at most 512
  std::int64_t output_tokens_max = 0;   // 0: not known
  Money expected, bound;                // of one record; the bound at the dearest of its models
};

struct Estimate {
  std::int64_t records = 0, sampled = 0;
  std::vector<StepEstimate> steps;
  bool priced = true;  // false: a model's price is not known, and the sums leave it out
  Money expected;      // of all records
  Money bound;         // nothing that the sample shows can cost more
  Money record_bound;  // the most that one record of the sample may cost
  std::int64_t calls = 0;

  std::int64_t tokens() const;
};

// Every model of every step is an offline stand-in: nothing can cost money.
bool is_offline(const PreparedJob& job);

// Of a large object of seed data the rows at hand stand for all. Errors: those of reading seed rows. A template that
// fails on a row of the sample is left out (the run tells it).
Result<Estimate> estimate_job(const PreparedJob& prepared, std::int64_t sample_max = 100);

// What is known after some records were made: their mean, and an interval that holds the whole with about 95 %
// (Student's t of the sample's mean).
struct Calibrated {
  std::int64_t records = 0;
  Money low, expected, high;  // of all records of the job
  std::int64_t tokens_mean = 0;
};
Calibrated calibrate(const std::vector<Money>& cost_of_records, std::int64_t tokens, std::int64_t records_total);

}  // namespace palette::generate
