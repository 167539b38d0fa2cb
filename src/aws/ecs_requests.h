// What is asked of ECS, as values, checked and written as JSON (reference section 6.2).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace palette::aws {

inline constexpr std::int64_t kRunTasksMax = 1'000;    // by one call of Ecs::run_task
inline constexpr std::int64_t kRunTaskCountMax = 10;   // by one request
inline constexpr std::size_t kDescribeTasksMax = 100;  // by one request
inline constexpr std::size_t kOverridesCharactersMax = 8'192;
inline constexpr std::size_t kStartedByMax = 128;
inline constexpr std::size_t kRunTokenMax = 60;  // of ECS's 64: the number of the request is put behind it

// Where a task's network interface is. Without security groups it gets the VPC's own.
struct TaskNetwork {
  std::vector<std::string> subnets;          // 1 to 16, of one VPC
  std::vector<std::string> security_groups;  // at most 5
  // Without a public address the subnets need a NAT gateway or endpoints, or the image cannot be pulled.
  bool public_address = true;
};

// What one container of the task definition is given instead of (command), or beside (environment), its own.
struct ContainerOverride {
  std::string name;
  std::vector<std::string> command;  // empty: its own
  std::map<std::string, std::string> environment;
};

// Tasks on Fargate Spot.
struct RunTask {
  std::string cluster;          // name or ARN
  std::string task_definition;  // family, family:revision or ARN
  std::int64_t count = 1;       // 1 to kRunTasksMax
  TaskNetwork network;
  std::int64_t cpu_units = 0, memory_mib = 0;  // as check_fargate_size wants them; both 0: the task definition's
  ContainerOverride container = {};            // without a name: nothing is overridden
  std::map<std::string, std::string> tags = {};
  std::string started_by = {};  // letters, digits, hyphens, slashes and underscores; ListTasks finds tasks by it
  // The same token with the same request starts nothing twice; empty: one of its own for each call.
  std::string token = {};
};

struct ListTasks {
  std::string cluster;
  std::string family = {}, started_by = {};  // one of them at most; empty: all
  bool stopped = false;                      // those that have been stopped in the last hour, not those that run
};

// bad_input, in words that say which member is wrong; nothing of it is a matter of ECS's state.
Status check(const RunTask& request);
Status check(const ListTasks& request);
// An empty name would mean ECS's own default cluster, or no task.
Status check_named(std::string_view what, std::string_view name);

// The body of the request for `count` of the tasks.
std::string body_of(const RunTask& request, std::int64_t count, std::string_view client_token);
// `page`: the nextToken of the page before; empty for the first.
std::string body_of(const ListTasks& request, std::string_view page);
// With their tags.
std::string describe_body(std::string_view cluster, std::span<const std::string> tasks);
std::string stop_body(std::string_view cluster, std::string_view task, std::string_view reason);

}  // namespace palette::aws
