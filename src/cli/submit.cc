// plot-palette submit JOB.yaml: the job into the queue of AWS, and workers for it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>

#include "cli/command.h"
#include "cli/confirm_cost.h"
#include "cli/diagnostics_output.h"
#include "cli/job_overrides.h"
#include "cli/start_workers.h"
#include "cli/submit_job.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "dataset/seed_object.h"

namespace palette::cli {
namespace {

constexpr std::size_t kUserBytesMax = 64;

struct SubmitOptions {
  CommonOptions common;
  std::filesystem::path job_file;
  OverrideOptions overrides;
  std::optional<std::int64_t> workers;
  bool no_start = false;
  bool fresh = false;
  bool yes = false;
};

// Whose the job and its seed data are: PALETTE_USER, else "local", as on one machine. It is part of keys.
Result<std::string> user_of(const aws::Environment& environment) {
  const std::string user(environment.get("PALETTE_USER"));
  if (user.empty()) return store::JobItem{}.user_id;
  const bool sound = std::ranges::all_of(user, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.@").find(c) != std::string_view::npos;
  });
  if (sound && user.size() <= kUserBytesMax && user != "." && user != "..") return user;
  return fail(ErrorKind::bad_input,
              "found '" + user +
                  "'; up to 64 letters, digits, - _ . and @ are allowed, because it is part of the keys of seed data",
              "PALETTE_USER");
}

// What the Templates table says; `failed` is why it could not be asked.
job::TemplateById templates_of(Workspace& workspace, std::optional<Error>& failed) {
  return [&workspace, &failed](const std::string& id) -> std::optional<job::Document> {
    const auto item = workspace.loop.run(workspace.jobs->get_template(id, std::nullopt));
    if (!item && item.error().kind == ErrorKind::not_found) return std::nullopt;
    auto document =
        item ? job::parse_document("template " + id + ".json", item->definition) : std::unexpected(item.error());
    if (document) return std::move(*document);
    failed = document.error();
    return std::nullopt;
  };
}

// A job that is checked whole, with its seed data in the bucket.
struct Checked {
  std::optional<generate::PreparedJob> job;
  WorkerSize size;
  std::optional<KeptEstimate> estimate;
  int exit_code = kDone;  // without a job
};

class Submission {
 public:
  Submission(const SubmitOptions& options, Workspace& workspace, aws::Environment environment, WorkerPlace place)
      : options_(options), workspace_(workspace), environment_(std::move(environment)), place_(std::move(place)) {}

  int run() {
    const Result<std::string> user = user_of(environment_);
    if (!user) return tell_error(user.error());
    const Result<std::int64_t> interval = checkpoint_interval();
    if (!interval) return tell_error(interval.error());
    Checked checked = check();
    if (!checked.job) return checked.exit_code;
    if (Status there = workspace_.loop.run(upload_seeds(workspace_, &*checked.job, *user)); !there)
      return tell_error(there.error());
    JobOptions job_options;
    job_options.fresh = options_.fresh;
    job_options.interval = *interval;
    job_options.estimate = checked.estimate;
    job_options.parts = parts_of_large_job(checked.job->spec, *interval);
    job_options.user_id = *user;
    const auto submitted = workspace_.loop.run(submit_job(workspace_, *checked.job, job_options, system_clock()));
    if (!submitted && submitted.error().kind == ErrorKind::over_budget) {
      tell_error(submitted.error());
      return kBudgetExceeded;
    }
    if (!submitted) return tell_error(submitted.error());
    return start(*submitted, checked.job->spec, checked.size);
  }

