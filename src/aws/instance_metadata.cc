// Credentials of an EC2 instance: the instance metadata service, version 2 (a session token first).
#include <algorithm>

#include "aws/credential_parts.h"
#include "aws/small_file.h"

namespace palette::aws {
namespace {

constexpr std::string_view kSource = "instance metadata";
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr std::int64_t kMinute_ms = 60'000;

// Nothing of it goes beyond the machine: a second is long.
constexpr http::Deadlines kDeadlines{.connect_ms = 1'000, .first_byte_ms = 1'000, .idle_ms = 1'000, .total_ms = 2'000};

bool is_true(std::string_view text) {
  return text.size() == 4 && (text[0] == 't' || text[0] == 'T') && (text[1] == 'r' || text[1] == 'R') &&
         (text[2] == 'u' || text[2] == 'U') && (text[3] == 'e' || text[3] == 'E');
}

Result<http::Url> base_url(const SourceParts& parts) {
  if (is_true(parts.variable("AWS_EC2_METADATA_DISABLED"))) {
    return fail(ErrorKind::not_found, "AWS_EC2_METADATA_DISABLED is true");
  }
  const std::string_view endpoint = parts.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!endpoint.empty()) {
    Result<http::Url> url = http::Url::parse(endpoint);
    if (!url) return std::unexpected(url.error().at("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
    while (url->target.ends_with('/')) url->target.pop_back();
    return url;
  }
  const std::string_view mode = parts.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  Result<http::Url> url =
      http::Url::parse(mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  if (url) url->target.clear();
  return url;
}

http::Request request_of(const http::Url& base, std::string method, std::string_view path) {
  http::Request request;
  request.method = std::move(method);
  request.url = base;
  request.url.target += path;
  request.deadlines = kDeadlines;
  request.body_bytes_max = 64 * limits::kKiB;
  return request;
}

// Is there no such service, or is it off? Then this is no EC2 instance that has credentials for us.
Error absent_or(Error error) {
  const bool absent = error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout ||
                      error.kind == ErrorKind::denied || error.kind == ErrorKind::not_found;
  if (!absent) return error;
  return Error{ErrorKind::not_found, "this is no EC2 instance with a role (" + error.message + ")"};
}

// Static stability: when the service cannot get new ones, it gives old ones out that AWS still takes. They are used on,
// and asked for again after the jitter, not at every call (reference 2.2).
void extend_if_near_its_end(Credentials& credentials, const SourceParts& parts) {
  if (!credentials.expires_at) return;
  const std::int64_t jitter_ms = 2 * kMinute_ms + static_cast<std::int64_t>(parts.random_bits() % (8 * kMinute_ms));
  const std::int64_t extended_ms = parts.clock->now().unix_ms + 15 * kMinute_ms + jitter_ms;
  credentials.expires_at->unix_ms = std::max(credentials.expires_at->unix_ms, extended_ms);
}

Result<Credentials> credentials_of_answer(const http::Response& answer, const SourceParts& parts) {
  const Result<JsonObject> object = secret_json(answer.body, kSource);
  if (!object) return std::unexpected(object.error());
  // A 200 may hold {"Code": "Failed", "Message": …}.
  if (const std::string code = text_of(*object, "Code"); !code.empty() && code != "Success") {
    return fail(ErrorKind::denied, "it gives no credentials: " + code + ": " + text_of(*object, "Message"),
                std::string(kSource));
  }
  Result<Credentials> credentials = credentials_of(*object, "Token", std::string(kSource));
  if (credentials) extend_if_near_its_end(*credentials, parts);
  return credentials;
}

}  // namespace

async::Task<Result<Credentials>> fetch_from_instance_metadata(SourceParts parts) {
  const Result<http::Url> base = base_url(parts);
  if (!base) co_return std::unexpected(base.error());
  const std::string source(kSource);
  http::Request for_token = request_of(*base, "PUT", "/latest/api/token");
  for_token.headers.add("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  const Result<http::Response> token = co_await ask_endpoint(parts, std::move(for_token), source, RetryWhen::never);
  if (!token) co_return std::unexpected(absent_or(token.error()));
  if (token->body.empty() || has_control_characters(token->body)) {
    co_return fail(ErrorKind::corrupt, "its session token is empty or more than one line", source);
  }

  http::Request for_role = request_of(*base, "GET", kRolePath);
  for_role.headers.add("x-aws-ec2-metadata-token", token->body);
  const Result<http::Response> role = co_await ask_endpoint(parts, std::move(for_role), source, RetryWhen::never);
  if (!role) {
    co_return std::unexpected(role.error().kind == ErrorKind::not_found ? absent_or(role.error()) : role.error());
  }
  const std::string name = role->body.substr(0, role->body.find_first_of("\r\n"));
  if (name.empty()) co_return fail(ErrorKind::not_found, "this EC2 instance has no role");

  http::Request for_keys = request_of(*base, "GET", std::string(kRolePath) + uri_encode(name, false));
  for_keys.headers.add("x-aws-ec2-metadata-token", token->body);
  const Result<http::Response> keys = co_await ask_endpoint(parts, std::move(for_keys), source, RetryWhen::never);
  if (!keys) co_return std::unexpected(keys.error());
  co_return credentials_of_answer(*keys, parts);
}

}  // namespace palette::aws
