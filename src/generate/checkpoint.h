// The checkpoint: which batches of a part are committed, how many of their records failed, what they used. A cache: the
// batch objects are the truth. Two checkpoints are merged by a join (commutative, associative, idempotent), so that it
// does not matter who saves in which order.
//
// In JSON: {job_id, part, revision, completed_batches: [[1,24],[26,26]], failed: {"<batch>[-r<round>]": n},
//           usage: {"<attempt>": {"<model>": {…}}}, started_at} and figures that are derived from these.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/ids.h"
#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "job/extents.h"
#include "model/model.h"
#include "store/object_store.h"

namespace palette::generate {

// What calls of one model used.
struct ModelUsage {
  std::int64_t calls = 0;
  model::Usage usage;
  Money cost;

  void add(const model::Usage& more, Money more_cost) {
    ++calls;
    usage += more;
    cost += more_cost;
  }
  ModelUsage& operator+=(const ModelUsage& other);
  ModelUsage& operator-=(const ModelUsage& other);
  std::int64_t tokens() const { return usage.input_tokens + usage.output_tokens; }
  bool operator==(const ModelUsage&) const = default;
};

using UsageByModel = std::map<std::string, ModelUsage>;
JsonObject usage_to_json(const UsageByModel& usage);

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
  std::map<std::int64_t, UsageByModel> usage;  // by attempt
  UtcTime started_at;

  // The least that holds both; the revision is the higher one.
  static Checkpoint join(const Checkpoint& a, const Checkpoint& b);

  std::int64_t records_failed() const;
  std::int64_t records_generated(const job::Extents& extents) const;  // succeeded, in committed batches
  UsageByModel usage_total() const;

  // `extents` and `now` are for the derived figures.
  std::string to_text(const job::Extents& extents, UtcTime now) const;
  static Result<Checkpoint> from_text(std::string_view text);

  bool operator==(const Checkpoint&) const = default;
};

// Reads the part's checkpoint; none when the part never saved one. corrupt stops the attempt: it is never taken as
// empty.
async::Task<Result<std::optional<Checkpoint>>> load_checkpoint(store::ObjectStore& objects, JobId job, PartNumber part);

// Joins `mine` with what is stored and saves it conditionally (If-Match, If-None-Match), again while others are faster.
// Gives what stands now.
async::Task<Result<Checkpoint>> save_checkpoint(store::ObjectStore& objects, Checkpoint mine, job::Extents extents,
                                                UtcTime now);

}  // namespace palette::generate
