// Workers for a job: tasks on Fargate Spot, found and started.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/ecs.h"
#include "aws/environment.h"
#include "base/ids.h"
#include "base/result.h"
#include "job/spec.h"

namespace palette::cli {

// How many work on a job whose file does not say.
inline constexpr std::int64_t kWorkersDefault = 4;

// Where tasks are started, as the environment says:
//   ECS_CLUSTER_NAME, PALETTE_TASK_DEFINITION (family, family:revision or ARN), PALETTE_SUBNETS (with commas between):
//                                  needed
//   PALETTE_SECURITY_GROUPS        with commas between; without them the VPC's own
//   PALETTE_ASSIGN_PUBLIC_IP       ENABLED (default) or DISABLED
//   PALETTE_CONTAINER              of the task definition; `worker` by default
struct WorkerPlace {
  std::string cluster, task_definition, container;
  aws::TaskNetwork network;
};

// Those of them that must be set, beside ECS_CLUSTER_NAME.
extern const std::vector<std::string> kWorkerVariables;

// The needed ones are set already (store::aws_names_of). bad_input for what ECS would
// refuse, and for a PALETTE_ASSIGN_PUBLIC_IP that is neither of the two.
Result<WorkerPlace> worker_place_of(const aws::Environment& environment);

struct WorkerSize {
  std::int64_t cpu_units = 0, memory_mib = 0;  // both 0: the task definition's
};
// Of the job file. bad_input when only one of both is given, or Fargate has no such tasks.
Result<WorkerSize> worker_size_of(const job::JobSpec& spec);

struct StartedWorkers {
  std::int64_t running_before = 0;
  std::vector<std::string> tasks;     // ARNs of those that were started
  std::vector<std::string> refusals;  // why fewer were than were wanted, and what to do
};

// Starts as many as are missing to `wanted`; those that an earlier command has started for the job and that have not
// ended count. Errors: nothing was started, as of Ecs::run_task.
async::Task<Result<StartedWorkers>> start_workers(std::shared_ptr<aws::Ecs> ecs, WorkerPlace place, WorkerSize size,
                                                  JobId job, std::int64_t wanted);

}  // namespace palette::cli
