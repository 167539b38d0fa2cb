#include "aws/service.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
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

// Of a refusal that comes as a stream; no service explains itself at such length.
constexpr std::size_t kRefusalBytesMax = 256 * limits::kKiB;

// Without case; `lower_text` has none.
bool starts_with(std::string_view text, std::string_view lower_text) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return text.size() >= lower_text.size() &&
         std::equal(lower_text.begin(), lower_text.end(), text.begin(), [&](char b, char a) { return same(a, b); });
}

bool is_signed_header(std::string_view name) {
  constexpr std::string_view kType = "content-type";
  return (name.size() == kType.size() && starts_with(name, kType)) || starts_with(name, "x-amz-") ||
         starts_with(name, "x-amzn-bedrock-");
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

std::unique_ptr<ServiceFailure> refused_token() {
  return std::make_unique<ServiceFailure>(not_sent(Error{
      ErrorKind::bad_input, "the bearer token has a line end or a control character; set it again, as one line"}));
}

// A source of a body is read from its start at each attempt. Null when all is well.
std::unique_ptr<ServiceFailure> rewound(const ServiceRequest& request) {
  if (!request.body_source) return nullptr;
  Status rewinding = request.body_source->rewind();
  return rewinding ? nullptr : std::make_unique<ServiceFailure>(not_sent(std::move(rewinding.error())));
}

// The answer of a stream that is a refusal, as far as it is looked at.
async::Task<http::Outcome<http::Response>> refusal_read(std::unique_ptr<http::ResponseStream> stream) {
  http::Response out{.status = stream->status(), .headers = stream->headers(), .body = {}};
  while (out.body.size() < kRefusalBytesMax) {
    http::Outcome<std::string> piece = co_await stream->next();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    out.body += *piece;
  }
  co_return out;
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

  // What every attempt of one call shares. Thousands wait at once: it is made once, on the heap.
  struct Call {
    ServiceRequest request;  // without its body
    std::shared_ptr<const std::string> body;
    std::string payload_sha256;                      // empty for a bearer token
    std::shared_ptr<const Credentials> credentials;  // of the latest attempt; null for a bearer token
    std::int64_t offset_ms = 0;                      // likewise
    bool clock_corrected = false;
    bool credentials_renewed = false;
  };

  static async::Task<ServiceOutcome> run(std::shared_ptr<State> state, std::unique_ptr<Call> call);
  static async::Task<ServiceStream> run_stream(std::shared_ptr<State> state, std::unique_ptr<Call> call);
  async::Task<std::unique_ptr<ServiceFailure>> get_credentials(Call* call);

  bool with_signature() const { return parts.bearer_token.empty(); }
  std::unique_ptr<Call> prepared(ServiceRequest request) const;
  // Not inlined: what these hold would lie in the frame of run(), and thousands of those wait at once.
  [[gnu::noinline]] async::Task<http::Outcome<http::Response>> send(Call& call);
  [[gnu::noinline]] http::Request request_of(Call& call);
  std::unique_ptr<ServiceFailure> failure_before_sending(const Call& call) const;
  [[gnu::noinline]] std::unique_ptr<ServiceFailure> failure_to_tell(Call& call, http::Outcome<http::Response>& answer);
  bool goes_again(Call& call, const ServiceFailure& failure, const http::Headers& headers);
  void sign(const Call& call, http::Headers& headers);
  bool learn_clock(const http::Headers& headers, std::int64_t used_offset_ms);
  ServiceFailure failure_of(const http::Response& response, const Credentials* used) const;
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

std::unique_ptr<Service::State::Call> Service::State::prepared(ServiceRequest request) const {
  auto call = std::make_unique<Call>();
  request.path.insert(0, base_path);
  if (request.path.empty()) request.path = "/";
  call->body = request.shared_body ? std::move(request.shared_body)
                                   : std::make_shared<const std::string>(std::move(request.body));
  call->payload_sha256 = std::move(request.payload_sha256);
  if (call->payload_sha256.empty() && with_signature() && !request.body_source) {
    append_hex(call->payload_sha256, sha256(*call->body));
  }
  call->request = std::move(request);
  return call;
}

// What stands in the way of a first attempt; null when nothing does.
std::unique_ptr<ServiceFailure> Service::State::failure_before_sending(const Call& call) const {
  if (has_control_characters(parts.bearer_token)) return refused_token();
  if (call.request.body_source && with_signature() && call.payload_sha256.empty()) {
    return std::make_unique<ServiceFailure>(not_sent(
        Error{ErrorKind::internal, "a body that is read in pieces is signed by its SHA-256, which is missing"}));
  }
  return nullptr;
}

async::Task<http::Outcome<http::Response>> Service::State::send(Call& call) {
  return parts.http->send(request_of(call));
}

http::Request Service::State::request_of(Call& call) {
  const ServiceRequest& request = call.request;
  call.offset_ms = clock_offset_ms;
  http::Request out;
  out.method = request.method;
  out.url = endpoint;
  out.url.target = request.query.empty() ? request.path : request.path + "?" + request.query;
  constexpr std::size_t kHeadersAdded = 5;
  out.headers.reserve(request.headers.size() + kHeadersAdded);
  for (const auto& [field, value] : request.headers) out.headers.add(field, value);
  out.headers.set("user-agent", std::string(kUserAgent));
  out.deadlines = request.deadlines;
  out.body_bytes_max = request.body_bytes_max;
  out.shared_body = call.body;
  out.body_source = request.body_source;
  // What S3 keeps packed is given as it is kept: ranges, sizes and checksums are those of the object.
  out.as_given = is_s3;
  if (call.credentials) {
    sign(call, out.headers);
  } else {
    out.headers.set("authorization", "Bearer " + parts.bearer_token);
  }
  return out;
}

void Service::State::sign(const Call& call, http::Headers& headers) {
  // S3 wants the hash as a header too (reference 1.1); the others do not.
  if (is_s3) headers.set("x-amz-content-sha256", call.payload_sha256);
  RequestToSign to_sign{call.request.method, call.request.path, call.request.query, {}, call.payload_sha256};
  to_sign.headers.reserve(headers.size() + 3);
  to_sign.headers.emplace_back("host", authority);
  for (const auto& [field, value] : headers) {
    if (is_signed_header(field)) to_sign.headers.emplace_back(field, value);
  }
  for (auto& [field, value] : signer.sign(std::move(to_sign), call.credentials->keys, server_time())) {
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

ServiceFailure Service::State::failure_of(const http::Response& response, const Credentials* used) const {
  RefusalContext context;
  context.service = name.sdk_id;
  context.credentials_source = used != nullptr ? std::string_view(used->source) : "AWS_BEARER_TOKEN_BEDROCK";
  context.now = server_time();
  ServiceFailure failure = service_failure(context, response);
  hide(failure.error.message, parts.bearer_token);
  if (used != nullptr) {
    hide(failure.error.message, used->keys.secret_access_key);
    hide(failure.error.message, used->keys.session_token);
  }
  return failure;
}

// What the caller is told of anything but a 2xx; null when the call shall go out once more.
std::unique_ptr<ServiceFailure> Service::State::failure_to_tell(Call& call, http::Outcome<http::Response>& answer) {
  if (!answer) {
    auto failure = std::make_unique<ServiceFailure>(not_sent(std::move(answer.error().error)));
    failure->sent = answer.error().sent;
    return failure;
  }
  auto failure = std::make_unique<ServiceFailure>(failure_of(*answer, call.credentials.get()));
  if (with_signature() && goes_again(call, *failure, answer->headers)) return nullptr;
  failure->response = std::make_shared<const http::Response>(std::move(*answer));
  return failure;
}

// Once for a wrong clock, and once for credentials that have expired.
bool Service::State::goes_again(Call& call, const ServiceFailure& failure, const http::Headers& headers) {
  // The answer to a HEAD has no body to say why.
  const bool may_be_the_clock = is_clock_refusal(failure.code) || (failure.status == 403 && failure.code.empty());
  if (!call.clock_corrected && may_be_the_clock && learn_clock(headers, call.offset_ms)) {
    call.clock_corrected = true;
    return true;
  }
  if (!call.credentials_renewed && is_credential_refusal(failure.code)) {
    parts.credentials->expire(*call.credentials);
    call.credentials_renewed = true;
    return true;
  }
  return false;
}

async::Task<std::unique_ptr<ServiceFailure>> Service::State::get_credentials(Call* call) {
  Result<Credentials> current = co_await parts.credentials->get();
  if (!current) co_return std::make_unique<ServiceFailure>(not_sent(std::move(current.error())));
  call->credentials = std::make_shared<const Credentials>(std::move(*current));
  co_return nullptr;
}

async::Task<ServiceOutcome> Service::State::run(std::shared_ptr<State> state, std::unique_ptr<Call> call) {
  std::unique_ptr<ServiceFailure> failure = state->failure_before_sending(*call);
  while (!failure) {
    if (state->with_signature()) {
      call->credentials = state->parts.credentials->at_hand();
      if (!call->credentials) failure = co_await state->get_credentials(call.get());
      if (failure) break;
    }
    failure = rewound(call->request);
    if (failure) break;
    async::Task<http::Outcome<http::Response>> sending = state->send(*call);
    http::Outcome<http::Response> answer = co_await std::move(sending);
    if (answer && answer->status >= 200 && answer->status < 300) co_return std::move(*answer);
    failure = state->failure_to_tell(*call, answer);
  }
  co_return std::unexpected<ServiceFailure>(std::move(*failure));
}

async::Task<ServiceStream> Service::State::run_stream(std::shared_ptr<State> state, std::unique_ptr<Call> call) {
  std::unique_ptr<ServiceFailure> failure = state->failure_before_sending(*call);
  while (!failure) {
    if (state->with_signature()) {
      call->credentials = state->parts.credentials->at_hand();
      if (!call->credentials) failure = co_await state->get_credentials(call.get());
      if (failure) break;
    }
    failure = rewound(call->request);
    if (failure) break;
    http::Request request = state->request_of(*call);
    request.body_bytes_max = std::numeric_limits<std::size_t>::max();
    async::Task<http::Outcome<std::unique_ptr<http::ResponseStream>>> opening =
        state->parts.http->open(std::move(request));
    http::Outcome<std::unique_ptr<http::ResponseStream>> stream = co_await std::move(opening);
    if (stream && (*stream)->status() >= 200 && (*stream)->status() < 300) co_return std::move(*stream);
    http::Outcome<http::Response> answer = std::unexpected(stream ? http::Failure{} : std::move(stream.error()));
    if (stream) answer = co_await refusal_read(std::move(*stream));
    failure = state->failure_to_tell(*call, answer);
  }
  co_return std::unexpected<ServiceFailure>(std::move(*failure));
}

Service::Service(ServiceName name, http::Url endpoint, std::string region, ServiceParts parts)
    : state_(std::make_shared<State>(std::move(name), std::move(endpoint), std::move(region), std::move(parts))) {}

Service::~Service() = default;

async::Task<ServiceOutcome> Service::call(ServiceRequest request) {
  return State::run(state_, state_->prepared(std::move(request)));
}

async::Task<ServiceStream> Service::open(ServiceRequest request) {
  return State::run_stream(state_, state_->prepared(std::move(request)));
}

const http::Url& Service::endpoint() const { return state_->endpoint; }

std::int64_t Service::clock_offset_ms() const { return state_->clock_offset_ms; }

}  // namespace palette::aws
