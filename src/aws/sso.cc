#include "aws/sso.h"

#include <openssl/sha.h>

#include <array>

#include "aws/credential_parts.h"
#include "aws/service.h"
#include "aws/small_file.h"
#include "aws/timestamps.h"

namespace palette::aws {
namespace {

std::string sha1_hex(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string out;
  for (const unsigned char byte : digest) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::unexpected<Error> log_in(const SsoSettings& settings, const std::string& why) {
  return fail(ErrorKind::denied, why + "; run: aws sso login --profile " + settings.profile,
              "profile " + settings.profile + " (SSO)");
}

Result<std::string> cached_token(const SourceParts& parts, const SsoSettings& settings) {
  const std::filesystem::path path =
      parts.environment->home / ".aws" / "sso" / "cache" / (sha1_hex(settings.cache_key) + ".json");
  const Result<std::optional<std::string>> text = read_small_file(path);
  if (!text) return std::unexpected(text.error());
  if (!*text) return log_in(settings, "nobody is logged in to SSO");
  const Result<JsonObject> object = secret_json(**text, path.native());
  if (!object) return std::unexpected(object.error());
  std::string token = text_of(*object, "accessToken");
  const Result<UtcTime> expires_at = parse_expiry(text_of(*object, "expiresAt"));
  if (token.empty() || !expires_at || has_control_characters(token)) {
    return log_in(settings, "the cached login " + path.native() + " has no usable accessToken and expiresAt");
  }
  if (*expires_at <= parts.clock->now()) {
    return log_in(settings, "the login to SSO expired at " + expires_at->to_iso());
  }
  return token;
}

Result<Credentials> credentials_of_answer(const http::Response& answer, const std::string& source) {
  const Result<JsonObject> object = secret_json(answer.body, source);
  if (!object) return std::unexpected(object.error());
  const Json* keys = object->if_contains("roleCredentials");
  if (keys == nullptr || !keys->is_object()) {
    return fail(ErrorKind::corrupt, "the answer has no roleCredentials", source);
  }
  const JsonObject& inner = keys->get_object();
  std::string expiration;
  if (const Json* expires = inner.if_contains("expiration"); expires != nullptr && expires->is_int64()) {
    expiration = UtcTime{expires->get_int64()}.to_iso();  // milliseconds since 1970
  }
  return credentials_of(
      {text_of(inner, "accessKeyId"), text_of(inner, "secretAccessKey"), text_of(inner, "sessionToken"), expiration},
      source);
}

}  // namespace

async::Task<Result<Credentials>> fetch_from_sso(SourceParts parts, SsoSettings settings) {
  const std::string source = "profile " + settings.profile + " (SSO)";
  const Result<std::string> token = cached_token(parts, settings);
  if (!token) co_return std::unexpected(token.error());
  const ServiceName name{.host_prefix = "portal.sso", .signing_name = "awsssoportal", .sdk_id = "SSO"};
  const Result<http::Url> endpoint = endpoint_of(name, settings.region, *parts.environment);
  if (!endpoint) co_return std::unexpected(endpoint.error().at(source));
  http::Request request;
  request.url = *endpoint;
  while (request.url.target.ends_with('/')) request.url.target.pop_back();
  request.url.target += "/federation/credentials?role_name=" + uri_encode(settings.role_name, false) +
                        "&account_id=" + uri_encode(settings.account_id, false);
  request.headers.add("x-amz-sso_bearer_token", *token);
  request.headers.add("accept", "application/json");
  request.deadlines = {.connect_ms = 5'000, .first_byte_ms = 10'000, .idle_ms = 10'000, .total_ms = 20'000};
  request.body_bytes_max = 256 * limits::kKiB;
  const Result<http::Response> answer =
      co_await ask_endpoint(std::move(parts), std::move(request), source, RetryWhen::transient);
  if (!answer) {
    if (answer.error().kind != ErrorKind::denied) co_return std::unexpected(answer.error());
    co_return log_in(settings, "SSO refused the login or the role: " + answer.error().message);
  }
  co_return credentials_of_answer(*answer, source);
}

}  // namespace palette::aws
