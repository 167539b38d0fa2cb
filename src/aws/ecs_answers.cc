#include "aws/ecs_answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "aws/service_error.h"
#include "aws/timestamps.h"

namespace palette::aws {
namespace {

const JsonArray kNoValues;

using enum ErrorKind;

// Codes that mean something else here than to other services, or that only ECS has. Its not-found is a 400.
constexpr auto kRules = std::to_array<CodeRule>({
    {"ClusterNotFoundException", not_found},
    {"InvalidParameterException", bad_input},
    {"ClientException", bad_input},
    {"UnsupportedFeatureException", bad_input},
    {"PlatformUnknownException", bad_input},
    {"PlatformTaskDefinitionIncompatibilityException", bad_input},
    {"BlockedException", denied},
    // Not two writers at once: the client token was used before, with other parameters.
    {"ConflictException", already_exists},
    {"LimitExceededException", quota},
    {"ServerException", unavailable},
});

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// "You've reached the limit on the number of vCPUs you can run concurrently", "… of spot tasks …"; "The requested CPU
// configuration is above your limit".
bool tells_of_a_limit(std::string_view text) {
  return contains(text, "reached the limit on the number of") || contains(text, "above your limit");
}

bool tells_of_no_capacity(std::string_view text) { return contains(text, "apacity is unavailable"); }

std::string_view advice(std::string_view code, ErrorKind kind) {
  if (code == "ClusterNotFoundException") return "; check the name of the cluster, and the region";
  if (code == "ConflictException") return "; use another token, or the request that the token was first used with";
  if (kind == quota) return "; wait for other tasks to end, or ask for more in the Service Quotas console";
  return "";
}

Result<const JsonArray*> array_in(const JsonObject& object, std::string_view name) {
  const Json* member = object.if_contains(name);
  if (member == nullptr || member->is_null()) return &kNoValues;
  if (member->is_array()) return &member->get_array();
  return fail(corrupt, "'" + std::string(name) + "' is no array");
}

std::string text_in(const JsonObject& object, std::string_view name) {
  const Json* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

// ECS writes sizes as texts.
std::int64_t size_in(const JsonObject& object, std::string_view name) {
  return parse_digits(text_in(object, name)).value_or(0);
}

// JSON 1.1: seconds since 1970, with a fraction.
Result<std::optional<UtcTime>> time_in(const JsonObject& object, std::string_view name) {
  constexpr double kSecondsMax = 1e12;
  const Json* member = object.if_contains(name);
  if (member == nullptr || member->is_null()) return std::nullopt;
  const double seconds = member->is_number() ? member->to_number<double>() : -1.0;
  if (!(seconds >= 0 && seconds <= kSecondsMax)) {
    return fail(corrupt, "'" + std::string(name) + "' is no time in seconds since 1970");
  }
  return UtcTime{std::llround(seconds * 1'000)};
}

// Each element, which must be an object, read by `read`.
template <class T, class Read>
Result<std::vector<T>> elements_of(const JsonObject& object, std::string_view name, Read read) {
  const Result<const JsonArray*> list = array_in(object, name);
  if (!list) return std::unexpected(list.error());
  std::vector<T> out;
  out.reserve((*list)->size());
  for (const Json& value : **list) {
    if (!value.is_object()) return fail(corrupt, "'" + std::string(name) + "' is no array of objects");
    Result<T> element = read(value.get_object());
    if (!element) return std::unexpected(element.error());
    out.push_back(std::move(*element));
  }
  return out;
}

Result<EcsContainer> container_from(const JsonObject& object) {
  EcsContainer out;
  out.name = text_in(object, "name");
  out.last_status = text_in(object, "lastStatus");
  out.reason = text_in(object, "reason");
  if (const Json* code = object.if_contains("exitCode"); code != nullptr && code->is_int64()) {
    out.exit_code = code->get_int64();
  }
  return out;
}

Result<EcsRefusal> refusal_from(const JsonObject& object) {
  return EcsRefusal{text_in(object, "arn"), text_in(object, "reason"), text_in(object, "detail")};
}

Status read_times(const JsonObject& object, EcsTask& out) {
  const std::pair<std::string_view, std::optional<UtcTime>*> times[] = {{"createdAt", &out.created_at},
                                                                        {"pullStartedAt", &out.pull_started_at},
                                                                        {"startedAt", &out.started_at},
                                                                        {"stoppedAt", &out.stopped_at}};
  for (const auto& [name, time] : times) {
    const Result<std::optional<UtcTime>> read = time_in(object, name);
    if (!read) return std::unexpected(read.error());
    *time = *read;
  }
  return {};
}

Result<EcsTask> task_of(const JsonObject& object) {
  EcsTask out;
  out.arn = text_in(object, "taskArn");
  if (out.arn.empty()) return fail(corrupt, "a task has no 'taskArn'");
  out.task_definition_arn = text_in(object, "taskDefinitionArn");
  out.last_status = text_in(object, "lastStatus");
  out.desired_status = text_in(object, "desiredStatus");
  out.stop_code = text_in(object, "stopCode");
  out.stopped_reason = text_in(object, "stoppedReason");
  out.started_by = text_in(object, "startedBy");
  out.capacity_provider = text_in(object, "capacityProviderName");
  out.availability_zone = text_in(object, "availabilityZone");
  out.cpu_units = size_in(object, "cpu");
  out.memory_mib = size_in(object, "memory");
  if (const Status times = read_times(object, out); !times) return std::unexpected(times.error());
  Result<std::vector<EcsContainer>> containers = elements_of<EcsContainer>(object, "containers", container_from);
  if (!containers) return std::unexpected(containers.error());
  out.containers = std::move(*containers);
  const Result<const JsonArray*> tags = array_in(object, "tags");
  if (!tags) return std::unexpected(tags.error());
  for (const Json& tag : **tags) {
    if (tag.is_object()) out.tags[text_in(tag.get_object(), "key")] = text_in(tag.get_object(), "value");
  }
  return out;
}

}  // namespace

ErrorKind kind_of(const EcsRefusal& refusal) {
  if (refusal.reason == "MISSING") return not_found;
  for (const std::string& text : {refusal.reason, refusal.detail}) {
    if (tells_of_no_capacity(text)) return unavailable;
    if (tells_of_a_limit(text)) return quota;
  }
  return refusal.reason.starts_with("RESOURCE") ? unavailable : bad_input;
}

bool is_hidden_throttle(const ServiceFailure& failure) {
  return failure.code == "InvalidParameterException" && contains(failure.error.message, "RequestLimitExceeded");
}

Error ecs_error(ServiceFailure failure) {
  const bool hidden_throttle = is_hidden_throttle(failure);
  Error error = std::move(failure.error);
  // Told to stop in a pause: what the answer before it said is in the message already.
  if (error.kind == cancelled) return error;
  if (const auto rule = std::ranges::find(kRules, failure.code, &CodeRule::code); rule != kRules.end()) {
    error.kind = rule->kind;
  }
  if (hidden_throttle) error.kind = throttled;
  if (tells_of_no_capacity(error.message)) error.kind = unavailable;
  if (tells_of_a_limit(error.message)) error.kind = quota;
  error.message += advice(failure.code, error.kind);
  return error;
}

Error unreadable_ecs(const Error& error, std::string_view operation) {
  return Error{corrupt, "the answer of ECS to " + std::string(operation) + " cannot be read: " + error.text()};
}

Result<EcsTask> task_from(const Json& value) {
  if (!value.is_object()) return fail(corrupt, "a task is no object");
  return task_of(value.get_object());
}

Result<std::vector<EcsTask>> tasks_from(const JsonObject& answer) {
  return elements_of<EcsTask>(answer, "tasks", task_of);
}

Result<std::vector<EcsRefusal>> refusals_from(const JsonObject& answer) {
  return elements_of<EcsRefusal>(answer, "failures", refusal_from);
}

Result<ArnPage> arn_page_from(const JsonObject& answer) {
  const Result<const JsonArray*> list = array_in(answer, "taskArns");
  if (!list) return std::unexpected(list.error());
  ArnPage page;
  for (const Json& arn : **list) {
    if (!arn.is_string()) return fail(corrupt, "'taskArns' is no array of texts");
    page.arns.emplace_back(arn.get_string());
  }
  page.next = text_in(answer, "nextToken");
  return page;
}

}  // namespace palette::aws
