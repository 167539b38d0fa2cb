#include "aws/ecs_metadata.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "async/timer.h"
#include "aws/retried_service.h"
#include "aws/service_error.h"
#include "base/json.h"

namespace palette::aws {
namespace {

constexpr std::string_view kVariable = "ECS_CONTAINER_METADATA_URI_V4";
constexpr std::string_view kSource = "task metadata";
constexpr int kTriesMax = 3;
constexpr std::int64_t kBetweenTries_ms = 200;
// It is on this very machine.
constexpr http::Deadlines kDeadlines{.connect_ms = 1'000, .first_byte_ms = 2'000, .idle_ms = 2'000, .total_ms = 3'000};
// More vCPU or MiB than any machine has: what is beyond it is no size.
constexpr double kSizeMax = 1e9;

std::unexpected<Error> unlike(std::string_view member, std::string_view expected) {
  return fail(ErrorKind::corrupt, "'" + std::string(member) + "' is not " + std::string(expected),
              std::string(kSource));
}

// "" when the member is not there.
Result<std::string> text_in(const JsonObject& object, std::string_view name) {
  const Json* member = object.if_contains(name);
  if (member == nullptr) return "";
  if (!member->is_string()) return unlike(name, "a text");
  return std::string(member->get_string());
}

Result<std::optional<UtcTime>> time_in(const JsonObject& object, std::string_view name) {
  const Result<std::string> text = text_in(object, name);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return std::nullopt;
  const Result<UtcTime> time = UtcTime::from_iso(*text);
  if (!time) return unlike(name, "a time such as 2026-11-24T12:00:00.123Z");
  return *time;
}

// `factor` times the number, rounded; 0 when the member is not there.
Result<std::int64_t> size_in(const JsonObject& object, std::string_view name, double factor) {
  const Json* member = object.if_contains(name);
  if (member == nullptr) return 0;
  if (!member->is_number()) return unlike(name, "a number");
  const double size = member->to_number<double>();
  if (!(size >= 0 && size <= kSizeMax)) return unlike(name, "a size");
  return std::llround(size * factor);
}

// arn:partition:ecs:REGION:account:task/…
Result<std::string> region_in(std::string_view arn) {
  std::string_view rest = arn;
  std::string_view fields[5];
  for (std::string_view& field : fields) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return unlike("TaskARN", "the ARN of an ECS task");
    field = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (fields[0] != "arn" || fields[2] != "ecs" || fields[3].empty() || !rest.starts_with("task/") ||
      rest.ends_with('/')) {
    return unlike("TaskARN", "the ARN of an ECS task");
  }
  return std::string(fields[3]);
}

// Of the containers that are the task's own: on EC2 the list also has one that only holds the network.
Result<std::optional<UtcTime>> earliest_start(const JsonObject& task) {
  const Json* list = task.if_contains("Containers");
  if (list == nullptr) return std::nullopt;
  if (!list->is_array()) return unlike("Containers", "an array");
  std::optional<UtcTime> earliest;
  for (const Json& container : list->get_array()) {
    if (!container.is_object()) return unlike("Containers", "an array of objects");
    const Result<std::string> type = text_in(container.get_object(), "Type");
    if (!type) return std::unexpected(type.error());
    if (!type->empty() && *type != "NORMAL") continue;
    const Result<std::optional<UtcTime>> started = time_in(container.get_object(), "StartedAt");
    if (!started) return started;
    if (*started && (!earliest || **started < *earliest)) earliest = *started;
  }
  return earliest;
}

Status read_texts(const JsonObject& task, TaskInfo& out) {
  const std::pair<std::string_view, std::string*> members[] = {{"TaskARN", &out.arn},
                                                               {"Cluster", &out.cluster},
                                                               {"Family", &out.family},
                                                               {"Revision", &out.revision},
                                                               {"AvailabilityZone", &out.availability_zone},
                                                               {"LaunchType", &out.launch_type}};
  for (const auto& [name, text] : members) {
    Result<std::string> read = text_in(task, name);
    if (!read) return std::unexpected(read.error());
    *text = std::move(*read);
  }
  Result<std::string> region = region_in(out.arn);
  if (!region) return std::unexpected(region.error());
  out.region = std::move(*region);
  return {};
}

Status read_limits(const JsonObject& task, TaskInfo& out) {
  const Json* limits = task.if_contains("Limits");
  if (limits == nullptr) return {};
  if (!limits->is_object()) return unlike("Limits", "an object");
  const Result<std::int64_t> cpu = size_in(limits->get_object(), "CPU", 1'000);
  if (!cpu) return std::unexpected(cpu.error());
  const Result<std::int64_t> memory = size_in(limits->get_object(), "Memory", 1);
  if (!memory) return std::unexpected(memory.error());
  out.vcpu_thousandths = *cpu;
  out.memory_mib = *memory;
  return {};
}

async::Task<Result<TaskInfo>> ask_once(http::Request request, http::Client& http) {
  http::Outcome<http::Response> answer = co_await http.send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().error.at(kSource));
  if (answer->status != 200) {
    RefusalContext context;
    context.service = "the task metadata endpoint";
    context.now = system_clock().now();
    co_return std::unexpected(service_failure(context, *answer).error.at(kVariable));
  }
  co_return task_info_from(answer->body);
}

}  // namespace

std::string_view TaskInfo::id() const { return std::string_view(arn).substr(arn.rfind('/') + 1); }

Result<TaskInfo> task_info_from(std::string_view body) {
  const Result<Json> json = parse_json(body);
  if (!json || !json->is_object()) {
    return fail(ErrorKind::corrupt, "the answer is no JSON object; expected one that describes a task",
                std::string(kSource));
  }
  const JsonObject& task = json->get_object();
  TaskInfo out;
  if (const Status read = read_texts(task, out); !read) return std::unexpected(read.error());
  if (const Status read = read_limits(task, out); !read) return std::unexpected(read.error());
  const Result<std::optional<UtcTime>> pull_started = time_in(task, "PullStartedAt");
  if (!pull_started) return std::unexpected(pull_started.error());
  const Result<std::optional<UtcTime>> started = earliest_start(task);
  if (!started) return std::unexpected(started.error());
  out.pull_started_at = *pull_started;
  out.started_at = *started;
  return out;
}

async::Task<Result<std::optional<TaskInfo>>> task_info(Environment environment, http::Client& http) {
  std::string address(environment.get(kVariable));
  if (address.empty()) co_return std::nullopt;
  while (address.ends_with('/')) address.pop_back();
  const Result<http::Url> url = http::Url::parse(address + "/task");
  if (!url) co_return std::unexpected(url.error().at(kVariable));
  http::Request request;
  request.url = *url;
  request.headers.add("accept", "application/json");
  request.deadlines = kDeadlines;
  request.body_bytes_max = 1 * limits::kMiB;
  for (int tries = 1;; ++tries) {
    Result<TaskInfo> info = co_await ask_once(request, http);
    if (info) co_return std::move(*info);
    if (tries == kTriesMax || !is_worth_another_try(info.error().kind)) co_return std::unexpected(info.error());
    const std::int64_t pause_ms = std::clamp(info.error().retry_after_ms, kBetweenTries_ms, 5 * kBetweenTries_ms);
    if (const Status slept = co_await async::sleep_for(pause_ms); !slept) co_return std::unexpected(slept.error());
  }
}

}  // namespace palette::aws
