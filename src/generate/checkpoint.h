// The checkpoint: which batches of a part are committed, how many of their records failed, what they used. A cache: the
// batch objects are the truth. Two checkpoints are merged by a join (commutative, associative, idempotent), so that it
// does not matter who saves in which order.
//
// In JSON: {job_id, part, revision, completed_batches: [[1,24],[26,26]], failed: {"<batch>[-r<round>]": n},
//           usage: {"<attempt>": {"<model>": {…}}}, steps: {"<attempt>": {"<step>": {…}}},
//           waste: {"<attempt>": {"<model>": {…}}}, started_at} and figures that are derived from these.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/ids.h"
#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "generate/usage.h"
#include "job/extents.h"
#include "store/object_store.h"

namespace palette::generate {

// A set of batch numbers as ranges.
class BatchSet {
 public:
  void add(std::int64_t batch);
  bool contains(std::int64_t batch) const;
  std::int64_t size() const;
  // The last batch of the run that starts at `first`; first - 1 when `first` is not in.
  std::int64_t contiguous_from(std::int64_t first) const;
  const std::map<std::int64_t, std::int64_t>& ranges() const { return ranges_; }  // first -> last
  bool operator==(const BatchSet&) const = default;

 private:
  std::map<std::int64_t, std::int64_t> ranges_;
};

struct Checkpoint {
  JobId job;
  PartNumber part{1};
  std::int64_t revision = 0;
  BatchSet completed;
  // Of batches with failed records: round 0 is the batch itself, round k the k-th retry; the last round counts.
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> failed;
  // By attempt. Usage is what the records of committed batches took, failed ones included; steps the same calls by
  // step. Waste is what was paid, or may have been, for calls that gave nothing.
  std::map<std::int64_t, UsageByModel> usage;
  std::map<std::int64_t, UsageByStep> steps;
  std::map<std::int64_t, UsageByModel> waste;
  UtcTime started_at;

  // The least that holds both; the revision is the higher one.
  static Checkpoint join(const Checkpoint& a, const Checkpoint& b);

  std::int64_t records_failed() const;
  std::int64_t records_generated(const job::Extents& extents) const;  // succeeded, in committed batches
  UsageByModel usage_total() const;
  UsageByStep steps_total() const;
  UsageByModel waste_total() const;
  Money cost() const;  // usage and waste
  void book(AttemptNumber attempt, const Spending& spending);

  // `extents`, the number of parts that share them, and `now` are for the derived figures.
  std::string to_text(const job::Extents& extents, std::int64_t parts, UtcTime now) const;
  static Result<Checkpoint> from_text(std::string_view text);

  bool operator==(const Checkpoint&) const = default;
};

// Reads the part's checkpoint; none when the part never saved one. corrupt stops the attempt: it is never taken as
// empty.
async::Task<Result<std::optional<Checkpoint>>> load_checkpoint(store::ObjectStore& objects, JobId job, PartNumber part);

struct SavedCheckpoint {
  Checkpoint checkpoint;
  std::string etag = {};  // of the object that holds it, or less; empty: not known
};

// Joins `mine` with what is stored and saves it conditionally (If-Match, If-None-Match), again while others are faster.
// What `mine.etag` names is part of `mine` already: it is not read again. Gives what stands now.
async::Task<Result<SavedCheckpoint>> save_checkpoint(store::ObjectStore& objects, SavedCheckpoint mine,
                                                     job::Extents extents, std::int64_t parts, UtcTime now);

}  // namespace palette::generate
