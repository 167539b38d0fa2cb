// The places that credentials come from, one coroutine each. not_found: the place is not configured, the next may be
// asked; every other error ends the search. Each reads its files and variables anew at every fetch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "async/timer.h"
#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/result.h"
#include "base/time.h"
#include "http/client.h"

namespace palette::aws {

using Pause = std::function<async::Task<Status>(std::int64_t duration_ms)>;

// What a source works with. `http` and `clock` are lent.
struct SourceParts {
  std::shared_ptr<const Environment> environment;
  http::Client* http = nullptr;
  const Clock* clock = nullptr;
  Pause pause = async::sleep_for;                   // between attempts
  std::function<std::uint64_t()> random_bits = {};  // for the jitter of the instance metadata's expiry

  std::string_view variable(std::string_view name) const { return environment->get(name); }
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (AWS_SECURITY_TOKEN before it),
// AWS_CREDENTIAL_EXPIRATION.
async::Task<Result<Credentials>> fetch_from_environment(SourceParts parts);

// AWS_PROFILE, or default: a role (web identity, or from a source), SSO, keys, credential_process.
async::Task<Result<Credentials>> fetch_from_profile(SourceParts parts);

// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: STS AssumeRoleWithWebIdentity.
async::Task<Result<Credentials>> fetch_from_web_identity(SourceParts parts);

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (below http://169.254.170.2, or below PALETTE_CONTAINER_CREDENTIALS_ENDPOINT,
// which is for tests and stand-ins), or AWS_CONTAINER_CREDENTIALS_FULL_URI.
async::Task<Result<Credentials>> fetch_from_container(SourceParts parts);

// The instance metadata service, version 2 (AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_DISABLED).
async::Task<Result<Credentials>> fetch_from_instance_metadata(SourceParts parts);

}  // namespace palette::aws
