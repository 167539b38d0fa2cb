// What an ECS task and an EC2 instance can ask of the machine they run on: task metadata v4, container credentials,
// instance metadata v2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "http/server.h"
#include "keyring.h"

namespace palette::sim {

struct MetadataSettings {
  std::string region = "us-east-1";
  std::int64_t credentials_ttl_s = 6 * 3600;
};

class MetadataEndpoints {
 public:
  MetadataEndpoints(MetadataSettings settings, Keyring& keyring) : settings_(std::move(settings)), keyring_(keyring) {}

  // Nothing when the path is none of theirs.
  std::optional<http::Response> answer(const http::ServerRequest& request, UtcTime now);

 private:
  static constexpr std::size_t kTokensMax = 10'000;

  std::optional<http::Response> task(std::string_view path) const;
  http::Response container_credentials(UtcTime now);
  http::Response instance_token(const http::ServerRequest& request, UtcTime now);
  http::Response instance(const http::ServerRequest& request, std::string_view path, UtcTime now);

  MetadataSettings settings_;
  Keyring& keyring_;
  std::map<std::string, UtcTime, std::less<>> instance_tokens_;  // until when each is good
};

}  // namespace palette::sim
