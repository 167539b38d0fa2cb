// The rows of CostTracking: one for each committed batch, and one where an attempt begins or ends and the rows do not
// say all that was spent. The deltas of a job's rows add up to what it cost, to the pico-dollar.
//
//   bedrock_tokens, fargate_hours, s3_operations, records_generated, ttl (seconds since 1970, 90 days on),
//   estimated_cost {bedrock, fargate, s3, dynamodb, total}, fargate_hours, s3_operations, bedrock_tokens: of the part
//   so far; delta_usd: since its last row, models {"<model>": {calls, …tokens, cost_usd}}: of this attempt, waste
//   included. Amounts are decimals in USD.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/ids.h"
#include "base/time.h"
#include "generate/ledger.h"
#include "generate/resume.h"
#include "store/job_store.h"

namespace palette::generate {

class CostBook {
 public:
  // Everything must outlive it.
  CostBook(store::JobStore& jobs, PartContext context, const Ledger& ledger, const Clock& clock);

  // `spent` (on models) and `tokens`: what is known of earlier attempts; infrastructure is known from their rows alone.
  // Rows that a crash left unwritten are made up for by one.
  async::Task<Status> open(Money spent, std::int64_t tokens);

  // Of earlier attempts, with their infrastructure.
  Money spent_before() const { return spent_before_ + infrastructure_before_.total(); }

  // Notes a row; written by the next write(), which must come after everything that the ledger has settled is kept.
  void batch_committed(BatchNumber batch, std::int64_t records);
  async::Task<Status> write();

  // A last row for what was spent since the last batch.
  async::Task<Status> close();

 private:
  void note(std::string_view reason, BatchNumber batch, std::int64_t records);

  store::JobStore& jobs_;
  PartContext context_;
  const Ledger& ledger_;
  const Clock& clock_;
  Money total() const { return spent_before() + ledger_.spent(); }

  Money spent_before_, told_;  // told: by the rows so far
  Infrastructure infrastructure_before_;
  std::int64_t tokens_before_ = 0, tokens_told_ = 0;
  std::int64_t sequence_ = 0;
  std::vector<store::CostRow> pending_;
};

// What a job's parts (1 to `parts`, and its export) have cost beside models, as their rows tell it.
async::Task<Result<Infrastructure>> infrastructure_spent(store::JobStore& jobs, JobId job, std::int64_t parts);

}  // namespace palette::generate
