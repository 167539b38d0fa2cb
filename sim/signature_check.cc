#include "signature_check.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/hash.h"
#include "replies.h"

namespace palette::sim {
namespace {

constexpr std::int64_t kSkew_ms = 5 * 60'000;
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

using Refused = std::unexpected<http::Response>;

Refused refused(std::string_view type, std::string_view message) { return Refused(aws_error(403, type, message)); }

// Authorization: AWS4-HMAC-SHA256 Credential=AKID/day/region/service/aws4_request, SignedHeaders=a;b, Signature=hex
struct Authorization {
  std::string access_key_id, day, region, service, terminal;
  std::vector<std::string> signed_headers;
  std::string signature;
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(at, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::optional<Authorization> parse_authorization(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return std::nullopt;
  Authorization out;
  for (std::string part : split(text.substr(kAlgorithm.size()), ',')) {
    part.erase(0, part.find_first_not_of(' '));
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) return std::nullopt;
    const std::string value = part.substr(equals + 1);
    if (part.starts_with("Credential=")) {
      const std::vector<std::string> scope = split(value, '/');
      if (scope.size() != 5) return std::nullopt;
      out.access_key_id = scope[0], out.day = scope[1], out.region = scope[2], out.service = scope[3];
      out.terminal = scope[4];
    } else if (part.starts_with("SignedHeaders=")) {
      out.signed_headers = split(value, ';');
    } else if (part.starts_with("Signature=")) {
      out.signature = value;
    }
  }
  if (out.access_key_id.empty() || out.signed_headers.empty() || out.signature.empty()) return std::nullopt;
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// 20150830T123600Z
std::optional<UtcTime> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  std::string iso(text);
  for (const std::size_t at : {13, 11}) iso.insert(at, ":");
  for (const std::size_t at : {6, 4}) iso.insert(at, "-");
  const Result<UtcTime> time = UtcTime::from_iso(iso);
  return time ? std::optional(*time) : std::nullopt;
}

bool is_signed(const Authorization& authorization, std::string_view name) {
  const auto& names = authorization.signed_headers;
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The first header that had to be signed and is not; empty: none.
std::string unsigned_header(const http::ServerRequest& request, const Authorization& authorization) {
  if (!is_signed(authorization, "host")) return "host";
  for (const auto& [name, value] : request.headers) {
    const std::string small = lower(name);
    if (small.starts_with("x-amz-") && !is_signed(authorization, small)) return small;
  }
  return "";
}

std::string expected_signature(const http::ServerRequest& request, const Authorization& authorization,
                               const aws::SigningCredentials& credentials, UtcTime time) {
  aws::RequestToSign to_sign;
  to_sign.method = request.method;
  const std::size_t question = request.target.find('?');
  to_sign.path = request.target.substr(0, question);
  if (question != std::string::npos) to_sign.query = request.target.substr(question + 1);
  for (const auto& [name, value] : request.headers) {
    if (is_signed(authorization, lower(name))) to_sign.headers.emplace_back(name, value);
  }
  to_sign.payload_sha256 = sha256_hex(request.body);
  const aws::SigningScope scope = {authorization.region, authorization.service, time};
  const std::string canonical = aws::canonical_request(to_sign, aws::PathRule::encoded_again);
  return aws::signature(credentials, scope, aws::string_to_sign(canonical, scope));
}

Refused wrong_signature() {
  return refused("InvalidSignatureException",
                 "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                 "Access Key and signing method. Consult the service documentation for details.");
}

std::expected<void, http::Response> check_time(std::string_view amz_date, UtcTime signed_at, UtcTime now) {
  const std::int64_t ahead_ms = signed_at.unix_ms - now.unix_ms;
  if (ahead_ms > kSkew_ms)
    return refused("InvalidSignatureException", "Signature not yet current: " + std::string(amz_date) +
                                                    " is still later than " + now.to_iso() + " + 5 min.");
  if (ahead_ms < -kSkew_ms)
    return refused("InvalidSignatureException", "Signature expired: " + std::string(amz_date) +
                                                    " is now earlier than " + now.to_iso() + " - 5 min.");
  return {};
}

std::expected<void, http::Response> check_scope(const Authorization& authorization, std::string_view amz_date) {
  if (authorization.service != "bedrock")
    return refused("InvalidSignatureException", "Credential should be scoped to correct service: 'bedrock'.");
  if (authorization.terminal != "aws4_request")
    return refused("InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request'.");
  if (!amz_date.starts_with(authorization.day))
    return refused("InvalidSignatureException",
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                   "version of date from HTTP.");
  return {};
}

// Of a key that we know.
std::expected<void, http::Response> check_token(const http::ServerRequest& request, const Key& key, UtcTime now) {
  const std::string_view token = request.headers.get("x-amz-security-token");
  if (token != key.credentials.session_token)
    return refused("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (key.expires_at && *key.expires_at <= now)
    return refused("ExpiredTokenException", "The security token included in the request is expired");
  return {};
}

}  // namespace

std::expected<void, http::Response> check_signature(const http::ServerRequest& request, const Keyring& keyring,
                                                    UtcTime now) {
  const std::string_view header = request.headers.get("authorization");
  if (header.empty()) return refused("MissingAuthenticationTokenException", "Missing Authentication Token");
  const std::optional<Authorization> authorization = parse_authorization(header);
  const std::string_view amz_date = request.headers.get("x-amz-date");
  const std::optional<UtcTime> signed_at = parse_amz_date(amz_date);
  if (!authorization || !signed_at)
    return refused("IncompleteSignatureException",
                   "The request needs an Authorization header of AWS4-HMAC-SHA256 with Credential, SignedHeaders and "
                   "Signature, and an X-Amz-Date header.");
  const Key* key = keyring.find(authorization->access_key_id);
  if (key == nullptr)
    return refused("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (auto scope = check_scope(*authorization, amz_date); !scope) return scope;
  if (auto time = check_time(amz_date, *signed_at, now); !time) return time;
  if (const std::string name = unsigned_header(request, *authorization); !name.empty())
    return refused("InvalidSignatureException", "'" + name + "' must be a signed header of the request.");
  const std::string_view declared = request.headers.get("x-amz-content-sha256");
  if (!declared.empty() && declared != sha256_hex(request.body)) return wrong_signature();
  const std::string expected = expected_signature(request, *authorization, key->credentials, *signed_at);
  if (expected.size() != authorization->signature.size() ||
      ::CRYPTO_memcmp(expected.data(), authorization->signature.data(), expected.size()) != 0)
    return wrong_signature();
  return check_token(request, *key, now);
}

}  // namespace palette::sim
