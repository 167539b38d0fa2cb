#include "worker/part_work.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "async/timer.h"
#include "generate/saved_job.h"
#include "job/stop_reason.h"
#include "worker/held_part.h"
#include "worker/job_loading.h"
#include "worker/part_run.h"

namespace palette::worker {
namespace {

constexpr std::int64_t kOutagePause_ms = 30'000;
constexpr std::int64_t kQuotaPause_ms = 300'000;  // it comes back after hours
constexpr std::int64_t kPauseMax_ms = 60'000;
constexpr std::int64_t kLook_ms = 100;
constexpr int kLooksMax = 300;                        // half a minute
constexpr std::int64_t kExportAllowance_ms = 60'000;  // of compute, set aside of the budget

using End = generate::GenerateReport::End;

// What comes of an attempt.
struct Outcome {
  enum class Kind : std::uint8_t { ended, given_back, failed, starved, fenced } kind = Kind::ended;
  std::string stop_reason = {};     // of ended
  std::optional<Error> error = {};  // of failed
};

class PartWork {
 public:
  PartWork(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms, WorkDone& done)
      : context_(context), jobs_(context.places.jobs), part_(context, std::move(held), claimed_ms), done_(done) {}

  async::Task<void> run() {
    context_.meter.begin();
    part_.start();
    Outcome outcome = co_await attempt();
    if (run_) {
      const Status closed = co_await close();
      if (!closed && !part_.is_fenced()) context_.log.fail("cost_row_lost", closed.error(), part_.named());
    }
    co_await part_.stop();
    if (part_.is_fenced()) outcome.kind = Outcome::Kind::fenced;
    co_await conclude(std::move(outcome));
    done_.in_flight = 0;
  }

 private:
  async::Task<Outcome> attempt() {
    Result<store::JobItem> job = co_await jobs_.get_job(part_.held().job);
    if (!job) co_return failed(job.error());
    job_ = std::move(*job);
    const std::string stop_reason = reason_to_stop();
    Result<LoadedJob> loaded = co_await load_job_for_work(context_, job_, generate::SeedUse::records);
    if (!loaded && is_hopeless(loaded.error().kind)) {
      co_return Outcome{.stop_reason = stop_reason.empty() ? job::stop_failed(loaded.error().text()) : stop_reason};
    }
    if (!loaded) co_return failed(loaded.error());
    loaded_ = std::move(*loaded);
    job_ = loaded_->item;
    const Status opened = co_await open();
    // Also of a part that only ends: what an attempt that was killed has spent is told.
    if (!stop_reason.empty() && (opened || is_hopeless(opened.error().kind)))
      co_return Outcome{.stop_reason = stop_reason};
    if (!opened) co_return failed(opened.error());
    co_return co_await make();
  }

  // Before it begins: the job shall stop, or the part comes to nothing again and again.
  std::string reason_to_stop() const {
    if (!job_.stop_reason.empty()) return job_.stop_reason;
    const auto known = job_.parts.find(part_.held().part.value);
    if (known == job_.parts.end() || known->second.fruitless < context_.settings.fruitless_max) return {};
    return job::stop_failed(std::to_string(known->second.fruitless) +
                            " attempts in a row made nothing; the last: " + known->second.last_cause);
  }

  async::Task<Status> open() {
    PartRunSettings settings;
    settings.flush_ms = context_.settings.flush_ms;
    settings.slice_ms = context_.settings.lease_ms / 3;
    settings.large_first_slice = true;
    settings.gate = part_.gate();
    // Each part that runs may have to drain, and looks at the same unallocated budget; one of them exports.
    const Money drain = context_.meter.compute_cost(context_.settings.drain_deadline_ms + context_.settings.lease_ms);
    settings.tail = Money::of(job_.parts_total(), drain.pico) + context_.meter.compute_cost(kExportAllowance_ms);
    settings.notice = [this](const std::string& text) {
      JsonObject fields = part_.named();
      fields["message"] = text;
      context_.log.warn("model_away", std::move(fields));
    };
    run_.emplace(context_.places, loaded_->prepared, ClaimedPart{job_, part_.held(), loaded_->extents},
                 std::move(settings), part_.control(), progress_);
    return run_->open();
  }

