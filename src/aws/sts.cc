#include "aws/sts.h"

#include "aws/credential_parts.h"
#include "aws/service.h"
#include "aws/small_file.h"
#include "aws/xml_element.h"

namespace palette::aws {
namespace {

constexpr http::Deadlines kDeadlines{
    .connect_ms = 5'000, .first_byte_ms = 10'000, .idle_ms = 10'000, .total_ms = 20'000};
constexpr std::size_t kAnswerBytesMax = 256 * limits::kKiB;
constexpr std::string_view kContentType = "application/x-www-form-urlencoded";

ServiceName sts_name() { return {.host_prefix = "sts", .signing_name = "sts", .sdk_id = "STS"}; }

std::string region_or_default(const RoleRequest& request) {
  return request.region.empty() ? "us-east-1" : request.region;
}

// Credentials that were there before: those an AssumeRole is signed with.
class GivenCredentials final : public CredentialProvider {
 public:
  explicit GivenCredentials(Credentials given) : given_(std::move(given)) {}
  async::Task<Result<Credentials>> get() override { co_return given_; }
  void expire(const Credentials&) override {}  // there are no others; the refusal is told after the next attempt

 private:
  Credentials given_;
};

class Form {
 public:
  explicit Form(std::string_view action) { text_ = "Action=" + std::string(action) + "&Version=2011-06-15"; }
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += "&" + std::string(name) + "=" + uri_encode(value, false);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

Form form_of(std::string_view action, const RoleRequest& request, const Clock& clock) {
  Form form(action);
  form.add("RoleArn", request.role_arn);
  form.add("RoleSessionName",
           request.session_name.empty() ? "plot-palette-" + std::to_string(clock.now().unix_ms) : request.session_name);
  form.add("DurationSeconds", request.duration_seconds);
  form.add("ExternalId", request.external_id);
  return form;
}

Result<Credentials> credentials_of_answer(const http::Response& response, const std::string& source) {
  const auto element = [&](std::string_view name) { return xml_element(response.body, name).value_or(""); };
  return credentials_of(
      {element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken"), element("Expiration")}, source);
}

}  // namespace

async::Task<Result<Credentials>> assume_role(SourceParts parts, RoleRequest request, Credentials by) {
  const std::string region = region_or_default(request);
  const Result<http::Url> endpoint = endpoint_of(sts_name(), region, *parts.environment);
  if (!endpoint) co_return std::unexpected(endpoint.error());
  ServiceParts service_parts;
  service_parts.http = std::shared_ptr<http::Client>(std::shared_ptr<void>(), parts.http);  // lent
  service_parts.credentials = std::make_shared<GivenCredentials>(std::move(by));
  service_parts.clock = parts.clock;
  Service sts(sts_name(), *endpoint, region, std::move(service_parts));
  ServiceRequest call;
  call.path = "/";
  call.headers.add("content-type", std::string(kContentType));
  call.body = form_of("AssumeRole", request, *parts.clock).take();
  call.deadlines = kDeadlines;
  call.body_bytes_max = kAnswerBytesMax;
  const ServiceOutcome answer = co_await sts.call(std::move(call));
  if (!answer) co_return std::unexpected(answer.error().error.at(request.source));
  co_return credentials_of_answer(*answer, request.source);
}

async::Task<Result<Credentials>> assume_role_with_web_identity(SourceParts parts, RoleRequest request,
                                                               std::filesystem::path token_file) {
  const Result<std::string> token = read_token_file(token_file);
  if (!token) co_return std::unexpected(token.error());
  const Result<http::Url> endpoint = endpoint_of(sts_name(), region_or_default(request), *parts.environment);
  if (!endpoint) co_return std::unexpected(endpoint.error());
  Form form = form_of("AssumeRoleWithWebIdentity", request, *parts.clock);
  form.add("WebIdentityToken", *token);
  http::Request call;
  call.method = "POST";
  call.url = *endpoint;
  call.headers.add("content-type", std::string(kContentType));
  call.body = form.take();
  call.deadlines = kDeadlines;
  call.body_bytes_max = kAnswerBytesMax;
  // The identity provider may be away for a moment: IDPCommunicationError, which is a 400 (reference 2.1).
  const Result<http::Response> answer =
      co_await ask_endpoint(std::move(parts), std::move(call), request.source, RetryWhen::transient);
  if (!answer) co_return std::unexpected(answer.error());
  co_return credentials_of_answer(*answer, request.source);
}

async::Task<Result<Credentials>> fetch_from_web_identity(SourceParts parts) {
  const std::string token_file(parts.variable("AWS_WEB_IDENTITY_TOKEN_FILE"));
  if (token_file.empty()) co_return fail(ErrorKind::not_found, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  RoleRequest request;
  request.role_arn = parts.variable("AWS_ROLE_ARN");
  if (request.role_arn.empty()) {
    co_return fail(ErrorKind::bad_input, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both");
  }
  request.session_name = parts.variable("AWS_ROLE_SESSION_NAME");
  request.region = region_of(*parts.environment);
  request.source = "web identity";
  const std::filesystem::path path = expand_home(token_file, *parts.environment);
  co_return co_await assume_role_with_web_identity(std::move(parts), std::move(request), path);
}

}  // namespace palette::aws
