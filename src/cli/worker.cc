// plot-palette worker: the process in an ECS task. It takes parts of jobs from the queue in DynamoDB and makes them.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <filesystem>

#include "async/blocking.h"
#include "async/event_loop.h"
#include "async/signals.h"
#include "aws/ecs_metadata.h"
#include "cli/command.h"
#include "http/client.h"
#include "job/catalogue.h"
#include "model/connections.h"
#include "store/aws/aws_stores.h"
#include "worker/worker.h"

namespace palette::cli {
namespace {

constexpr std::uint64_t kOpenFiles = 20'000;  // every call in flight is one

struct WorkerCommand {
  bool once = false, drain = false, health = false;
  std::string job;
  std::int64_t idle_exit_s = 0;
  std::filesystem::path temp_dir;
};

std::filesystem::path health_file_of(const WorkerCommand& options) { return options.temp_dir / "worker-health"; }

int tell_health(const WorkerCommand& options) {
  const bool alive = worker::is_alive(health_file_of(options));
  std::printf("%s\n", alive ? "alive" : "no worker has touched its health file for a minute");
  return alive ? kDone : kFailed;
}

// Off ECS: which process of which machine.
std::string name_of_process() {
  char host[256] = "unknown";
  ::gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(::getpid()) + ":" + random_hex_id().substr(0, 8);
}

// Everything that a worker is put together from, in the order in which it must live.
class WorkerProcess {
 public:
  WorkerProcess(const WorkerCommand& options, aws::Environment environment)
      : options_(options),
        temp_dir_(options.temp_dir / ("worker-" + std::to_string(::getpid()))),
        environment_(std::move(environment)),
        log_(stdout, system_clock()),
        connections_(loop_.context().get_executor(), environment_, system_clock()) {}

  int run() {
    // First of all: whoever ends a process that has just begun means the same.
    boost::asio::steady_timer deadline(loop_.context());
    async::StopSignals signals(loop_.context(), [&](int, int count) { on_signal(count, deadline); });
    auto settings = worker::worker_settings_of(environment_);
    if (!settings) return tell_error(settings.error());
    auto names = store::aws_names_of(environment_, true);
    if (!names) return tell_error(names.error());
    names_ = std::move(*names);
    if (Status made = make_temp_dir(); !made) return tell_error(made.error());
    (void)http::raise_file_limit(kOpenFiles);  // fewer is told by the first call that finds none
    if (Status opened = open_stores(*settings); !opened) return tell_error(opened.error());
    const int code = loop_.run(work(*settings));
    std::error_code ec;
    std::filesystem::remove_all(temp_dir_, ec);  // what is left there is of no use to anybody
    return code;
  }

 private:
  // Calls in flight may finish until the deadline, or the second signal.
  void on_signal(int count, boost::asio::steady_timer& deadline) {
    draining_->request();
    if (count > 1) return leaving_->request();
    deadline.expires_after(std::chrono::milliseconds(drain_deadline_ms_));
    deadline.async_wait([leaving = leaving_](const boost::system::error_code& error) {
      if (!error) leaving->request();
    });
  }

  Status make_temp_dir() const {
    std::error_code ec;
    std::filesystem::create_directories(temp_dir_, ec);
    if (ec) return std::unexpected(system_error("create folder", temp_dir_.string(), ec.value()));
    return {};
  }

  Status open_stores(const worker::WorkerSettings& settings) {
    auto http = connections_.http();
    if (!http) return std::unexpected(http.error());
    auto credentials = connections_.credentials();
    if (!credentials) return std::unexpected(credentials.error());
    store::AwsStoreParts parts{.environment = environment_,
                               .http = *http,
                               .credentials = *credentials,
                               .clock = &system_clock(),
                               .pool = &pool_,
                               .patience_ms = settings.patience_ms};
    parts.on_set_aside = [this](const Error& why) { log_.fail("queue_item_set_aside", why); };
    auto stores = store::open_aws_stores(names_, parts);
    if (!stores) return std::unexpected(stores.error());
    stores_ = std::move(*stores);
    return {};
  }

