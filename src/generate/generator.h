// Makes the records of a part: many in flight, committed batch by batch in any order, journaled meanwhile. A slow
// record delays only its own batch.
//
//   Generator generator(job, context, pipeline, objects, clock, settings, control, progress);
//   Result<GenerateReport> report = co_await generator.run(std::move(resume));
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "base/limits.h"
#include "base/time.h"
#include "generate/checkpoint.h"
#include "generate/cost_book.h"
#include "generate/ledger.h"
#include "generate/pipeline.h"
#include "generate/progress.h"
#include "generate/resume.h"
#include "store/object_store.h"

namespace palette::generate {

struct GenerateSettings {
  std::int64_t concurrency = limits::kConcurrencyDefault;  // records in flight
  std::int64_t flush_ms = limits::kJournalFlushLocal_ms;   // of journal and checkpoint
  double max_failure_ratio = limits::kFailureRatioDefault;
  bool retry_failed = false;   // make failed records of committed batches again instead of missing batches
  bool reuse_failures = true;  // records that failed for good in a journal stay failed
};

struct GenerateReport {
  // ended: every record was tried. stopped: drained, more is to do. failed: too many failures, `cause` says of
  // what kind. over_budget: the next record does not fit. With ended, a cause says why a retry was given up.
  enum class End : std::uint8_t { ended, stopped, failed, over_budget } end = End::ended;
  std::string cause;
  Checkpoint checkpoint;
  std::map<std::int64_t, std::int64_t> retry_rounds;  // batch -> highest round
};

// The attempt's money: what may be spent, and the rows that say what was.
struct Accounts {
  Ledger& ledger;
  CostBook* book = nullptr;  // null: no rows are kept
};

class Generator {
 public:
  // Everything must outlive run().
  Generator(const PreparedJob& job, PartContext context, Pipeline& pipeline, store::ObjectStore& objects,
            const Clock& clock, GenerateSettings settings, RunControl& control, Progress& progress, Accounts accounts);

  // Errors end the attempt: what could be saved was saved, and the same job goes on when it is run again.
  async::Task<Result<GenerateReport>> run(ResumeState resume);

 private:
  struct OpenBatch {
    BatchNumber batch;
    std::int64_t round = 0;  // 0: made for the first time; k: retried the k-th time
    std::vector<RecordState> states;
    std::size_t next = 0;  // the first that was not started
    std::size_t in_flight = 0;
    std::size_t bytes = 0;  // of finished texts
    bool complete() const { return next == states.size() && in_flight == 0; }
  };
  using OpenBatches = std::list<OpenBatch>;

  // Starting records.
  void pump();
  OpenBatch* batch_with_work();
  bool may_begin(const RecordState& state);
  bool has_room() const;
  void open_next();
  void skip_made();
  async::Task<void> open_retry(BatchNumber batch);
  void take_from_journal(RecordState& state, std::int64_t index);
  async::Task<void> make_record(OpenBatch* batch, std::size_t at);
  void finish_record(OpenBatch& batch, RecordState& state);
  void count_failure(const RecordState& state);
  bool first_all_failed_alike(const RecordState& state, const std::string& cause);
  std::int64_t records_to_judge() const;
  bool too_many_failed() const;
  std::string told_too_many_failed() const;
  bool stopping() const { return control_.stop->requested(); }
  void give_up(Error error);

  // Keeping them.
  async::Task<void> commit(OpenBatch* batch);
  async::Task<bool> may_commit();
  async::Task<Status> put_batch(OpenBatch* batch);
  async::Task<Status> put_failures(OpenBatch* batch);
  async::Task<Status> lost_to_another(OpenBatch* batch, std::string key, std::string body);
  void write_off(const OpenBatch& batch);
  void write_off_unused(const RecordFailure& failure);
  void book(const OpenBatch& batch);
  void mark_committed(const OpenBatch& batch, std::int64_t failed);
  async::Task<void> flush_now_and_then(std::shared_ptr<async::StopFlag> ended);
  async::Task<Status> flush();
  async::Task<Status> flush_and_tell();
  async::Task<Status> write_journal();
  void append_journal(std::string& out, OpenBatch& batch);
  void note_waste();
  async::Task<Status> keep_unfinished_retries();
  async::Task<Result<GenerateReport>> wind_up();

  const PreparedJob& job_;
  PartContext context_;
  Pipeline& pipeline_;
  store::ObjectStore& objects_;
  const Clock& clock_;
  GenerateSettings settings_;
  RunControl& control_;
  Progress& progress_;
  Accounts accounts_;

  ResumeState resume_;
  std::string checkpoint_etag_;  // of the checkpoint that this attempt saved last
  std::optional<async::TaskGroup> group_;
  OpenBatches open_;
  OpenBatch* current_ = nullptr;  // the batch whose records are being started
  std::int64_t next_batch_ = 1;
  std::vector<std::int64_t> to_retry_;  // batches with failed records, last first
  bool opening_ = false, pumping_ = false, pump_again_ = false;
  std::int64_t in_flight_ = 0;
  std::int64_t committing_ = 0;
  std::size_t held_bytes_ = 0;
  Money cost_before_;  // of earlier attempts
  bool journal_changed_ = false, checkpoint_changed_ = false;
  std::int64_t steps_journaled_ = 0;  // of control_.steps_finished
  std::int64_t succeeded_here_ = 0, failed_here_ = 0;
  std::vector<std::int64_t> first_started_;  // the first records of this attempt: limits::kAlikeFailuresMax of them
  std::int64_t first_failed_alike_ = 0;      // how many of those failed as the first failure did
  std::string first_cause_;
  std::string failed_early_;  // the cause, when the job was given up
  std::optional<Error> error_;
};

}  // namespace palette::generate
