// What the credential sources share: making Credentials out of texts, and asking an endpoint.
#pragma once

#include <string>
#include <string_view>

#include "aws/credential_sources.h"
#include "base/json.h"

namespace palette::aws {

// Credentials as they were written somewhere. `session_token` and `expiration` may be empty.
struct KeyTexts {
  std::string access_key_id, secret_access_key, session_token, expiration;
};

// bad_input when a key is missing or has control characters (they would end the header that carries it), or the
// expiration is no time. No message holds a value.
Result<Credentials> credentials_of(KeyTexts texts, std::string source);

// Of a JSON object {AccessKeyId, SecretAccessKey, <token_member>, Expiration}.
Result<Credentials> credentials_of(const JsonObject& object, std::string_view token_member, std::string source);

// The text of a member; "" when it is not there or no text.
std::string text_of(const JsonObject& object, std::string_view name);

// An object, or an error (corrupt) that says where it came from and nothing of what it holds.
Result<JsonObject> secret_json(std::string_view text, std::string_view source);

enum class RetryWhen : std::uint8_t {
  never,
  transient,    // unavailable, timeout, throttled
  any_failure,  // as the container endpoint wants it
};

// Asks up to three times, 1 s apart, for an answer with status 200. `source` is for messages.
async::Task<Result<http::Response>> ask_endpoint(SourceParts parts, http::Request request, std::string source,
                                                 RetryWhen retry);

}  // namespace palette::aws
