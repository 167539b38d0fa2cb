#include "aws/service.h"

#include <cctype>
#include <cstdlib>
#include <utility>

#include "aws/digest.h"
#include "aws/service_error.h"
#include "aws/small_file.h"
#include "aws/timestamps.h"

namespace palette::aws {
namespace {

constexpr std::string_view kUserAgent = "plot-palette/" PALETTE_VERSION;

// AWS takes 5 minutes of difference; less than this is no reason for a refusal (reference 1.1).
constexpr std::int64_t kClockDifferenceMin_ms = 4 * 60 * 1'000;

// A small body is copied for each attempt; a larger one is held once and lent to the client in pieces.
constexpr std::size_t kCopiedBodyBytesMax = 4 * limits::kKiB;
constexpr std::size_t kBodyPieceBytes = 256 * limits::kKiB;

class LentBody final : public http::BodySource {
 public:
  explicit LentBody(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}

  std::uint64_t size() const override { return text_->size(); }

  async::Task<Result<std::string>> next() override {
    std::string piece = text_->substr(at_, kBodyPieceBytes);
    at_ += piece.size();
    co_return piece;
  }

  Status rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::shared_ptr<const std::string> text_;
  std::size_t at_ = 0;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_signed_header(std::string_view name) {
  const std::string key = lower(name);
  return key == "content-type" || key.starts_with("x-amz-") || key.starts_with("x-amzn-bedrock-");
}

// No message may hold a credential, whatever a service puts into its own.
void hide(std::string& message, std::string_view secret) {
  if (secret.empty()) return;
  constexpr std::string_view kHidden = "***";
  for (std::size_t at = message.find(secret); at != std::string::npos; at = message.find(secret, at + kHidden.size())) {
    message.replace(at, secret.size(), kHidden);
  }
}

ServiceFailure not_sent(Error error) {
  ServiceFailure out;
  out.error = std::move(error);
  return out;
}

}  // namespace

struct Service::State {
  State(ServiceName service, http::Url address, std::string region, ServiceParts service_parts)
      : name(std::move(service)),
        endpoint(std::move(address)),
        authority(endpoint.authority()),
        base_path(endpoint.target.substr(0, endpoint.target.find_last_not_of('/') + 1)),
        is_s3(name.signing_name == "s3"),
        parts(std::move(service_parts)),
        signer(std::move(region), name.signing_name, is_s3 ? PathRule::as_it_is : PathRule::encoded_again) {}

  static async::Task<ServiceOutcome> run(std::shared_ptr<State> state, ServiceRequest request);

  // What every attempt of one call shares.
  struct Call {
    ServiceRequest request;  // without its body
    std::string path;        // below the endpoint's own
    std::shared_ptr<const std::string> body;
    std::string payload_sha256;  // empty for a bearer token
  };

  Call prepared(ServiceRequest request) const;
  http::Request attempt(const Call& call, const std::optional<Credentials>& credentials);
  void sign(const Call& call, const Credentials& credentials, http::Headers& headers);
  bool learn_clock(const http::Headers& headers, std::int64_t used_offset_ms);
  ServiceFailure failure_of(const http::Response& response, const std::optional<Credentials>& credentials) const;
  UtcTime server_time() const { return UtcTime{parts.clock->now().unix_ms + clock_offset_ms}; }