  async::Task<Outcome> make() {
    async::TaskGroup tickers(context_.places.executor);
    auto ended = std::make_shared<async::StopFlag>();
    tickers.spawn(report_now_and_then(ended));
    tickers.spawn(pay_now_and_then(ended));
    Result<generate::GenerateReport> report = co_await run_->make();
    ended->request();
    co_await tickers.join();
    note_done();
    if (!report) co_return failed(report.error());
    switch (report->end) {
      case End::ended:
        co_return Outcome{.stop_reason = part_.stop_reason()};
      case End::failed:
        co_return Outcome{.stop_reason = job::stop_failed(report->cause)};
      case End::over_budget:
        co_return Outcome{.kind = Outcome::Kind::starved};
      case End::stopped:
        break;
    }
    if (!part_.stop_reason().empty()) co_return Outcome{.stop_reason = part_.stop_reason()};
    co_return Outcome{.kind = Outcome::Kind::given_back};
  }

  static Outcome failed(Error error) {
    if (error.kind == ErrorKind::cancelled) return {.kind = Outcome::Kind::given_back};
    return {.kind = Outcome::Kind::failed, .error = std::move(error)};
  }

  // Nothing that another attempt could do better.
  static bool is_hopeless(ErrorKind kind) { return kind == ErrorKind::bad_input || kind == ErrorKind::corrupt; }

  WorkDone done_here() const {
    return {.records = progress_.records_done,
            .failed = progress_.records_failed,
            .tokens = progress_.input_tokens + progress_.output_tokens,
            .throttles = run_->ledger()->throttles(),
            .cost = run_->spent()};
  }

  void note_done() {
    const WorkDone now = done_here();
    done_.records += now.records - told_.records;
    done_.failed += now.failed - told_.failed;
    done_.tokens += now.tokens - told_.tokens;
    done_.throttles += now.throttles - told_.throttles;
    done_.cost += now.cost - told_.cost;
    done_.in_flight = part_.control().calls_in_flight;
    told_ = now;
  }

  // A report that fails harms nothing: the next one, or the end, tells the same.
  async::Task<void> report_now_and_then(std::shared_ptr<async::StopFlag> ended) {
    told_ = done_here();  // what earlier attempts did is not ours
    while (co_await ended->sleep_for(context_.settings.report_ms())) {
      note_done();
      const Status told = co_await jobs_.report(part_.held(), run_->told(), context_.table_now());
      if (told) continue;
      if (told.error().kind == ErrorKind::fenced) part_.control().halt(told.error());
      context_.log.fail("report_failed", told.error(), part_.named());
    }
  }

