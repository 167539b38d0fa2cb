// One call of an AWS service: address, signature or bearer token, clock-skew correction, one refresh of expired
// credentials, and every answer mapped to an Error kind in one place (service_error.h). No other retries.
//
//   Service bedrock({"bedrock-runtime", "bedrock"}, parts);
//   ServiceOutcome answer = co_await bedrock.call({.method = "POST", .path = "/model/…/converse", .body = body});
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "http/client.h"

namespace palette::aws {

struct ServiceName {
  std::string host_prefix;   // "bedrock-runtime": https://bedrock-runtime.{region}.amazonaws.com
  std::string signing_name;  // "bedrock"
  std::string sdk_id;        // "Bedrock Runtime": AWS_ENDPOINT_URL_BEDROCK_RUNTIME, and `services` of a profile
};

// The region: AWS_REGION, AWS_DEFAULT_REGION, the profile's, the task's (ECS metadata v4 AvailabilityZone). Empty where
// none says it (without the task's, which needs a call).
std::string region_of(const Environment& environment);
async::Task<Result<std::string>> region_of_task(Environment environment, http::Client& http);

// AWS_ENDPOINT_URL_<SDK_ID>, then AWS_ENDPOINT_URL, then the same of the profile (unless
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true), then the service's own for the region. bad_input for what is no URL.
Result<http::Url> endpoint_of(const ServiceName& name, std::string_view region, const Environment& environment);

struct ServiceRequest {
  std::string method = "POST";
  std::string path;   // encoded once, as it goes on the wire
  std::string query;  // likewise, without "?"
  http::Headers headers;
  std::string body;
  http::Deadlines deadlines;
  std::size_t body_bytes_max = 64 * limits::kMiB;
  std::shared_ptr<const std::string> shared_body = {};  // instead of `body`, when set: a text its owner keeps too
  std::shared_ptr<http::BodySource> body_source = {};   // likewise, read piece by piece, from its start at each try
  std::string payload_sha256 = {};                      // hex, of the body, where it is known; a source needs it
};

// A call that gave no 2xx answer.
struct ServiceFailure {
  Error error;        // its retry_after_ms is what Retry-After or x-amz-retry-after said
  int status = 0;     // 0: no answer came
  std::string code;   // "ThrottlingException"; empty when the answer had none
  bool sent = false;  // as of http::Failure; for answers true
  // The answer as it came, for what a service tells in it besides its code; null when none came.
  std::shared_ptr<const http::Response> response = {};
};
using ServiceOutcome = std::expected<http::Response, ServiceFailure>;
using ServiceStream = std::expected<std::unique_ptr<http::ResponseStream>, ServiceFailure>;

struct ServiceParts {
  std::shared_ptr<http::Client> http;
  std::shared_ptr<CredentialProvider> credentials;
  const Clock* clock = nullptr;
  std::string bearer_token;  // instead of a signature, when not empty (AWS_BEARER_TOKEN_BEDROCK)
};

class Service {
 public:
  Service(ServiceName name, http::Url endpoint, std::string region, ServiceParts parts);
  ~Service();

  async::Task<ServiceOutcome> call(ServiceRequest request);
  // The same for an answer that is read piece by piece: a 2xx, whose body is not bounded here.
  async::Task<ServiceStream> open(ServiceRequest request);

  const http::Url& endpoint() const;
  // What the other side's clock is ahead of ours, learnt from its Date headers when it refused a signature.
  std::int64_t clock_offset_ms() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
