#include "aws/ecs.h"

#include <algorithm>
#include <expected>
#include <iterator>
#include <span>
#include <utility>

#include "aws/ecs_answers.h"
#include "base/ids.h"

namespace palette::aws {
namespace {

constexpr std::string_view kTarget = "AmazonEC2ContainerServiceV20141113.";
// RunTask takes seconds: a network interface is made for each task.
constexpr http::Deadlines kDeadlines{
    .connect_ms = 3'000, .first_byte_ms = 20'000, .idle_ms = 5'000, .total_ms = 30'000};
// A loop over pages ends even when the other side never says so.
constexpr int kPagesMax = 10'000;

RetryRules with_own_rules(RetryRules rules) {
  rules.also = is_hidden_throttle;
  return rules;
}

// A request that gave no answer that can be used.
struct Unanswered {
  Error error;
  bool may_have_worked = false;
};

template <class T>
using Answered = std::expected<T, Unanswered>;

// What a request for `count` tasks has given.
struct Placed {
  std::vector<EcsTask> tasks;
  std::vector<EcsRefusal> refusals;
};

Result<Placed> placed_from(const JsonObject& answer) {
  Result<std::vector<EcsTask>> tasks = tasks_from(answer);
  if (!tasks) return std::unexpected(tasks.error());
  Result<std::vector<EcsRefusal>> refusals = refusals_from(answer);
  if (!refusals) return std::unexpected(refusals.error());
  return Placed{std::move(*tasks), std::move(*refusals)};
}

// "The referenced task was not found", which ECS tells as a wrong parameter.
Error error_of_stop(Error error) {
  if (error.kind == ErrorKind::bad_input && error.message.find("task was not found") != std::string::npos) {
    error.kind = ErrorKind::not_found;
  }
  return error;
}

}  // namespace

struct Ecs::State {
  State(std::shared_ptr<Service> service, const Clock& clock, RetryRules rules)
      : retried(std::move(service), with_own_rules(std::move(rules)), clock) {}

  static async::Task<Answered<JsonObject>> ask(std::shared_ptr<State> state, std::string operation, std::string body);
  static async::Task<Answered<Placed>> place(std::shared_ptr<State> state, std::string body);
  static async::Task<Result<StartedTasks>> run(std::shared_ptr<State> state, std::shared_ptr<const RunTask> request);
  static async::Task<Result<DescribedTasks>> describe(std::shared_ptr<State> state, std::string cluster,
                                                      std::vector<std::string> tasks);
  static async::Task<Result<std::vector<std::string>>> list(std::shared_ptr<State> state, ListTasks request,
                                                            std::size_t tasks_max);
  static async::Task<Result<EcsTask>> stop(std::shared_ptr<State> state, std::string cluster, std::string task,
                                           std::string reason);

