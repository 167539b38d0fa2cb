// Seed rows as templates see them, kept parsed while they fit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "dataset/seed_data.h"
#include "jinja/value.h"
#include "job/spec.h"

namespace palette::generate {

struct SeedRow {
  jinja::Value values;    // a map: the row
  std::string keys_text;  // JSON: the row's `_id` where it is a string or a number, else the row's number (from 0)
  std::size_t text_bytes = 0;
};

// Of one job; lives on one thread.
class SeedRows {
 public:
  SeedRows(const dataset::SeedData& seeds, job::SeedSampling sampling, std::uint64_t seed);

  // The row that record `index` is made from.
  Result<std::shared_ptr<const SeedRow>> of_record(RecordIndex index);

 private:
  Result<std::shared_ptr<const SeedRow>> read(std::uint64_t row) const;

  const dataset::SeedData& seeds_;
  job::SeedSampling sampling_;
  std::uint64_t seed_;
  std::vector<std::shared_ptr<const SeedRow>> kept_;  // by row; empty when the rows are too many to keep
  std::size_t kept_bytes_ = 0;
};

}  // namespace palette::generate
