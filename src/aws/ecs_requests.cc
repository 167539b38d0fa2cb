#include "aws/ecs_requests.h"

#include <algorithm>
#include <utility>

#include "aws/fargate.h"
#include "base/utf8.h"

namespace palette::aws {
namespace {

constexpr std::size_t kSubnetsMax = 16, kSecurityGroupsMax = 5;
constexpr std::size_t kTagsMax = 50, kTagKeyMax = 128, kTagValueMax = 256;

std::unexpected<Error> wrong(std::string_view member, std::string message) {
  return fail(ErrorKind::bad_input, std::move(message), "RunTask " + std::string(member));
}

std::string between(std::size_t least, std::size_t most) {
  return "expected " + std::to_string(least) + " to " + std::to_string(most);
}

JsonArray texts_of(std::span<const std::string> texts) { return JsonArray(texts.begin(), texts.end()); }

// [{<first>: …, <second>: …}, …]
JsonArray pairs_of(const std::map<std::string, std::string>& pairs, std::string_view first, std::string_view second) {
  JsonArray out;
  for (const auto& [key, value] : pairs) {
    JsonObject pair;
    pair[first] = key;
    pair[second] = value;
    out.push_back(std::move(pair));
  }
  return out;
}

JsonObject overrides_of(const RunTask& request) {
  JsonObject out;
  if (request.cpu_units != 0) {
    out["cpu"] = std::to_string(request.cpu_units);
    out["memory"] = std::to_string(request.memory_mib);
  }
  if (request.container.name.empty()) return out;
  JsonObject container;
  container["name"] = request.container.name;
  if (!request.container.command.empty()) container["command"] = texts_of(request.container.command);
  if (!request.container.environment.empty()) {
    container["environment"] = pairs_of(request.container.environment, "name", "value");
  }
  JsonArray containers;
  containers.push_back(std::move(container));
  out["containerOverrides"] = std::move(containers);
  return out;
}

JsonObject network_of(const TaskNetwork& network) {
  JsonObject inner;
  inner["subnets"] = texts_of(network.subnets);
  if (!network.security_groups.empty()) inner["securityGroups"] = texts_of(network.security_groups);
  inner["assignPublicIp"] = network.public_address ? "ENABLED" : "DISABLED";
  JsonObject out;
  out["awsvpcConfiguration"] = std::move(inner);
  return out;
}

// FARGATE_SPOT, and nothing beside it: no launchType, which excludes a strategy, and no fall-back at another price. The
// weight has to be said, since 0 is its default.
JsonArray spot_only() {
  JsonObject spot;
  spot["capacityProvider"] = "FARGATE_SPOT";
  spot["weight"] = 1;
  JsonArray out;
  out.push_back(std::move(spot));
  return out;
}

Status check_network(const TaskNetwork& network) {
  if (network.subnets.empty() || network.subnets.size() > kSubnetsMax) {
    return wrong("subnets", "there are " + std::to_string(network.subnets.size()) + " subnets; " +
                                between(1, kSubnetsMax) + " of one VPC");
  }
  if (network.security_groups.size() > kSecurityGroupsMax) {
    return wrong("security groups", "there are " + std::to_string(network.security_groups.size()) +
                                        " security groups; " + between(0, kSecurityGroupsMax));
  }
  return {};
}

Status check_overrides(const RunTask& request) {
  const ContainerOverride& container = request.container;
  if (container.name.empty() && !(container.command.empty() && container.environment.empty())) {
    return wrong("overrides", "a command or environment is given, but not the name of the container it is for");
  }
  if (request.cpu_units != 0 || request.memory_mib != 0) {
    const Status size = check_fargate_size(request.cpu_units, request.memory_mib);
    if (!size) return std::unexpected(size.error().at("RunTask cpu and memory"));
  }
  // The limit is of characters, "including the JSON formatting characters of the override structure".
  const std::string text = to_json_text(overrides_of(request));
  if (find_invalid_utf8(text) != std::string_view::npos) {
    return wrong("overrides", "the command or environment of container '" + container.name + "' is not UTF-8");
  }
  const std::size_t characters = count_code_points(text);
  if (characters <= kOverridesCharactersMax) return {};
  return wrong("overrides", "command and environment of container '" + container.name + "' take " +
                                std::to_string(characters) + " characters as JSON; ECS takes at most " +
                                std::to_string(kOverridesCharactersMax) +
                                ": shorten them, or keep what is long in S3 and pass its key");
}

Status check_tags(const std::map<std::string, std::string>& tags) {
  if (tags.size() > kTagsMax) {
    return wrong("tags", "there are " + std::to_string(tags.size()) + " tags; " + between(0, kTagsMax));
  }
  for (const auto& [key, value] : tags) {
    if (find_invalid_utf8(key) != std::string_view::npos || find_invalid_utf8(value) != std::string_view::npos) {
      return wrong("tags", "a tag is not UTF-8");
    }
    if (key.empty() || count_code_points(key) > kTagKeyMax || count_code_points(value) > kTagValueMax) {
      return wrong("tags", "the tag '" + key + "' is empty or too long; expected a key of " +
                               std::to_string(kTagKeyMax) + " characters at most, and a value of " +
                               std::to_string(kTagValueMax));
    }
  }
  return {};
}

bool is_started_by_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '/' || c == '_';
}

Status check_started_by(std::string_view started_by) {
  if (started_by.size() <= kStartedByMax && std::ranges::all_of(started_by, is_started_by_character)) return {};
  return wrong("startedBy", "'" + std::string(started_by) + "' has other characters or too many; expected at most " +
                                std::to_string(kStartedByMax) + " letters, digits, hyphens, slashes and underscores");
}

Status check_token(std::string_view token) {
  const auto printed = [](char c) { return c > ' ' && c < 0x7f; };
  if (token.size() <= kRunTokenMax && std::ranges::all_of(token, printed)) return {};
  return wrong("token", "the token has " + std::to_string(token.size()) + " bytes; expected at most " +
                            std::to_string(kRunTokenMax) + ", printed ASCII without blanks");
}

}  // namespace