  ServiceName name;
  http::Url endpoint;
  std::string authority;
  std::string base_path;
  bool is_s3;
  ServiceParts parts;
  Signer signer;
  std::int64_t clock_offset_ms = 0;
};

Service::State::Call Service::State::prepared(ServiceRequest request) const {
  Call call;
  call.path = base_path + request.path;
  if (call.path.empty()) call.path = "/";
  call.body = std::make_shared<const std::string>(std::move(request.body));
  request.body.clear();
  if (parts.bearer_token.empty()) append_hex(call.payload_sha256, sha256(*call.body));
  call.request = std::move(request);
  return call;
}

http::Request Service::State::attempt(const Call& call, const std::optional<Credentials>& credentials) {
  http::Request out;
  out.method = call.request.method;
  out.url = endpoint;
  out.url.target = call.request.query.empty() ? call.path : call.path + "?" + call.request.query;
  out.headers = call.request.headers;
  out.headers.set("user-agent", std::string(kUserAgent));
  out.deadlines = call.request.deadlines;
  out.body_bytes_max = call.request.body_bytes_max;
  if (call.body->size() <= kCopiedBodyBytesMax) {
    out.body = *call.body;
  } else {
    out.body_source = std::make_shared<LentBody>(call.body);
  }
  if (credentials) {
    sign(call, *credentials, out.headers);
  } else {
    out.headers.set("authorization", "Bearer " + parts.bearer_token);
  }
  return out;
}

void Service::State::sign(const Call& call, const Credentials& credentials, http::Headers& headers) {
  // S3 wants the hash as a header too (reference 1.1); the others do not.
  if (is_s3) headers.set("x-amz-content-sha256", call.payload_sha256);
  RequestToSign to_sign{call.request.method, call.path, call.request.query, {}, call.payload_sha256};
  to_sign.headers.reserve(headers.size() + 3);
  to_sign.headers.emplace_back("host", authority);
  for (const auto& [field, value] : headers) {
    if (is_signed_header(field)) to_sign.headers.emplace_back(field, value);
  }
  for (auto& [field, value] : signer.sign(std::move(to_sign), credentials.keys, server_time())) {
    headers.add(std::move(field), std::move(value));
  }
}

bool Service::State::learn_clock(const http::Headers& headers, std::int64_t used_offset_ms) {
  const std::optional<UtcTime> date = parse_http_date(headers.get("date"));
  if (!date) return false;
  const std::int64_t offset_ms = date->unix_ms - parts.clock->now().unix_ms;
  // Against the offset of this very attempt: of a hundred calls in flight, each one goes again, not only the first.
  if (std::abs(offset_ms - used_offset_ms) <= kClockDifferenceMin_ms) return false;
  clock_offset_ms = offset_ms;
  return true;
}

ServiceFailure Service::State::failure_of(const http::Response& response,
                                          const std::optional<Credentials>& credentials) const {
  RefusalContext context;
  context.service = name.sdk_id;
  context.credentials_source = credentials ? std::string_view(credentials->source) : "AWS_BEARER_TOKEN_BEDROCK";
  context.now = server_time();
  ServiceFailure failure = service_failure(context, response);
  hide(failure.error.message, parts.bearer_token);
  if (credentials) {
    hide(failure.error.message, credentials->keys.secret_access_key);
    hide(failure.error.message, credentials->keys.session_token);
  }
  return failure;
}

async::Task<ServiceOutcome> Service::State::run(std::shared_ptr<State> state, ServiceRequest request) {
  const bool with_signature = state->parts.bearer_token.empty();
  if (has_control_characters(state->parts.bearer_token)) {
    co_return std::unexpected(not_sent(Error{
        ErrorKind::bad_input, "the bearer token has a line end or a control character; set it again, as one line"}));
  }
  const Call call = state->prepared(std::move(request));
  bool clock_corrected = false;
  bool credentials_renewed = false;
  for (;;) {
    std::optional<Credentials> credentials;
    if (with_signature) {
      Result<Credentials> current = co_await state->parts.credentials->get();
      if (!current) co_return std::unexpected(not_sent(std::move(current.error())));
      credentials = std::move(*current);
    }
    const std::int64_t offset_ms = state->clock_offset_ms;
    http::Request attempt = state->attempt(call, credentials);
    http::Outcome<http::Response> answer = co_await state->parts.http->send(std::move(attempt));
    if (!answer) {
      ServiceFailure failure = not_sent(std::move(answer.error().error));
      failure.sent = answer.error().sent;
      co_return std::unexpected(std::move(failure));
    }
    if (answer->status >= 200 && answer->status < 300) co_return std::move(*answer);
    ServiceFailure failure = state->failure_of(*answer, credentials);
    // The answer to a HEAD has no body to say why.
    const bool may_be_the_clock = is_clock_refusal(failure.code) || (failure.status == 403 && failure.code.empty());
    if (with_signature && !clock_corrected && may_be_the_clock && state->learn_clock(answer->headers, offset_ms)) {
      clock_corrected = true;
      continue;
    }
    if (with_signature && !credentials_renewed && is_credential_refusal(failure.code)) {
      state->parts.credentials->expire(*credentials);
      credentials_renewed = true;
      continue;
    }
    co_return std::unexpected(std::move(failure));
  }
}

Service::Service(ServiceName name, http::Url endpoint, std::string region, ServiceParts parts)
    : state_(std::make_shared<State>(std::move(name), std::move(endpoint), std::move(region), std::move(parts))) {}

Service::~Service() = default;

async::Task<ServiceOutcome> Service::call(ServiceRequest request) { return State::run(state_, std::move(request)); }

const http::Url& Service::endpoint() const { return state_->endpoint; }

std::int64_t Service::clock_offset_ms() const { return state_->clock_offset_ms; }

}  // namespace palette::aws
