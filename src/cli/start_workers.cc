#include "cli/start_workers.h"

#include <algorithm>
#include <utility>

#include "aws/fargate.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
  }
  return out;
}

// Tasks are found again by it.
std::string started_by(const JobId& job) { return "plot-palette/" + job.text; }

aws::RunTask request_for(const WorkerPlace& place, WorkerSize size, const JobId& job, std::int64_t count) {
  aws::RunTask request;
  request.cluster = place.cluster;
  request.task_definition = place.task_definition;
  request.count = count;
  request.network = place.network;
  request.cpu_units = size.cpu_units;
  request.memory_mib = size.memory_mib;
  // The image's entry point is the program.
  request.container = {.name = place.container, .command = {"worker", "--job", job.text}, .environment = {}};
  request.tags = {{"application", "plot-palette"}, {"job-id", job.text}};
  request.started_by = started_by(job);
  return request;
}

std::string told(const aws::EcsRefusal& refusal) {
  std::string text = refusal.reason + (refusal.detail.empty() ? "" : " (" + refusal.detail + ")");
  switch (aws::kind_of(refusal)) {
    case ErrorKind::unavailable:
      return text + "; wait a while and give the same command again, or name subnets of more zones in PALETTE_SUBNETS";
    case ErrorKind::quota:
      return text + "; the account runs as many tasks as it may: wait for others to end, or ask for a higher quota";
    default:
      return text;
  }
}

std::vector<std::string> refusals_of(const aws::StartedTasks& started) {
  std::vector<std::string> out;
  for (const aws::EcsRefusal& refusal : started.refusals) out.push_back(told(refusal));
  if (started.error) {
    out.push_back(started.error->text() + (started.may_have_started
                                               ? "; it may have started tasks all the same: give the same command again"
                                               : "; give the same command again"));
  }
  const bool is_explained = !out.empty() || started.missing == 0;
  if (!is_explained) out.push_back("ECS started fewer tasks than were asked for and does not say why");
  return out;
}

}  // namespace

const std::vector<std::string> kWorkerVariables = {"PALETTE_TASK_DEFINITION", "PALETTE_SUBNETS"};

Result<WorkerPlace> worker_place_of(const aws::Environment& environment) {
  WorkerPlace place;
  place.cluster = environment.get("ECS_CLUSTER_NAME");
  place.task_definition = environment.get("PALETTE_TASK_DEFINITION");
  place.container = environment.get("PALETTE_CONTAINER");
  if (place.container.empty()) place.container = "worker";
  place.network.subnets = listed(environment.get("PALETTE_SUBNETS"));
  place.network.security_groups = listed(environment.get("PALETTE_SECURITY_GROUPS"));
  const std::string_view public_address = environment.get("PALETTE_ASSIGN_PUBLIC_IP");
  if (!public_address.empty() && public_address != "ENABLED" && public_address != "DISABLED") {
    return fail(ErrorKind::bad_input,
                "found '" + std::string(public_address) +
                    "'; allowed are ENABLED and DISABLED (for subnets with a NAT gateway or endpoints)",
                "PALETTE_ASSIGN_PUBLIC_IP");
  }
  place.network.public_address = public_address != "DISABLED";
  // What ECS would refuse is told before anything is uploaded.
  if (Status sound = aws::check(request_for(place, {}, JobId{"job"}, 1)); !sound) return std::unexpected(sound.error());
  return place;
}

Result<WorkerSize> worker_size_of(const job::JobSpec& spec) {
  if (!spec.cpu && !spec.memory) return WorkerSize{};
  if (!spec.cpu || !spec.memory) {
    return fail(ErrorKind::bad_input,
                std::string(spec.cpu ? "cpu is given without memory" : "memory is given without cpu") +
                    "; give both, e.g. cpu: 1024 (one vCPU) and memory: 2048 (MiB), or none",
                spec.file);
  }
  if (Status fits = aws::check_fargate_size(*spec.cpu, *spec.memory); !fits)
    return std::unexpected(fits.error().at(spec.file));
  return WorkerSize{*spec.cpu, *spec.memory};
}

async::Task<Result<StartedWorkers>> start_workers(std::shared_ptr<aws::Ecs> ecs, WorkerPlace place, WorkerSize size,
                                                  JobId job, std::int64_t wanted) {
  aws::ListTasks look;
  look.cluster = place.cluster;
  look.started_by = started_by(job);
  const auto running = co_await ecs->list_tasks(std::move(look));
  if (!running) co_return std::unexpected(running.error());
  StartedWorkers out;
  out.running_before = static_cast<std::int64_t>(running->size());
  if (out.running_before >= wanted) co_return out;
  aws::RunTask request = request_for(place, size, job, wanted - out.running_before);
  const auto started = co_await ecs->run_task(std::move(request));
  if (!started) co_return std::unexpected(started.error());
  for (const aws::EcsTask& task : started->tasks) out.tasks.push_back(task.arn);
  out.refusals = refusals_of(*started);
  co_return out;
}

}  // namespace palette::cli
