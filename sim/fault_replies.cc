#include "fault_replies.h"

#include <algorithm>

#include "base/json.h"

namespace palette::sim {
namespace {

constexpr std::string_view kServer = "server_error";

void add_retry_after(const Call& call, std::int64_t wait_ms, http::Response& reply) {
  // Seconds with a fraction, as OpenAI's proxies send them, and beside it the field in milliseconds that each family of
  // clients prefers.
  std::string seconds;
  append_double(seconds, static_cast<double>(wait_ms) / 1000);
  reply.headers.add("Retry-After", seconds);
  reply.headers.add(call.is_openai() ? "retry-after-ms" : "x-amz-retry-after", std::to_string(wait_ms));
}

http::Response throttled(const Call& call, CounterRandom& random) {
  http::Response reply =
      call.is_openai()
          ? openai_error(429, "requests", "rate_limit_exceeded",
                         "Rate limit reached for " + call.model + " on requests per min (RPM). Please try again later.")
          : aws_error(429, "ThrottlingException", "Too many requests, please wait before trying again.");
  if (random.unit() < 0.5) add_retry_after(call, 100 + static_cast<std::int64_t>(random.below(901)), reply);
  return reply;
}

http::Response model_error() {
  http::Response reply = aws_error(424, "ModelErrorException", "");
  reply.body = R"({"message":"The system encountered an unexpected error during processing. Try your request again.",)"
               R"("originalStatusCode":500,"resourceName":"plot-palette-sim"})";
  return reply;
}

http::Response bedrock_reply(const Call& call, Fault fault, CounterRandom& random) {
  switch (fault) {
    case Fault::throttle:
      return throttled(call, random);
    case Fault::error_500:
      return aws_error(500, "InternalServerException", "The system encountered an unexpected error during processing.");
    case Fault::error_503:
    case Fault::outage:
      return aws_error(503, "ServiceUnavailableException", "Bedrock is unable to process your request.");
    case Fault::error_408:
      return aws_error(408, "ModelTimeoutException",
                       "Model has timed out in processing the request. Try your request "
                       "again.");
    case Fault::error_424:
      return model_error();
    case Fault::error_in_200:
      return json_reply(200, R"({"__type":"InternalServerException","message":"The system encountered an unexpected )"
                             R"(error during processing."})");
    case Fault::not_ready:
      return aws_error(429, "ModelNotReadyException",
                       "Model is not ready for inference. Wait and try your request "
                       "again.");
    case Fault::quota_day:
      return aws_error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.");
    case Fault::zero_quota:
      // Converse does not list ServiceQuotaExceededException among its errors.
      if (call.shape != Shape::converse)
        return aws_error(400, "ServiceQuotaExceededException",
                         "Your request exceeds the service quota for your account: the quota of this model is 0.");
      return aws_error(
          429, "ThrottlingException",
          "Too many requests: your account's quota is 0 requests per minute for this model. Request an increase in "
          "Service Quotas.");
    case Fault::hang:
    case Fault::cut:
    case Fault::half:
    case Fault::malformed:
    case Fault::empty:
    case Fault::quota:
      break;
  }
  return aws_error(500, "InternalServerException", "plot-palette-sim has no reply of this fault.");
}

http::Response openai_reply(const Call& call, Fault fault, CounterRandom& random) {
  switch (fault) {
    case Fault::throttle:
      return throttled(call, random);
    case Fault::error_500:
      return openai_error(500, kServer, "", "The server had an error while processing your request. Sorry about that!");
    case Fault::error_503:
    case Fault::outage:
    case Fault::not_ready:
      return openai_error(503, kServer, "", "The engine is currently overloaded, please try again later.");
    case Fault::error_408:
      return openai_error(408, kServer, "", "The request timed out.");
    case Fault::error_424:
      return openai_error(424, kServer, "", "The model failed to answer.");
    case Fault::error_in_200:
      return openai_error(200, kServer, "", "The upstream provider failed.");
    case Fault::quota_day:
      return openai_error(
          429, "tokens", "rate_limit_exceeded",
          "Rate limit reached for " + call.model + " on tokens per day (TPD). Too many tokens per day.");
    case Fault::zero_quota:
      return openai_error(429, "insufficient_quota", "insufficient_quota",
                          "You exceeded your current quota, please check your plan and billing details.");
    case Fault::hang:
    case Fault::cut:
    case Fault::half:
    case Fault::malformed:
    case Fault::empty:
    case Fault::quota:
      break;
  }
  return openai_error(500, kServer, "", "plot-palette-sim has no reply of this fault.");
}

}  // namespace

http::Response fault_reply(const Call& call, Fault fault, CounterRandom& random) {
  return call.is_openai() ? openai_reply(call, fault, random) : bedrock_reply(call, fault, random);
}

http::Response quota_reply(const Call& call, const Quota::Refusal& refusal, const Quota::Limits& limits) {
  const bool requests = refusal.kind == QuotaKind::requests;
  if (!call.is_openai())
    return aws_error(429, "ThrottlingException",
                     requests ? "Too many requests, please wait before trying again."
                              : "Too many tokens, please wait before trying again.");
  http::Response reply =
      openai_error(429, requests ? "requests" : "tokens", "rate_limit_exceeded",
                   "Rate limit reached for " + call.model +
                       (requests ? " on requests per min (RPM): Limit " : " on tokens per min (TPM): Limit ") +
                       std::to_string(requests ? limits.rpm : limits.tpm) + ".");
  add_retry_after(call, refusal.wait_ms, reply);
  return reply;
}

void add_rate_limits(const Quota& quota, const Quota::Limits& limits, std::int64_t now_ms, http::Headers& headers) {
  const auto add = [&](const std::string& kind, std::int64_t limit, std::int64_t used) {
    if (limit == 0) return;
    headers.add("x-ratelimit-limit-" + kind, std::to_string(limit));
    headers.add("x-ratelimit-remaining-" + kind, std::to_string(std::max<std::int64_t>(limit - used, 0)));
    headers.add("x-ratelimit-reset-" + kind, std::to_string(quota.reset_ms(now_ms)) + "ms");
  };
  add("requests", limits.rpm, quota.requests());
  add("tokens", limits.tpm, quota.tokens());
}

bool is_immediate(Fault fault) {
  return fault == Fault::throttle || fault == Fault::not_ready || fault == Fault::quota_day ||
         fault == Fault::zero_quota || fault == Fault::outage || fault == Fault::quota;
}

bool is_spoiled_answer(Fault fault) {
  return fault == Fault::hang || fault == Fault::cut || fault == Fault::half || fault == Fault::malformed ||
         fault == Fault::empty;
}

}  // namespace palette::sim