 private:
  Checked check() {
    Checked out;
    out.exit_code = kBadInput;
    std::optional<Error> failed;
    generate::PreflightInput input = preflight_input(options_.job_file, options_.overrides, options_.common.data_dir);
    input.template_by_id = templates_of(workspace_, failed);
    const dataset::SeedPlaces places{&workspace_.objects, &workspace_.pool, input.spool_dir};
    input.open_seed_key = [this, places](const std::string& key) {
      return workspace_.loop.run(dataset::open_seed_object(places, key));
    };
    generate::Preflight checked = generate::preflight(input);
    if (failed) {
      out.exit_code = tell_error(*failed);
      return out;
    }
    if (!checked.job) {
      out.exit_code = tell_invalid(checked.diagnostics, options_.common.json);
      return out;
    }
    tell_findings(checked.diagnostics, options_.common.quiet);
    const auto size = worker_size_of(checked.job->spec);
    if (!size) {
      out.exit_code = tell_error(size.error());
      return out;
    }
    out.size = *size;
    const CostLook look{.quiet = options_.common.quiet, .yes = options_.yes, .is_made = [this, &checked] {
                          return nothing_left_to_do(workspace_, *checked.job, options_.fresh, false);
                        }};
    if (const auto code = look_at_costs(look, *checked.job, environment_, out.estimate)) {
      out.exit_code = *code;
      return out;
    }
    out.job = std::move(checked.job);
    return out;
  }

  // As many as there are parts to be worked on; none for a job that has ended.
  std::int64_t wanted_workers(const SubmittedJob& submitted, const job::JobSpec& spec) const {
    if (job::is_terminal(submitted.item.status)) return 0;
    const auto in_queue = static_cast<std::int64_t>(submitted.queue.items.size());
    const std::int64_t parts = in_queue > 0 ? in_queue : submitted.item.parts_total();
    return std::min(parts, options_.workers ? *options_.workers : spec.workers.value_or(kWorkersDefault));
  }

  int start(const SubmittedJob& submitted, const job::JobSpec& spec, WorkerSize size) {
    const std::int64_t wanted = options_.no_start ? 0 : wanted_workers(submitted, spec);
    StartedWorkers started;
    std::optional<Error> refused;
    if (wanted > 0) {
      const auto service = workspace_.service(aws::kEcsName);
      if (!service) return tell_error(service.error());
      auto done = workspace_.loop.run(
          start_workers(std::make_shared<aws::Ecs>(*service, system_clock()), place_, size, submitted.item.id, wanted));
      if (done)
        started = std::move(*done);
      else
        refused = done.error();
    }
    if (options_.common.json)
      print_json(submitted, started, refused);
    else
      print(submitted, started);
    return tell_what_failed(submitted, started, refused, wanted);
  }

  int tell_what_failed(const SubmittedJob& submitted, const StartedWorkers& started,
                       const std::optional<Error>& refused, std::int64_t wanted) const {
    const std::string waits = "; the job " + submitted.item.id.text + " is in the queue, and waits for workers";
    for (const std::string& refusal : started.refusals) {
      std::fprintf(stderr, "%s a worker could not be started: %s\n", styled(stderr, Style::warning, "warning:").c_str(),
                   one_line(refusal, std::string::npos).c_str());
    }
    if (refused) {
      Error error = *refused;
      error.message += waits;
      tell_error(error);
      return kFailed;
    }
    if (submitted.busy) return tell_error(*submitted.busy);
    const bool nobody = wanted > 0 && started.tasks.empty() && started.running_before == 0;
    return nobody ? tell_error(Error{ErrorKind::unavailable, "no worker could be started" + waits}) : kDone;
  }

  void print(const SubmittedJob& submitted, const StartedWorkers& started) const {
    if (options_.common.quiet) return;
    const std::string& id = submitted.item.id.text;
    if (!submitted.told.empty()) std::printf("%s\n", submitted.told.c_str());
    if (submitted.is_new) {
      std::printf("Submitted %s: %s in %s.\n", styled(stdout, Style::bold, id).c_str(),
                  counted(submitted.item.num_records, "record").c_str(),
                  counted(submitted.item.parts_total(), "part").c_str());
    }
    if (started.running_before > 0)
      std::printf("%s of it %s already.\n", counted(started.running_before, "worker").c_str(),
                  started.running_before == 1 ? "runs" : "run");
    if (!started.tasks.empty())
      std::printf("Started %s.\n", counted(static_cast<std::int64_t>(started.tasks.size()), "worker").c_str());
    if (!job::is_terminal(submitted.item.status) && !submitted.busy)
      std::printf("Follow it: plot-palette watch %s --aws\n", id.c_str());
  }

