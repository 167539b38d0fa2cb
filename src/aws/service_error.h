// The one place that says what an answer of AWS means that is no success: its kind (what to do), a message for a
// person, and how long it asks us to wait.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "aws/service.h"
#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace palette::aws {

// What a service says in a header, a JSON body (REST-JSON, JSON 1.x) or an XML body (S3, STS) of a refusal.
struct Refusal {
  std::string code;         // "ThrottlingException", without namespace and address; empty when there is none
  std::string message;      // one line, at most 500 bytes, without what could hold a credential
  int original_status = 0;  // of a ModelErrorException: what the model's container answered; 0 when not told
};

// One code and what it means.
struct CodeRule {
  std::string_view code;
  ErrorKind kind;
};

struct RefusalContext {
  std::string_view service;             // "Bedrock Runtime", for the message
  std::string_view credentials_source;  // empty: the call was not signed
  UtcTime now;                          // for a Retry-After that is a date
  std::span<const CodeRule> rules;      // a service's own codes; they go before those that all services share
};

inline constexpr std::int64_t kRetryAfterMax_ms = 15 * 60 * 1'000;

Refusal refusal_of(const http::Response& response);

// Retry-After (seconds, or a date) or x-amz-retry-after (milliseconds), whichever is longer, at most
// kRetryAfterMax_ms; 0 when neither is there or can be read.
std::int64_t retry_after_ms(const http::Headers& headers, UtcTime now);

// The failure of an answer whose status is no 2xx (or whose body says that it failed).
ServiceFailure service_failure(const RefusalContext& context, const http::Response& response);

// Did the service refuse the signature for the time it was made at?
bool is_clock_refusal(std::string_view code);

// Did it refuse the credentials as expired or unknown, so that new ones may help?
bool is_credential_refusal(std::string_view code);

}  // namespace palette::aws
