// ECS: tasks on Fargate Spot started, looked at and stopped (JSON 1.1, API of 2014-11-13; reference section 6.2).
//
//   Ecs ecs(service, clock);
//   Result<StartedTasks> started = co_await ecs.run_task(std::move(request));
//   if (!started) …                             // nothing runs
//   for (const EcsRefusal& refusal : started->refusals) …   // fewer run than were asked for, and why
//
// Tried again: throttling, 5xx, lost answers. That is harmless: RunTask has a client token, the same for all tries of a
// request, and the others change nothing by being repeated.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/ecs_requests.h"
#include "aws/retried_service.h"
#include "base/time.h"

namespace palette::aws {

inline const ServiceName kEcsName{"ecs", "ecs", "ECS"};

struct EcsContainer {
  std::string name, last_status;
  std::optional<std::int64_t> exit_code;
  std::string reason;  // why it ended, or could not start
};

// A task as ECS tells it. Texts are empty and numbers 0 where it does not.
struct EcsTask {
  std::string arn, task_definition_arn;
  std::string last_status;     // PROVISIONING, PENDING, ACTIVATING, RUNNING, … STOPPED
  std::string desired_status;  // RUNNING or STOPPED
  std::string stop_code;       // SpotInterruption, EssentialContainerExited, …
  std::string stopped_reason, started_by, capacity_provider, availability_zone;
  std::int64_t cpu_units = 0, memory_mib = 0;
  std::optional<UtcTime> created_at, pull_started_at, started_at, stopped_at;
  std::vector<EcsContainer> containers;
  std::map<std::string, std::string> tags;
};

// One of the `failures` of a 200 answer: how ECS says, normally, that a task does not run.
struct EcsRefusal {
  std::string arn;     // often empty
  std::string reason;  // "Capacity is unavailable at this time. …", "RESOURCE:ENI", "MISSING"
  std::string detail;
};

// unavailable: no capacity now, wait and ask again; quota: the account runs as many as it may; not_found: there is no
// such task; bad_input: all others.
ErrorKind kind_of(const EcsRefusal& refusal);

struct StartedTasks {
  std::vector<EcsTask> tasks;
  std::vector<EcsRefusal> refusals;
  std::int64_t missing = 0;  // asked for, and not among the tasks; there may be more of them than refusals
  // Why a request failed after others had started tasks (no more were made), or without telling whether it did.
  std::optional<Error> error;
  // The request that failed may have started tasks that are not told here. The same call with the same token tells.
  bool may_have_started = false;
};

struct DescribedTasks {
  std::vector<EcsTask> tasks;
  std::vector<std::string> missing;  // not known to ECS: started seconds ago, or stopped for an hour
  std::vector<EcsRefusal> refusals;  // others
};

// Kinds of errors: not_found (the cluster, a task to be stopped), denied, bad_input, already_exists (the token was used
// for another request), quota, throttled, unavailable, timeout, cancelled, corrupt (an answer that cannot be read).
class Ecs {
 public:
  // `clock` must outlive it. `also` of the rules is replaced by ECS's own.
  Ecs(std::shared_ptr<Service> service, const Clock& clock, RetryRules rules = default_rules());
  ~Ecs();

  // In requests of ten tasks, one after the other. An error: nothing was started.
  async::Task<Result<StartedTasks>> run_task(RunTask request);

  // Any number of ARNs or ids, a hundred a request.
  async::Task<Result<DescribedTasks>> describe_tasks(std::string cluster, std::vector<std::string> tasks);

  // The ARNs of all pages; too_large when there are more than `tasks_max`.
  async::Task<Result<std::vector<std::string>>> list_tasks(ListTasks request, std::size_t tasks_max = 10'000);

  // SIGTERM for its containers, SIGKILL after their stopTimeout. The task as it was when ECS took the request; a task
  // that is stopped already is no error, one that is not known is not_found.
  async::Task<Result<EcsTask>> stop_task(std::string cluster, std::string task, std::string reason);

  static RetryRules default_rules();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
