// AWS credentials: where they come from, and how they are kept fresh (reference: SDK "Credential provider chain").
//
//   auto provider = make_credential_provider(environment, http, clock);
//   Result<Credentials> credentials = co_await provider->get();
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "aws/environment.h"
#include "aws/sigv4.h"
#include "base/result.h"
#include "base/time.h"
#include "http/client.h"

namespace palette::aws {

struct Credentials {
  SigningCredentials keys;
  std::optional<UtcTime> expires_at;  // none: they do not expire
  std::string source;                 // for a person: "environment", "profile dev (credential_process)", …
};

// One place that credentials come from. Fetches anew at each call.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // not_found: this source is not configured, the next may be asked. Every other error ends the search.
  virtual async::Task<Result<Credentials>> fetch() = 0;
};

// The chain with its cache. Lives on the loop.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  // Cached; refreshed by one task in the advisory window (15 min before the end) while others go on with the old ones,
  // waited for in the mandatory window (10 min). denied when no source has any: the message names what was looked at.
  virtual async::Task<Result<Credentials>> get() = 0;
  // What get() would give at once, without a task and without a copy; null when it would have to fetch.
  virtual std::shared_ptr<const Credentials> at_hand() { return nullptr; }
  // The service refused them as expired: the next get() fetches. Does nothing when they were fetched since `refused`.
  virtual void expire(const Credentials& refused) = 0;
};

// environment -> profile (AWS_PROFILE, or default: role, web identity, SSO, keys, credential_process) -> web identity
// -> container endpoint or, with neither container variable set and AWS_EC2_METADATA_DISABLED not true, IMDSv2.
// A profile that is named explicitly turns the environment step off. `http` and `clock` must outlive it.
std::shared_ptr<CredentialProvider> make_credential_provider(Environment environment, http::Client& http,
                                                             const Clock& clock);

}  // namespace palette::aws
