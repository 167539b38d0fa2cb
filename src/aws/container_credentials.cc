// Credentials of an ECS task or an EKS pod, from an endpoint that the platform puts beside it.
#include <algorithm>
#include <array>

#include "aws/credential_parts.h"
#include "aws/small_file.h"

namespace palette::aws {
namespace {

constexpr std::string_view kSource = "container";
constexpr std::string_view kTaskEndpoint = "http://169.254.170.2";

// ECS, EKS over both address families (reference 2.1).
constexpr std::array<std::string_view, 3> kPlatformHosts = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && http::is_local_host(host));
}

// The token that it carries must not go over the network in the clear, nor to a host that a variable made up.
bool may_be_asked(const http::Url& url) {
  return url.tls || is_loopback(url.host) || std::ranges::find(kPlatformHosts, url.host) != kPlatformHosts.end();
}

Result<http::Url> url_of(const SourceParts& parts) {
  std::string variable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  std::string text(parts.variable(variable));
  if (!text.empty()) {
    if (!text.starts_with('/')) return fail(ErrorKind::bad_input, "the path does not begin with '/'", variable);
    const std::string_view stand_in = parts.variable("PALETTE_CONTAINER_CREDENTIALS_ENDPOINT");
    text = std::string(stand_in.empty() ? kTaskEndpoint : stand_in) + text;
  } else {
    variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    text = parts.variable(variable);
  }
  if (text.empty()) {
    return fail(ErrorKind::not_found, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
  }
  Result<http::Url> url = http::Url::parse(text);
  if (!url) return std::unexpected(url.error().at(variable));
  if (!may_be_asked(*url)) {
    return fail(
        ErrorKind::bad_input,
        "the host '" + url->host +
            "' may not be asked for credentials in the clear; expected https, a loopback address, 169.254.170.2, "
            "169.254.170.23 or fd00:ec2::23",
        variable);
  }
  return url;
}

// Empty when the endpoint wants none.
Result<std::string> token_of(const SourceParts& parts) {
  const std::string_view file = parts.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!file.empty()) return read_token_file(expand_home(file, *parts.environment));
  std::string token(parts.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  if (has_control_characters(token)) {
    return fail(ErrorKind::bad_input, "the token has a line end or a control character; set it again, as one line",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  }
  return token;
}

}  // namespace

async::Task<Result<Credentials>> fetch_from_container(SourceParts parts) {
  const Result<http::Url> url = url_of(parts);
  if (!url) co_return std::unexpected(url.error());
  const Result<std::string> token = token_of(parts);
  if (!token) co_return std::unexpected(token.error());
  http::Request request;
  request.url = *url;
  request.headers.add("accept", "application/json");
  if (!token->empty()) request.headers.add("authorization", *token);
  request.deadlines = {.connect_ms = 2'000, .first_byte_ms = 2'000, .idle_ms = 2'000, .total_ms = 4'000};
  request.body_bytes_max = 256 * limits::kKiB;
  const Result<http::Response> answer =
      co_await ask_endpoint(std::move(parts), std::move(request), std::string(kSource), RetryWhen::any_failure);
  if (!answer) {
    // The variable says that it is there: no other source is asked instead.
    Error error = answer.error();
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::denied;
    co_return std::unexpected(std::move(error));
  }
  const Result<JsonObject> object = secret_json(answer->body, kSource);
  if (!object) co_return std::unexpected(object.error());
  co_return credentials_of(*object, "Token", std::string(kSource));
}

}  // namespace palette::aws
