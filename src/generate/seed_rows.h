// Seed rows as templates see them, kept parsed while they fit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
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

  // Can of_record() give the record's row without waiting? Always so for rows of a file; for those of a large object
  // where they are kept.
  bool is_at_hand(RecordIndex index) const;
  // The row that record `index` is made from. internal when it is not at hand.
  Result<std::shared_ptr<const SeedRow>> of_record(RecordIndex index);
  // The same of any row. On the loop's thread. Errors: those of SeedData::row_text_of.
  async::Task<Result<std::shared_ptr<const SeedRow>>> fetch(RecordIndex index);
  // For an estimate: the record's row where it is at hand, else one of those that are.
  Result<std::shared_ptr<const SeedRow>> sample_of(RecordIndex index);

 private:
  std::uint64_t row_of(RecordIndex index) const;
  Result<std::shared_ptr<const SeedRow>> at_hand(std::uint64_t row);
  std::shared_ptr<const SeedRow> keep(std::uint64_t row, std::shared_ptr<const SeedRow> parsed);

  const dataset::SeedData& seeds_;
  job::SeedSampling sampling_;
  std::uint64_t seed_;
  std::vector<std::shared_ptr<const SeedRow>> kept_;  // by row; empty when the rows are too many to keep
  std::size_t kept_bytes_ = 0;
};

}  // namespace palette::generate