  static void print_json(const SubmittedJob& submitted, const StartedWorkers& started,
                         const std::optional<Error>& refused) {
    JsonObject out;
    out["job_id"] = submitted.item.id.text;
    out["status"] = job::to_string(submitted.item.status);
    out["is_new"] = submitted.is_new;
    out["is_changed"] = submitted.is_changed;
    out["note"] = submitted.told;
    out["num_records"] = submitted.item.num_records;
    out["parts"] = submitted.item.parts_total();
    out["queue"] = submitted.queue.to_json();
    JsonObject workers;
    workers["running_before"] = started.running_before;
    workers["started"] = JsonArray(started.tasks.begin(), started.tasks.end());
    JsonArray refusals(started.refusals.begin(), started.refusals.end());
    if (refused) refusals.emplace_back(refused->text());
    workers["refused"] = std::move(refusals);
    out["workers"] = std::move(workers);
    std::printf("%s\n", to_json_text(out).c_str());
  }

  const SubmitOptions& options_;
  Workspace& workspace_;
  aws::Environment environment_;
  WorkerPlace place_;
};

int submit(const SubmitOptions& options) {
  const aws::Environment environment = aws::Environment::of_process();
  const Result<bool> in_aws = is_aws_meant(options.common, environment);
  if (!in_aws) return tell_error(in_aws.error());
  if (!*in_aws) {
    return tell_error(Error{ErrorKind::bad_input,
                            "submit puts a job into the queue in AWS: give --aws (or set PALETTE_STORE=aws); on this "
                            "machine it is plot-palette run"});
  }
  // Everything that is missing at once, before anything is done.
  const bool starts = !options.no_start;
  const auto names = store::aws_names_of(environment, starts, starts ? kWorkerVariables : std::vector<std::string>{});
  if (!names) return tell_error(names.error());
  WorkerPlace place;
  if (starts) {
    auto told = worker_place_of(environment);
    if (!told) return tell_error(told.error());
    place = std::move(*told);
  }
  const auto workspace = Workspace::open_aws(environment, options.common.data_dir);
  if (!workspace) return tell_error(workspace.error());
  return Submission(options, **workspace, environment, std::move(place)).run();
}

}  // namespace

void add_submit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SubmitOptions>();
  CLI::App* command = app.add_subcommand("submit", "Put a job into the queue in AWS, and start workers for it");
  command->add_option("JOB", options->job_file, "The job file (YAML or JSON)")->type_name("")->required();
  add_place_options(*command, options->common);
  add_override_options(*command, options->overrides);
  command->add_option("--workers", options->workers, "Replaces workers: tasks that work on it side by side (else 4)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, aws::kRunTasksMax).description(""));
  command->add_flag("--no-start", options->no_start, "Starts no workers: those that run take it");
  command->add_flag("--fresh", options->fresh, "Starts over under a new id, whatever was made before");
  command->add_flag("--yes", options->yes, "Goes on without asking when the job costs money and has no budget_limit");
  command->add_flag("--quiet", options->common.quiet, "Shows errors only");
  command->footer(
      "Example:\n  plot-palette submit examples/countries-qa.yaml --aws --workers 2\n\n"
      "The environment says where: AWS_REGION, JOBS_TABLE_NAME, QUEUE_TABLE_NAME, TEMPLATES_TABLE_NAME,\n"
      "COST_TRACKING_TABLE_NAME, BUCKET_NAME; for workers ECS_CLUSTER_NAME, PALETTE_TASK_DEFINITION, PALETTE_SUBNETS\n"
      "and, when needed, PALETTE_SECURITY_GROUPS, PALETTE_ASSIGN_PUBLIC_IP (ENABLED or DISABLED), PALETTE_CONTAINER.\n"
      "PALETTE_USER is whose the job is. The same command again goes on, or extends the job.");
  command->callback([options, &exit_code] { exit_code = submit(*options); });
}

}  // namespace palette::cli
