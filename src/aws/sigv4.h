// AWS Signature Version 4 as pure functions: nothing is read from the environment, no clock, no state.
// Source: "Create a signed AWS API request" of the IAM user guide; the names are those of that page.
//
//   RequestToSign request{"POST", "/model/m/converse", "", {{"host", "bedrock-runtime.us-east-1.amazonaws.com"}},
//   sha256_hex(body)}; for (auto& [name, value] : sign_headers(request, credentials, {"us-east-1", "bedrock", now},
//   PathRule::encoded_again)) …
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace palette::aws {

using Headers = std::vector<std::pair<std::string, std::string>>;  // in order, duplicates kept

struct SigningCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};  // empty: long-lived keys
};

struct SigningScope {
  std::string region;
  std::string service;  // the signing name: "bedrock" also for the host bedrock-runtime
  UtcTime time;
};

// How the path of the canonical request comes from the path on the wire.
enum class PathRule : std::uint8_t {
  encoded_again,  // every service but S3: dot segments and doubled slashes removed, then percent-encoded once more
  encoded_only,   // likewise, without removing anything
  as_it_is,       // S3
};

struct RequestToSign {
  std::string method;
  std::string path;            // as it goes on the wire; empty is "/"
  std::string query;           // likewise, without "?"
  Headers headers;             // must hold host; names in any case
  std::string payload_sha256;  // hex of the body, or UNSIGNED-PAYLOAD
};

// CanonicalRequest, over all headers of the request but hop-by-hop ones and those that proxies change.
std::string canonical_request(const RequestToSign& request, PathRule rule);

std::string string_to_sign(std::string_view canonical_request, const SigningScope& scope);

// Hex of the HMAC chain secret -> day -> region -> service -> "aws4_request", applied to the string to sign.
std::string signature(const SigningCredentials& credentials, const SigningScope& scope,
                      std::string_view string_to_sign);

// The headers to add: x-amz-date, x-amz-security-token (with a session token), each unless the request has it;
// Authorization, last.
Headers sign_headers(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                     PathRule rule);

// Signs many requests of one service: keeps the key that is derived from the secret and the day, which is most of the
// work of a signature. Its headers are those of sign_headers.
class Signer {
 public:
  Signer(std::string region, std::string service, PathRule rule);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  Headers sign(RequestToSign request, const SigningCredentials& credentials, UtcTime time);

 private:
  struct DayKey;
  std::string region_, service_;
  PathRule rule_;
  std::unique_ptr<DayKey> key_;
  std::string path_, canonical_path_;  // of the last request: most have the same
};

// The query string of a presigned URL, valid for `expires_s` seconds: the request's own parameters, the authentication
// parameters and X-Amz-Signature.
std::string presign_query(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                          PathRule rule, std::int64_t expires_s);

// Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ (and "/" when it is kept).
std::string uri_encode(std::string_view text, bool keep_slash);

}  // namespace palette::aws