Status check(const RunTask& request) {
  if (Status cluster = check_named("cluster", request.cluster); !cluster) return cluster;
  if (request.task_definition.empty()) {
    return wrong("task definition", "no task definition is given; expected its family, family:revision or ARN");
  }
  if (request.count < 1 || request.count > kRunTasksMax) {
    return wrong("count", std::to_string(request.count) + " tasks are asked for; " + between(1, kRunTasksMax));
  }
  if (Status network = check_network(request.network); !network) return network;
  if (Status overrides = check_overrides(request); !overrides) return overrides;
  if (Status tags = check_tags(request.tags); !tags) return tags;
  if (Status started_by = check_started_by(request.started_by); !started_by) return started_by;
  return check_token(request.token);
}

Status check_named(std::string_view what, std::string_view name) {
  if (!name.empty()) return {};
  return fail(ErrorKind::bad_input, "no " + std::string(what) + " is given; expected its name or ARN", "ECS");
}

Status check(const ListTasks& request) {
  if (Status cluster = check_named("cluster", request.cluster); !cluster) return cluster;
  if (request.family.empty() || request.started_by.empty()) return {};
  return fail(ErrorKind::bad_input, "ECS looks for tasks by family or by startedBy, not by both", "ListTasks");
}

std::string body_of(const RunTask& request, std::int64_t count, std::string_view client_token) {
  JsonObject body;
  body["cluster"] = request.cluster;
  body["taskDefinition"] = request.task_definition;
  body["count"] = count;
  body["capacityProviderStrategy"] = spot_only();
  body["networkConfiguration"] = network_of(request.network);
  if (JsonObject overrides = overrides_of(request); !overrides.empty()) body["overrides"] = std::move(overrides);
  if (!request.tags.empty()) body["tags"] = pairs_of(request.tags, "key", "value");
  if (!request.started_by.empty()) body["startedBy"] = request.started_by;
  body["clientToken"] = client_token;
  return to_json_text(body);
}

std::string body_of(const ListTasks& request, std::string_view page) {
  JsonObject body;
  body["cluster"] = request.cluster;
  if (!request.family.empty()) body["family"] = request.family;
  if (!request.started_by.empty()) body["startedBy"] = request.started_by;
  body["desiredStatus"] = request.stopped ? "STOPPED" : "RUNNING";
  if (!page.empty()) body["nextToken"] = page;
  return to_json_text(body);
}

std::string describe_body(std::string_view cluster, std::span<const std::string> tasks) {
  JsonObject body;
  body["cluster"] = cluster;
  body["tasks"] = texts_of(tasks);
  JsonArray include;
  include.emplace_back("TAGS");
  body["include"] = std::move(include);
  return to_json_text(body);
}

std::string stop_body(std::string_view cluster, std::string_view task, std::string_view reason) {
  JsonObject body;
  body["cluster"] = cluster;
  body["task"] = task;
  if (!reason.empty()) body["reason"] = reason;
  return to_json_text(body);
}

}  // namespace palette::aws