  RetriedService retried;
};

async::Task<Answered<JsonObject>> Ecs::State::ask(std::shared_ptr<State> state, std::string operation,
                                                  std::string body) {
  ServiceRequest request;
  request.path = "/";
  request.headers.add("content-type", "application/x-amz-json-1.1");
  request.headers.add("x-amz-target", std::string(kTarget) + operation);
  request.body = std::move(body);
  request.deadlines = kDeadlines;
  async::Task<RetriedOutcome> calling = state->retried.call(std::move(request));
  RetriedOutcome outcome = co_await std::move(calling);
  Unanswered unanswered;
  if (!outcome.answer) {
    unanswered.may_have_worked = outcome.may_have_worked || is_lost(outcome.answer.error());
    unanswered.error = ecs_error(std::move(outcome.answer.error()));
    co_return std::unexpected(std::move(unanswered));
  }
  Result<Json> json = parse_json(outcome.answer->body);
  if (json && json->is_object()) co_return std::move(json->get_object());
  const Error no_object{ErrorKind::corrupt, "it is no JSON object"};
  unanswered.may_have_worked = true;
  unanswered.error = unreadable_ecs(json ? no_object : json.error(), operation);
  co_return std::unexpected(std::move(unanswered));
}

async::Task<Answered<Placed>> Ecs::State::place(std::shared_ptr<State> state, std::string body) {
  Answered<JsonObject> answer = co_await ask(std::move(state), "RunTask", std::move(body));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  Result<Placed> placed = placed_from(*answer);
  if (placed) co_return std::move(*placed);
  Unanswered unanswered;
  unanswered.error = unreadable_ecs(placed.error(), "RunTask");
  unanswered.may_have_worked = true;
  co_return std::unexpected(std::move(unanswered));
}

async::Task<Result<StartedTasks>> Ecs::State::run(std::shared_ptr<State> state,
                                                  std::shared_ptr<const RunTask> request) {
  if (const Status checked = check(*request); !checked) co_return std::unexpected(checked.error());
  const std::string token = request->token.empty() ? random_hex_id() : request->token;
  StartedTasks out;
  std::int64_t left = request->count;
  for (int number = 1; left > 0; ++number) {
    const std::int64_t count = std::min(left, kRunTaskCountMax);
    std::string body = body_of(*request, count, token + "-" + std::to_string(number));
    Answered<Placed> placed = co_await place(state, std::move(body));
    if (!placed) {
      Unanswered& unanswered = placed.error();
      if (number == 1 && !unanswered.may_have_worked) co_return std::unexpected(std::move(unanswered.error));
      out.error = std::move(unanswered.error);
      out.may_have_started = unanswered.may_have_worked;
      break;
    }
    left -= count;
    std::ranges::move(placed->tasks, std::back_inserter(out.tasks));
    std::ranges::move(placed->refusals, std::back_inserter(out.refusals));
  }
  out.missing = std::max<std::int64_t>(request->count - std::ssize(out.tasks), 0);
  co_return out;
}

async::Task<Result<DescribedTasks>> Ecs::State::describe(std::shared_ptr<State> state, std::string cluster,
                                                         std::vector<std::string> tasks) {
  if (const Status named = check_named("cluster", cluster); !named) co_return std::unexpected(named.error());
  DescribedTasks out;
  for (std::size_t done = 0; done < tasks.size();) {
    const std::size_t count = std::min(tasks.size() - done, kDescribeTasksMax);
    std::string body = describe_body(cluster, std::span(tasks).subspan(done, count));
    Answered<JsonObject> answer = co_await ask(state, "DescribeTasks", std::move(body));
    if (!answer) co_return std::unexpected(std::move(answer.error().error));
    Result<Placed> described = placed_from(*answer);
    if (!described) co_return std::unexpected(unreadable_ecs(described.error(), "DescribeTasks"));
    std::ranges::move(described->tasks, std::back_inserter(out.tasks));
    for (EcsRefusal& refusal : described->refusals) {
      if (kind_of(refusal) == ErrorKind::not_found) {
        out.missing.push_back(std::move(refusal.arn));
      } else {
        out.refusals.push_back(std::move(refusal));
      }
    }
    done += count;
  }
  co_return out;
}

async::Task<Result<std::vector<std::string>>> Ecs::State::list(std::shared_ptr<State> state, ListTasks request,
                                                               std::size_t tasks_max) {
  if (const Status checked = check(request); !checked) co_return std::unexpected(checked.error());
  std::vector<std::string> arns;
  std::string next;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    Answered<JsonObject> answer = co_await ask(state, "ListTasks", body_of(request, next));
    if (!answer) co_return std::unexpected(std::move(answer.error().error));
    Result<ArnPage> page = arn_page_from(*answer);
    if (!page) co_return std::unexpected(unreadable_ecs(page.error(), "ListTasks"));
    std::ranges::move(page->arns, std::back_inserter(arns));
    if (arns.size() > tasks_max) {
      co_return fail(ErrorKind::too_large, "the cluster '" + request.cluster + "' has more than " +
                                               std::to_string(tasks_max) + " such tasks");
    }
    if (page->next.empty()) co_return arns;
    if (page->next == next) break;
    next = std::move(page->next);
  }
  co_return fail(ErrorKind::corrupt,
                 "the pages of the tasks of cluster '" + request.cluster + "' do not come to an end");
}

async::Task<Result<EcsTask>> Ecs::State::stop(std::shared_ptr<State> state, std::string cluster, std::string task,
                                              std::string reason) {
  if (const Status named = check_named("cluster", cluster); !named) co_return std::unexpected(named.error());
  if (const Status named = check_named("task", task); !named) co_return std::unexpected(named.error());
  std::string body = stop_body(cluster, task, reason);
  Answered<JsonObject> answer = co_await ask(std::move(state), "StopTask", std::move(body));
  if (!answer) co_return std::unexpected(error_of_stop(std::move(answer.error().error)));
  const Json* member = answer->if_contains("task");
  Result<EcsTask> read = task_from(member != nullptr ? *member : Json());
  if (!read) co_return std::unexpected(unreadable_ecs(read.error(), "StopTask"));
  co_return std::move(*read);
}

Ecs::Ecs(std::shared_ptr<Service> service, const Clock& clock, RetryRules rules)
    : state_(std::make_shared<State>(std::move(service), clock, std::move(rules))) {}

Ecs::~Ecs() = default;

// A user waits for the first, and the rates of ECS are low (20 tasks a second): fewer tries, longer pauses.
RetryRules Ecs::default_rules() {
  RetryRules rules;
  rules.tries_max = 8;
  rules.base_ms = 200;
  return rules;
}

async::Task<Result<StartedTasks>> Ecs::run_task(RunTask request) {
  return State::run(state_, std::make_shared<const RunTask>(std::move(request)));
}

async::Task<Result<DescribedTasks>> Ecs::describe_tasks(std::string cluster, std::vector<std::string> tasks) {
  return State::describe(state_, std::move(cluster), std::move(tasks));
}

async::Task<Result<std::vector<std::string>>> Ecs::list_tasks(ListTasks request, std::size_t tasks_max) {
  return State::list(state_, std::move(request), tasks_max);
}

async::Task<Result<EcsTask>> Ecs::stop_task(std::string cluster, std::string task, std::string reason) {
  return State::stop(state_, std::move(cluster), std::move(task), std::move(reason));
}

}  // namespace palette::aws
