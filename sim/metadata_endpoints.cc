#include "metadata_endpoints.h"

#include <charconv>

#include "base/ids.h"
#include "base/json.h"
#include "replies.h"

namespace palette::sim {
namespace {

constexpr std::string_view kAccount = "123456789012";
constexpr std::string_view kTask = "158d1c8083dd49d6b527399fd6414f5c";
constexpr std::string_view kRole = "plot-palette-sim";
constexpr std::string_view kTokenHeader = "x-aws-ec2-metadata-token";
constexpr std::int64_t kInstanceTokenMost_s = 21'600;

std::string arn(std::string_view region, std::string_view rest) {
  return "arn:aws:ecs:" + std::string(region) + ":" + std::string(kAccount) + ":" + std::string(rest);
}

std::string role_arn() { return "arn:aws:iam::" + std::string(kAccount) + ":role/" + std::string(kRole); }

JsonObject container_json(std::string_view region) {
  return {
      {"DockerId", std::string(kTask) + "-1"},
      {"Name", "plot-palette"},
      {"DockerName", "plot-palette"},
      {"Image", "plot-palette:latest"},
      {"ImageID", "sha256:0"},
      {"Labels", JsonObject{{"com.amazonaws.ecs.cluster", "plot-palette"},
                            {"com.amazonaws.ecs.task-arn", arn(region, "task/plot-palette/" + std::string(kTask))}}},
      {"DesiredStatus", "RUNNING"},
      {"KnownStatus", "RUNNING"},
      {"Limits", JsonObject{{"CPU", 256}, {"Memory", 512}}},
      {"Type", "NORMAL"},
      {"ContainerARN", arn(region, "container/plot-palette/" + std::string(kTask) + "/1")}};
}

JsonObject task_json(std::string_view region) {
  return {{"Cluster", arn(region, "cluster/plot-palette")},
          {"TaskARN", arn(region, "task/plot-palette/" + std::string(kTask))},
          {"Family", "plot-palette"},
          {"Revision", "1"},
          {"DesiredStatus", "RUNNING"},
          {"KnownStatus", "RUNNING"},
          {"Limits", JsonObject{{"CPU", 0.25}, {"Memory", 512}}},
          {"AvailabilityZone", std::string(region) + "a"},
          {"LaunchType", "FARGATE"},
          {"ClockDrift", JsonObject{{"ClockErrorBound", 0.5}, {"ClockSynchronizationStatus", "SYNCHRONIZED"}}},
          {"Containers", JsonArray{container_json(region)}}};
}

http::Response not_here() { return text_reply(404, "404 - Not Found"); }

}  // namespace

std::optional<http::Response> MetadataEndpoints::answer(const http::ServerRequest& request, UtcTime now) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path == "/latest/api/token") return instance_token(request, now);
  if (path.starts_with("/latest/")) return instance(request, path, now);
  const bool is_get = request.method == "GET";
  if (path.starts_with("/v2/credentials/")) return is_get ? container_credentials(now) : not_here();
  if (path.starts_with("/v4/")) return is_get ? task(path) : not_here();
  return std::nullopt;
}

std::optional<http::Response> MetadataEndpoints::task(std::string_view path) const {
  const std::string_view rest = path.substr(4);  // what follows "/v4/": a container's id, and what is asked of it
  const std::size_t slash = rest.find('/');
  if (rest.empty() || slash == 0) return not_here();
  if (slash == std::string_view::npos) return json_reply(200, to_json_text(container_json(settings_.region)));
  if (rest.substr(slash) == "/task") return json_reply(200, to_json_text(task_json(settings_.region)));
  return not_here();
}

http::Response MetadataEndpoints::container_credentials(UtcTime now) {
  const Key key = keyring_.issue(now, settings_.credentials_ttl_s);
  const JsonObject body = {{"RoleArn", role_arn()},
                           {"AccessKeyId", key.credentials.access_key_id},
                           {"SecretAccessKey", key.credentials.secret_access_key},
                           {"Token", key.credentials.session_token},
                           {"Expiration", key.expires_at->to_iso()}};
  return json_reply(200, to_json_text(body));
}

http::Response MetadataEndpoints::instance_token(const http::ServerRequest& request, UtcTime now) {
  if (request.method != "PUT") return text_reply(405, "405 - Method Not Allowed");
  const std::string_view asked = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds");
  std::int64_t ttl_s = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), ttl_s);
  if (error != std::errc() || end != asked.data() + asked.size() || ttl_s < 1 || ttl_s > kInstanceTokenMost_s)
    return text_reply(400, "400 - Bad Request");
  if (instance_tokens_.size() >= kTokensMax)
    std::erase_if(instance_tokens_, [&](const auto& token) { return token.second <= now; });
  if (instance_tokens_.size() >= kTokensMax) return text_reply(503, "503 - Service Unavailable");
  const std::string token = random_hex_id();
  instance_tokens_[token] = UtcTime{now.unix_ms + ttl_s * 1000};
  http::Response reply = text_reply(200, token);
  reply.headers.add("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", std::to_string(ttl_s));
  return reply;
}

http::Response MetadataEndpoints::instance(const http::ServerRequest& request, std::string_view path, UtcTime now) {
  const auto token = instance_tokens_.find(request.headers.get(kTokenHeader));
  if (token == instance_tokens_.end() || token->second <= now) return text_reply(401, "401 - Unauthorized");
  if (request.method != "GET") return text_reply(405, "405 - Method Not Allowed");
  constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
  if (path == kRoles || path == kRoles.substr(0, kRoles.size() - 1)) return text_reply(200, kRole);
  if (path == "/latest/meta-data/placement/region") return text_reply(200, settings_.region);
  if (path == "/latest/meta-data/placement/availability-zone") return text_reply(200, settings_.region + "a");
  if (path != std::string(kRoles) + std::string(kRole)) return not_here();
  const Key key = keyring_.issue(now, settings_.credentials_ttl_s);
  const JsonObject body = {{"Code", "Success"},
                           {"LastUpdated", now.to_iso()},
                           {"Type", "AWS-HMAC"},
                           {"AccessKeyId", key.credentials.access_key_id},
                           {"SecretAccessKey", key.credentials.secret_access_key},
                           {"Token", key.credentials.session_token},
                           {"Expiration", key.expires_at->to_iso()}};
  return json_reply(200, to_json_text(body));
}

}  // namespace palette::sim
