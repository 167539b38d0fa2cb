// Makes the records of a part that this process has claimed: what stands is read, accounts are opened, models are put
// together, records are made. `run` does it under a file lock, a worker under a lease.
//
//   PartRun part(places, prepared, claimed, settings, control, progress);
//   if (Status opened = co_await part.open(); !opened) …
//   Result<generate::GenerateReport> report = co_await part.make();
//   if (Status closed = co_await part.close(); !closed) …   // also after an error
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "async/gate.h"
#include "generate/cost_book.h"
#include "generate/generator.h"
#include "generate/ledger.h"
#include "generate/preflight.h"
#include "model/connections.h"
#include "model/model_health.h"
#include "store/job_store.h"
#include "store/object_store.h"

namespace palette::worker {

struct ClaimedPart {
  store::JobItem job;     // as it stood after the claim
  store::QueueItem held;  // the claim
  job::Extents extents;
};

// Where everything is; all of it must outlive whoever is given it.
struct PartPlaces {
  store::JobStore& jobs;
  store::ObjectStore& objects;
  model::Connections& connections;
  boost::asio::any_io_executor executor;
  const Clock& clock;
};

struct PartRunSettings {
  std::int64_t flush_ms = limits::kJournalFlushLocal_ms;  // of journal, checkpoint and cost rows
  std::int64_t slice_ms = 1'000;                          // about how long a slice of the budget lasts
  bool retry_failed = false;                              // failed records are made again once every record was tried
  bool reuse_failures = true;                             // records that failed for good in a journal stay failed
  bool large_first_slice = false;  // as if all records in flight cost the most: for slices that are dear to take
  Money tail = {};                 // of the budget: kept for what comes after the last call
  std::shared_ptr<async::Gate> gate = {};  // null: calls may always start
  model::Notice notice = {};               // that a model is away, or back; for a person
};

class PartRun {
 public:
  // `prepared` has its seed data open. All references must outlive it.
  PartRun(PartPlaces places, const generate::PreparedJob& prepared, ClaimedPart claimed, PartRunSettings settings,
          generate::RunControl& control, generate::Progress& progress);

  // Once, before all else. Errors: corrupt, those of the stores, and what a model lacks to be called.
  async::Task<Status> open();
  // Errors as of Generator::run; denied when there are no credentials.
  async::Task<Result<generate::GenerateReport>> make();
  // The cost row of what was spent since the last batch. Nothing is done when open() has failed.
  async::Task<Status> close();

  const generate::PartContext& context() const { return context_; }
  // Of this attempt; null before open().
  generate::Ledger* ledger() const { return ledger_.get(); }
  Money spent_before() const { return spent_before_; }  // by earlier attempts of the part, as far as is known
  Money spent() const { return ledger_ == nullptr ? Money{} : spent_before_ + ledger_->spent(); }
  Money unspent() const { return ledger_ == nullptr ? Money{} : ledger_->unspent(); }
  Money left() const { return ledger_ == nullptr ? Money{} : ledger_->left(); }  // of the budget
  // What the part has done, for the tables.
  store::PartProgress told() const;

 private:
  async::Task<Status> open_accounts();
  async::Task<Result<generate::GenerateReport>> make_records(generate::ResumeState resume, bool retry_failed);

  PartPlaces places_;
  const generate::PreparedJob& prepared_;
  ClaimedPart claimed_;
  PartRunSettings settings_;
  generate::RunControl& control_;
  generate::Progress& progress_;
  generate::PartContext context_;
  generate::ResumeState resume_;
  std::shared_ptr<generate::Ledger> ledger_;
  std::optional<generate::CostBook> book_;
  std::optional<generate::Pipeline> pipeline_;
  Money spent_before_;
};

}  // namespace palette::worker