  async::Task<void> pay_now_and_then(std::shared_ptr<async::StopFlag> ended) {
    const std::int64_t every_ms = std::max<std::int64_t>(1'000, context_.settings.flush_ms);
    do {
      const Status paid = co_await run_->ledger()->pay_infrastructure(context_.meter.take(every_ms));
      if (!paid && paid.error().kind != ErrorKind::over_budget && paid.error().kind != ErrorKind::cancelled)
        context_.log.fail("payment_failed", paid.error(), part_.named());
    } while (co_await ended->sleep_for(every_ms));
  }

  // What the last requests cost is spent, too; a slice for it is not worth another request.
  async::Task<Status> close() {
    if (run_->ledger() == nullptr) co_return Status{};
    // In doubt whose the part is: another owner would tell the same.
    for (int looks = 0; !part_.control().may_keep() && !part_.is_fenced() && looks < kLooksMax; ++looks) {
      if (!co_await async::sleep_for(kLook_ms)) break;
    }
    if (!part_.control().may_keep()) co_return Status{};
    (void)co_await run_->ledger()->pay_infrastructure(context_.meter.take(0));  // over_budget: it was the last
    co_return co_await run_->close();
  }

  store::PartProgress told_progress() const {
    if (run_) return run_->told();
    store::PartProgress out;
    if (const auto known = job_.parts.find(part_.held().part.value); known != job_.parts.end()) out = known->second;
    out.attempt = part_.held().attempt;
    return out;
  }

  Money unspent() const { return run_ ? run_->unspent() : Money{}; }

  async::Task<void> conclude(Outcome outcome) {
    if (outcome.kind == Outcome::Kind::starved) {
      const Result<bool> alone = co_await is_alone();
      if (!alone) {
        outcome = failed(alone.error());
      } else if (*alone) {
        outcome = co_await end_of_budget();
      }
    }
    switch (outcome.kind) {
      case Outcome::Kind::fenced:
        context_.log.warn("fenced", part_.named());
        co_return;
      case Outcome::Kind::ended:
        co_return co_await end(std::move(outcome.stop_reason));
      case Outcome::Kind::given_back:
        co_return tell_given_back("requeued",
                                  co_await jobs_.requeue(part_.held(), told_progress(), {.unspent = unspent()}, now()));
      case Outcome::Kind::starved:
        co_return tell_given_back(
            "parked", co_await jobs_.park(part_.held(), told_progress(), {.unspent = unspent()}, std::nullopt, now()));
      case Outcome::Kind::failed:
        if (job_.id.text.empty()) {
          // Nothing is known of the job, not even what the part has done: the lease ends, and the next worker goes on.
          context_.log.fail("attempt_failed", *outcome.error, part_.named());
          co_return;
        }
        co_return co_await give_back_failed(std::move(*outcome.error));
    }
  }

  UtcTime now() const { return context_.table_now(); }

  // Does no other part of the job run? Then no money will come back.
  async::Task<Result<bool>> is_alone() {
    const auto items = co_await jobs_.queue_items_of(part_.held().job);
    if (!items) co_return std::unexpected(items.error());
    co_return std::ranges::none_of(*items, [this](const store::QueueItem& item) {
      return item.status == store::QueueStatus::running && item.part != part_.held().part;
    });
  }

  // Others may have given money back, or the user more of it, since this part has last asked.
  async::Task<Outcome> end_of_budget() {
    const Result<store::JobItem> now = co_await jobs_.get_job(part_.held().job);
    if (!now) co_return failed(now.error());
    if (!now->stop_reason.empty()) co_return Outcome{.stop_reason = now->stop_reason};
    if (now->unallocated > run_->ledger()->unallocated()) co_return Outcome{.kind = Outcome::Kind::given_back};
    co_return Outcome{.stop_reason = std::string(job::kStopBudget)};
  }

  async::Task<void> end(std::string stop_reason) {
    // The others shall see it at their next heartbeat, those that wait at once.
    if (!stop_reason.empty() && job_.stop_reason.empty() && job_.parts_total() > 1) {
      const auto told =
          co_await jobs_.request_stop(part_.held().job, stop_reason, job::status_after(stop_reason), now());
      if (!told && told.error().kind != ErrorKind::bad_input)
        context_.log.fail("stop_not_told", told.error(), part_.named());
    }
    const Result<bool> last = co_await jobs_.end_part(part_.held(), told_progress(), unspent(), stop_reason,
                                                      export_item_of(job_, part_.held()), now());
    if (!last) {
      context_.log.fail("end_failed", last.error(), part_.named());
      co_return;
    }
    JsonObject fields = part_.named();
    fields["records"] = progress_.records_done;
    fields["records_failed"] = progress_.records_failed;
    if (!stop_reason.empty()) fields["stop_reason"] = stop_reason;
    fields["last"] = *last;
    context_.log.tell("part_ended", std::move(fields));
  }

  async::Task<void> give_back_failed(Error error) {
    const bool away = is_outage(error.kind);
    const store::PartProgress progress = told_progress();
    const std::int64_t outage_pause_ms = error.kind == ErrorKind::quota ? kQuotaPause_ms : kOutagePause_ms;
    const std::int64_t pause_ms = away ? outage_pause_ms : pause_after_failures_ms(progress.fruitless + 1);
    JsonObject fields = part_.named();
    fields["pause_s"] = static_cast<double>(pause_ms) / 1'000;
    fields["counted"] = !away;
    context_.log.fail("attempt_failed", error, std::move(fields));
    tell_given_back(
        "parked", co_await jobs_.park(part_.held(), progress, {.unspent = unspent(), .cause = away ? "" : error.text()},
                                      UtcTime{now().unix_ms + pause_ms}, now()));
  }

  void tell_given_back(std::string_view event, const Status& given) {
    JsonObject fields = part_.named();
    if (!given) {
      context_.log.fail("give_back_failed", given.error(), std::move(fields));
      return;
    }
    fields["records"] = progress_.records_done;
    fields["records_failed"] = progress_.records_failed;
    context_.log.tell(event, std::move(fields));
  }

  WorkContext& context_;
  store::JobStore& jobs_;
  HeldPart part_;
  WorkDone& done_;
  WorkDone told_;
  store::JobItem job_;
  std::optional<LoadedJob> loaded_;
  generate::Progress progress_;
  std::optional<PartRun> run_;
};

}  // namespace

std::int64_t pause_after_failures_ms(std::int64_t fruitless) {
  const std::int64_t doublings = std::clamp<std::int64_t>(fruitless - 1, 0, 6);
  return std::min(kPauseMax_ms, std::int64_t{1'000} << doublings);
}

bool is_outage(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::throttled:
    case ErrorKind::quota:
    case ErrorKind::outage:
    case ErrorKind::denied:  // credentials that have expired, rights that somebody is about to give
      return true;
    default:
      return false;
  }
}

async::Task<void> work_on_part(WorkContext& context, store::QueueItem held, std::int64_t claimed_ms, WorkDone& done) {
  PartWork work(context, std::move(held), claimed_ms, done);
  co_await work.run();
}

}  // namespace palette::worker
