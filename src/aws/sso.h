// Credentials of IAM Identity Center (SSO), with the token that `aws sso login` has put into ~/.aws/sso/cache.
#pragma once

#include <string>

#include "aws/credential_sources.h"

namespace palette::aws {

struct SsoSettings {
  std::string account_id, role_name;
  std::string region;     // of the SSO portal
  std::string cache_key;  // the name of the sso-session or, in the older form, the start URL
  std::string profile;    // for messages
};

// denied when nobody is logged in or the login has expired: the message names the command to run.
async::Task<Result<Credentials>> fetch_from_sso(SourceParts parts, SsoSettings settings);

}  // namespace palette::aws
