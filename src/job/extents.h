// Which records make up which batch. A job starts with one extent; an extension adds one, and what stands is never cut
// anew: 120 records extended to 200 are batches 1-3 (0-119) and, in a second extent, 4 (120-169) and 5 (170-199).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"

namespace palette::job {

struct Extent {
  std::int64_t first_record = 0;
  std::int64_t count = 0;
  std::int64_t first_batch = 1;
  std::int64_t interval = 50;  // records of a batch; the last may have fewer

  std::int64_t batches() const { return (count + interval - 1) / interval; }
  bool operator==(const Extent&) const = default;
};

// Records [first, first + count).
struct RecordRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const RecordRange&) const = default;
};

class Extents {
 public:
  Extents() = default;
  explicit Extents(std::vector<Extent> list) : list_(std::move(list)) {}
  // The extents of a new job.
  static Extents of(std::int64_t num_records, std::int64_t interval);
  // corrupt unless they are contiguous, from record 0 and batch 1.
  static Result<Extents> from_json(const JsonArray& array);
  JsonArray to_json() const;

  std::int64_t records() const;
  std::int64_t batches() const;
  // `batch` in [1, batches()].
  RecordRange records_of(BatchNumber batch) const;
  // The batch of record `index` in [0, records()).
  BatchNumber batch_of(RecordIndex index) const;

  // The part, of `parts` that share the job, which makes `batch`: each extent is cut into as many runs of batches as
  // there are parts, as even as can be, so that an extension is shared by all parts again.
  PartNumber part_of(BatchNumber batch, std::int64_t parts) const;

  // More records than now: one extent is added, in batches of `interval`.
  void extend_to(std::int64_t num_records, std::int64_t interval);

  const std::vector<Extent>& list() const { return list_; }
  bool operator==(const Extents&) const = default;

 private:
  std::vector<Extent> list_;
};

// Object keys (DESIGN.md section 5).
// jobs/J/outputs/batch-0001.jsonl, and of the k-th retry batch-0001-rk.jsonl.
std::string batch_key(const JobId& job, BatchNumber batch, std::int64_t round = 0);
std::string failures_key(const JobId& job, BatchNumber batch,
                         AttemptNumber attempt);                // jobs/J/failures/batch-0001-0003.jsonl
std::string journal_prefix(const JobId& job, PartNumber part);  // journal/J/attempt-0001-
std::string journal_key(const JobId& job, PartNumber part, AttemptNumber attempt);  // journal/J/attempt-0001-0003.jsonl
std::string checkpoint_key(const JobId& job, PartNumber part);                      // jobs/J/checkpoint.json
std::string spec_key(const JobId& job);
std::string outputs_prefix(const JobId& job);   // jobs/J/outputs/batch-
std::string failures_prefix(const JobId& job);  // jobs/J/failures/batch-

struct BatchObject {
  BatchNumber batch;
  std::int64_t round = 0;  // outputs: 0, or r1, r2 …
  AttemptNumber attempt;   // failures
};

// The parts of such a key; corrupt when it is none.
Result<BatchObject> parse_batch_key(const std::string& key);

}  // namespace palette::job
