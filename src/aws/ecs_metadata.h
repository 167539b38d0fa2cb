// What an ECS task may know of itself: the task metadata endpoint, version 4 (reference section 6.2). To be asked once,
// at the start: it is throttled, and nothing of it changes but what SIGTERM tells too.
//
//   Result<std::optional<TaskInfo>> task = co_await task_info(environment, http);
//   if (task && !*task) …   // this is no ECS task
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "aws/environment.h"
#include "base/result.h"
#include "base/time.h"
#include "http/client.h"

namespace palette::aws {

// Texts are empty and numbers 0 where the endpoint does not tell (a task on EC2 may have no limits of its own).
struct TaskInfo {
  std::string arn;      // arn:aws:ecs:us-east-1:123456789012:task/cluster/158d1c8083dd49d6b527399fd6414f5c
  std::string cluster;  // an ARN or a short name, as it came; ECS takes both
  std::string family, revision;
  std::int64_t vcpu_thousandths = 0;  // 250: a quarter of a vCPU
  std::int64_t memory_mib = 0;
  std::string availability_zone;  // us-east-1a
  std::string region;             // of the ARN
  std::string launch_type;        // FARGATE (for Fargate Spot too), EC2
  // What Fargate costs is counted from the first; the second is the earliest start of a container of the task.
  std::optional<UtcTime> pull_started_at, started_at;

  // The last part of the ARN.
  std::string_view id() const;
};

// Of the JSON that {uri}/task answers; corrupt when it is none of a task.
Result<TaskInfo> task_info_from(std::string_view body);

// None off ECS: ECS_CONTAINER_METADATA_URI_V4 is not set. Three tries, a few seconds at most. Errors: bad_input (the
// variable is no URL), corrupt, unavailable, timeout, throttled, cancelled, and what another answer than 200 means.
async::Task<Result<std::optional<TaskInfo>>> task_info(Environment environment, http::Client& http);

}  // namespace palette::aws
