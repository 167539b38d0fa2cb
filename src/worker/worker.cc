#include "worker/worker.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

namespace palette::worker {
namespace {

constexpr std::int64_t kTouch_ms = 5'000;
constexpr std::chrono::seconds kAlive_s{60};
constexpr std::int64_t kMeasure_ms = 60'000;
constexpr std::int64_t kTryAgain_ms = 5'000;
constexpr std::int64_t kPatience_ms = 300'000;  // with tables that cannot be read

}  // namespace

Worker::Worker(WorkContext& context, WorkerOptions options)
    : context_(context), options_(std::move(options)), finder_(context) {
  if (options_.mode != WorkMode::wait) finder_.stay_close();
  if (!options_.job.text.empty()) finder_.keep_to(options_.job);
}

async::Task<Status> Worker::run() {
  JsonObject started;
  started["owner"] = context_.owner;
  started["lease_s"] = static_cast<double>(context_.settings.lease_ms) / 1'000;
  context_.log.tell("worker_started", std::move(started));
  async::TaskGroup tickers(context_.places.executor);
  auto ended = std::make_shared<async::StopFlag>();
  if (!options_.health_file.empty()) tickers.spawn(touch_health_file(ended));
  tickers.spawn(measure_now_and_then(ended));
  Status worked = co_await work();
  ended->request();
  co_await tickers.join();
  measure();
  if (!worked) context_.log.fail("worker_failed", worked.error());
  context_.log.tell("worker_ended");
  co_return worked;
}

async::Task<Status> Worker::work() {
  const Clock& clock = context_.places.clock;
  std::int64_t idle_since_ms = clock.monotonic_ms();
  bool told_idle = false;
  while (!context_.draining->requested()) {
    auto found = co_await finder_.next();
    if (!found) {
      if (!co_await wait_after(found.error())) co_return std::unexpected(found.error());
      continue;
    }
    failing_since_ms_ = -1;
    if (*found) {
      Claimed& claimed = **found;
      if (options_.mode == WorkMode::once && !has_worked_) finder_.keep_to(claimed.item.job);
      has_worked_ = true;
      if (claimed.item.kind == store::WorkKind::export_) {
        co_await work_on_export(context_, std::move(claimed.item), claimed.claimed_ms);
      } else {
        co_await work_on_part(context_, std::move(claimed.item), claimed.claimed_ms, done_);
      }
      idle_since_ms = clock.monotonic_ms();
      told_idle = false;
      continue;
    }
    if (is_done(idle_since_ms)) break;
    if (!std::exchange(told_idle, true)) context_.log.tell("idle");
    std::int64_t wait_ms = finder_.wait_ms();
    if (options_.mode == WorkMode::wait && options_.idle_exit_ms > 0)
      wait_ms =
          std::min(wait_ms, std::max<std::int64_t>(1, idle_since_ms + options_.idle_exit_ms - clock.monotonic_ms()));
    (void)co_await context_.draining->sleep_for(wait_ms);
  }
  if (context_.draining->requested()) context_.log.tell("draining");
  co_return Status{};
}

bool Worker::is_done(std::int64_t idle_since_ms) const {
  if (options_.mode != WorkMode::wait) return !finder_.any_left();
  return options_.idle_exit_ms > 0 && context_.places.clock.monotonic_ms() >= idle_since_ms + options_.idle_exit_ms;
}

// True: it is worth to try again. What may mend itself (credentials that are being renewed, a service that is away) is
// waited for.
async::Task<bool> Worker::wait_after(Error error) {
  const std::int64_t now_ms = context_.places.clock.monotonic_ms();
  if (failing_since_ms_ < 0) failing_since_ms_ = now_ms;
  context_.log.fail("queue_not_read", error);
  const bool is_known_to_last = error.kind == ErrorKind::not_found || error.kind == ErrorKind::bad_input;
  const bool is_first_try = !has_worked_ && error.kind == ErrorKind::denied;
  if (is_known_to_last || is_first_try || now_ms - failing_since_ms_ > kPatience_ms) co_return false;
  (void)co_await context_.draining->sleep_for(kTryAgain_ms);
  co_return true;
}

async::Task<void> Worker::touch_health_file(std::shared_ptr<async::StopFlag> ended) {
  do {
    std::ofstream(options_.health_file, std::ios::trunc) << context_.owner << '\n';
  } while (co_await ended->sleep_for(kTouch_ms));
  std::error_code ec;
  std::filesystem::remove(options_.health_file, ec);
}

async::Task<void> Worker::measure_now_and_then(std::shared_ptr<async::StopFlag> ended) {
  while (co_await ended->sleep_for(kMeasure_ms)) measure();
}

// Sums are of the time since the last line; CloudWatch adds them up.
void Worker::measure() {
  const double cost = static_cast<double>((done_.cost - measured_.cost).pico) / 1e12;
  context_.log.measure(context_.cluster,
                       {{"RecordsGenerated", "Count", static_cast<double>(done_.records - measured_.records)},
                        {"RecordsFailed", "Count", static_cast<double>(done_.failed - measured_.failed)},
                        {"Tokens", "Count", static_cast<double>(done_.tokens - measured_.tokens)},
                        {"CostUSD", "None", cost},
                        {"Throttles", "Count", static_cast<double>(done_.throttles - measured_.throttles)},
                        {"CallsInFlight", "Count", static_cast<double>(done_.in_flight)},
                        {"QueueDepth", "Count", static_cast<double>(finder_.queued())}});
  measured_ = done_;
}

bool is_alive(const std::filesystem::path& health_file) {
  std::error_code ec;
  const auto touched = std::filesystem::last_write_time(health_file, ec);
  return !ec && std::filesystem::file_time_type::clock::now() - touched < kAlive_s;
}

}  // namespace palette::worker
