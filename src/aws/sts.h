// The two calls of the Security Token Service that give credentials (query protocol, XML answers, API 2011-06-15).
#pragma once

#include <filesystem>
#include <string>

#include "aws/credential_sources.h"

namespace palette::aws {

struct RoleRequest {
  std::string role_arn;
  std::string session_name;      // empty: plot-palette-<time>
  std::string external_id;       // may be empty
  std::string duration_seconds;  // may be empty: the service's default, an hour
  std::string region;            // of the endpoint; empty: us-east-1
  std::string source;            // what the credentials are told as
};

// AssumeRole, signed with `by`.
async::Task<Result<Credentials>> assume_role(SourceParts parts, RoleRequest request, Credentials by);

// AssumeRoleWithWebIdentity, unsigned; the token file is read at each call (it rotates).
async::Task<Result<Credentials>> assume_role_with_web_identity(SourceParts parts, RoleRequest request,
                                                               std::filesystem::path token_file);

}  // namespace palette::aws