  async::Task<int> work(worker::WorkerSettings settings) {
    auto http = connections_.http();
    if (!http) co_return tell_error(http.error());
    auto task = co_await aws::task_info(environment_, **http);
    if (!task) {
      log_.fail("task_metadata_not_read", task.error());
      task = std::nullopt;
    }
    const auto catalogue = job::Catalogue::built_in();
    if (!catalogue) co_return tell_error(catalogue.error());
    const std::string owner = *task ? (*task)->arn : name_of_process();
    worker::InfrastructureMeter meter(
        {.task = *task, .prices = catalogue->infrastructure(), .dynamodb = stores_.dynamodb, .s3 = stores_.s3},
        system_clock());
    worker::WorkContext context{
        .places = {*stores_.jobs, *stores_.objects, connections_, loop_.context().get_executor(), system_clock()},
        .pool = pool_,
        .log = log_,
        .meter = meter,
        .settings = settings,
        .temp_dir = temp_dir_,
        .owner = owner,
        .region = names_.region,
        .cluster = names_.cluster,
        .draining = draining_,
        .leaving = leaving_};
    worker::Worker worker(context, {.mode = mode(),
                                    .job = JobId{options_.job},
                                    .idle_exit_ms = options_.idle_exit_s * 1'000,
                                    .health_file = health_file_of(options_)});
    co_return (co_await worker.run()) ? kDone : kFailed;
  }

  worker::WorkMode mode() const {
    if (options_.once || !options_.job.empty()) return worker::WorkMode::once;
    return options_.drain ? worker::WorkMode::drain : worker::WorkMode::wait;
  }

  const WorkerCommand& options_;
  std::filesystem::path temp_dir_;  // of this process
  aws::Environment environment_;
  store::AwsNames names_;
  async::EventLoop loop_;
  async::BlockingPool pool_{4};
  worker::EventLog log_;
  model::Connections connections_;
  store::AwsStores stores_;
  std::shared_ptr<async::StopFlag> draining_ = std::make_shared<async::StopFlag>();
  std::shared_ptr<async::StopFlag> leaving_ = std::make_shared<async::StopFlag>();
  std::int64_t drain_deadline_ms_ = worker::WorkerSettings{}.drain_deadline_ms;
};

int run_worker(const WorkerCommand& options) {
  if (options.health) return tell_health(options);
  return WorkerProcess(options, aws::Environment::of_process()).run();
}

}  // namespace

void add_worker(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WorkerCommand>();
  std::error_code ec;
  options->temp_dir = std::filesystem::temp_directory_path(ec) / "plot-palette";
  CLI::App* command = app.add_subcommand("worker", "Work on the jobs of the queue in AWS, as an ECS task does");
  CLI::Option* once = command->add_flag("--once", options->once, "Works on one job, or parts of it, to its end");
  CLI::Option* job = command->add_option("--job", options->job, "Works on this job, or parts of it, to its end");
  job->type_name("JOB_ID")->excludes(once);
  command->add_flag("--drain", options->drain, "Works until the queue is empty")->excludes(once)->excludes(job);
  command->add_option("--idle-exit", options->idle_exit_s, "Ends after so many seconds without work; 0: never")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_flag("--health", options->health, "Tells whether a worker of this machine is alive (exit code 0 or 1)");
  command->add_option("--temp-dir", options->temp_dir, "For seed data and datasets while they are worked on")
      ->capture_default_str()
      ->type_name("DIR");
  command->footer(
      "Example:\n  plot-palette worker --drain\n\n"
      "The environment says where things are: AWS_REGION, JOBS_TABLE_NAME, QUEUE_TABLE_NAME, TEMPLATES_TABLE_NAME,\n"
      "COST_TRACKING_TABLE_NAME, BUCKET_NAME, ECS_CLUSTER_NAME. SIGTERM lets calls in flight finish, saves, and gives "
      "the\n"
      "part back; a worker that is killed loses nothing that it had saved.");
  command->callback([options, &exit_code] { exit_code = run_worker(*options); });
}

}  // namespace palette::cli
