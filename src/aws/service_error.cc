#include "aws/service_error.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "aws/timestamps.h"
#include "aws/xml_element.h"
#include "base/json.h"
#include "base/utf8.h"

namespace palette::aws {
namespace {

constexpr std::size_t kMessageBytesMax = 500;
constexpr std::size_t kErrorBodyBytesMax = 256 * limits::kKiB;  // more is no explanation

using enum ErrorKind;

// By code first: DynamoDB throttles with 400, S3 says RequestTimeout with 400. Sources: the Bedrock Runtime model, the
// retryable codes of the SDKs' standard mode, the error lists of S3 and STS.
constexpr auto kRules = std::to_array<CodeRule>({
    {"Throttling", throttled},
    {"ThrottlingException", throttled},
    {"ThrottledException", throttled},
    {"RequestThrottledException", throttled},
    {"RequestThrottled", throttled},
    {"TooManyRequestsException", throttled},
    {"ProvisionedThroughputExceededException", throttled},
    {"RequestLimitExceeded", throttled},
    {"BandwidthLimitExceeded", throttled},
    {"LimitExceededException", throttled},
    {"PriorRequestNotComplete", throttled},
    {"EC2ThrottledException", throttled},
    {"SlowDown", throttled},
    {"ModelNotReadyException", throttled},
    {"ServiceQuotaExceededException", quota},
    {"ServiceUnavailableException", unavailable},
    {"ServiceUnavailable", unavailable},
    {"InternalServerException", unavailable},
    {"InternalServerError", unavailable},
    {"InternalError", unavailable},
    {"InternalFailure", unavailable},
    {"IDPCommunicationError", unavailable},
    {"ModelStreamErrorException", unavailable},
    {"ModelTimeoutException", timeout},
    {"RequestTimeout", timeout},
    {"RequestTimeoutException", timeout},
    {"AccessDeniedException", denied},
    {"AccessDenied", denied},
    {"UnauthorizedException", denied},
    {"UnrecognizedClientException", denied},
    {"InvalidClientTokenId", denied},
    {"InvalidAccessKeyId", denied},
    {"ExpiredTokenException", denied},
    {"ExpiredToken", denied},
    {"InvalidIdentityToken", denied},
    {"IncompleteSignature", denied},
    {"MissingAuthenticationToken", denied},
    {"InvalidSignatureException", denied},
    {"SignatureDoesNotMatch", denied},
    {"RequestTimeTooSkewed", denied},
    {"RequestExpired", denied},
    {"RequestInTheFuture", denied},
    {"OptInRequired", denied},
    {"ValidationException", bad_input},
    {"ResourceNotFoundException", not_found},
    {"NoSuchKey", not_found},
    {"NoSuchBucket", not_found},
    {"ConflictException", conflict},
    {"ConditionalRequestConflict", conflict},
    {"TransactionInProgressException", conflict},
    {"PreconditionFailed", changed},
    {"BucketAlreadyExists", already_exists},
    {"BucketAlreadyOwnedByYou", already_exists},
    {"RequestEntityTooLargeException", too_large},
    {"EntityTooLarge", too_large},
});

constexpr std::array<std::string_view, 5> kClockRefusals = {"InvalidSignatureException", "SignatureDoesNotMatch",
                                                            "RequestTimeTooSkewed", "RequestExpired",
                                                            "RequestInTheFuture"};

constexpr std::array<std::string_view, 3> kCredentialRefusals = {"ExpiredTokenException", "ExpiredToken",
                                                                 "UnrecognizedClientException"};

// How a quota that does not come back for hours is told: by words alone, under the code of a throttle.
constexpr std::array<std::string_view, 2> kDailyWords = {"per day", "daily"};

// And one that is zero; the number must end there.
constexpr std::array<std::string_view, 4> kZeroWords = {"quota of 0", "quota is 0", "limit of 0", "limit is 0"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// "com.amazonaws.dynamodb.v20120810#X" and "X:http://…/" are X.
std::string plain_code(std::string_view text) {
  text = text.substr(0, text.find(':'));
  const std::size_t hash = text.rfind('#');
  return std::string(hash == std::string_view::npos ? text : text.substr(hash + 1));
}

// One line. A refused signature comes with the request that AWS expected, session token and all: cut off.
std::string plain_message(std::string_view text) {
  text = text.substr(0, text.find("The Canonical String"));
  text = text.substr(0, text.find("The String-to-Sign"));
  text = text.substr(0, find_invalid_utf8(text));
  std::string out;
  for (const char c : utf8_prefix(text, kMessageBytesMax)) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string text_member(const JsonObject& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const Json* value = object.if_contains(name);
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
  }
  return "";
}

void read_json(std::string_view body, Refusal& out) {
  const Result<Json> json = parse_json(body);
  if (!json || !json->is_object()) return;  // no explanation: the status says enough
  const JsonObject& object = json->get_object();
  if (out.code.empty()) out.code = plain_code(text_member(object, {"__type", "code", "Code"}));
  out.message = plain_message(text_member(object, {"message", "Message", "errorMessage"}));
  const Json* status = object.if_contains("originalStatusCode");
  if (status != nullptr && status->is_int64()) out.original_status = static_cast<int>(status->get_int64());
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return denied;
    case 404:
      return not_found;
    case 408:
      return timeout;
    case 409:
      return conflict;
    case 412:
      return changed;
    case 413:
      return too_large;
    case 424:
      return unavailable;
    case 429:
      return throttled;
    default:
      // 501 and 505 are about the request, all others above 500 about the other side.
      return status >= 500 && status != 501 && status != 505 ? unavailable : bad_input;
  }
}

bool tells_of_a_quota(std::string_view message) {
  const std::string words = lower(message);
  for (const std::string_view daily : kDailyWords) {
    if (words.find(daily) != std::string::npos) return true;
  }
  for (const std::string_view zero : kZeroWords) {
    const std::size_t at = words.find(zero);
    if (at == std::string::npos) continue;
    const std::string_view rest = std::string_view(words).substr(at + zero.size());
    const bool longer = rest.size() > 1 && (rest[0] == '.' || rest[0] == ',')
                            ? std::isdigit(static_cast<unsigned char>(rest[1])) != 0
                            : !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0])) != 0;
    if (!longer) return true;
  }
  return false;
}

ErrorKind kind_of(const RefusalContext& context, const Refusal& refusal, int status) {
  if (refusal.code == "ModelErrorException") {
    return refusal.original_status == 0 || refusal.original_status >= 500 ? unavailable : bad_input;
  }
  const auto matches = [&](const CodeRule& rule) { return rule.code == refusal.code; };
  ErrorKind kind = kind_of_status(status);
  if (const auto own = std::ranges::find_if(context.rules, matches); own != context.rules.end()) {
    kind = own->kind;
  } else if (const auto shared = std::ranges::find_if(kRules, matches); shared != kRules.end()) {
    kind = shared->kind;
  }
  if (kind == throttled && tells_of_a_quota(refusal.message)) return quota;
  return kind;
}

// "…is not authorized to perform: bedrock:InvokeModel on resource: …" names the action itself.
std::string missing_action(std::string_view message) {
  constexpr std::string_view kMark = "not authorized to perform: ";
  const std::size_t at = message.find(kMark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = message.substr(at + kMark.size());
  return std::string(rest.substr(0, rest.find_first_of(" ,.")));
}

std::string denied_advice(const RefusalContext& context, const Refusal& refusal) {
  const std::string source(context.credentials_source.empty() ? context.service : context.credentials_source);
  if (refusal.code.starts_with("ExpiredToken"))
    return "the credentials (" + source + ") have expired; renew them there";
  if (refusal.code == "UnrecognizedClientException" || refusal.code == "InvalidClientTokenId" ||
      refusal.code == "InvalidAccessKeyId") {
    return "AWS does not know the credentials (" + source +
           "); check that they are whole and of this account and region";
  }
  if (is_clock_refusal(refusal.code)) return "check the secret key (" + source + ") and this machine's clock";
  const bool bedrock = context.service.starts_with("Bedrock");
  if (const std::string action = missing_action(refusal.message); !action.empty()) {
    return "allow " + action + " in the IAM policy of this identity" +
           (bedrock ? ", on the model and, where one is used, on the inference profile" : "");
  }
  if (bedrock) {
    return "allow bedrock:InvokeModel on the model and its inference profile in the IAM policy (" + source +
           "), and ask for access to the model in the Bedrock console";
  }
  if (context.credentials_source.empty()) return "";
  return "allow the action in the IAM policy of this identity (" + source + ")";
}

std::string advice(const RefusalContext& context, const Refusal& refusal, ErrorKind kind, int status) {
  if (kind == denied) return denied_advice(context, refusal);
  if (kind == quota) {
    return "a quota of the account is used up or zero; ask for more in the Service Quotas console, or go on tomorrow";
  }
  if (refusal.message.find("on-demand throughput") != std::string::npos) {
    return "use the id of an inference profile instead, such as us.<model id> (or eu., apac., global.)";
  }
  if (refusal.code == "ModelTimeoutException") return "ask for less at once: a smaller max_tokens or a shorter prompt";
  if (refusal.code == "ResourceNotFoundException" && context.service.starts_with("Bedrock")) {
    return "check the model id, and that the model is offered in this region";
  }
  if (status >= 300 && status < 400) return "check the region and the endpoint";
  return "";
}

}  // namespace

Refusal refusal_of(const http::Response& response) {
  Refusal out;
  out.code = plain_code(response.headers.get("x-amzn-errortype"));
  const std::string_view body = response.body;
  const std::size_t start =
      body.size() > kErrorBodyBytesMax ? std::string_view::npos : body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return out;
  if (body[start] == '{') {
    read_json(body, out);
  } else if (body[start] == '<') {
    if (out.code.empty()) out.code = plain_code(xml_element(body, "Code").value_or(""));
    out.message = plain_message(xml_element(body, "Message").value_or(""));
  }
  // A code is a word; anything else is not one of AWS.
  const auto word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (!std::ranges::all_of(out.code, word) || out.code.size() > 100) out.code.clear();
  return out;
}

std::int64_t retry_after_ms(const http::Headers& headers, UtcTime now) {
  std::int64_t wait_ms = 0;
  if (const std::string_view text = headers.get("retry-after"); !text.empty()) {
    if (const auto seconds = parse_digits(text)) {
      wait_ms = std::min(*seconds, kRetryAfterMax_ms) * 1'000;
    } else if (const auto date = parse_http_date(text)) {
      wait_ms = std::max<std::int64_t>(date->unix_ms - now.unix_ms, 0);
    }
  }
  if (const auto milliseconds = parse_digits(headers.get("x-amz-retry-after"))) {
    wait_ms = std::max(wait_ms, *milliseconds);
  }
  return std::min(wait_ms, kRetryAfterMax_ms);
}

ServiceFailure service_failure(const RefusalContext& context, const http::Response& response) {
  const Refusal refusal = refusal_of(response);
  const ErrorKind kind = kind_of(context, refusal, response.status);
  const std::string status = "HTTP " + std::to_string(response.status);
  std::string message = std::string(context.service) + " answered " +
                        (refusal.code.empty() ? status : refusal.code + " (" + status + ")");
  if (!refusal.message.empty()) message += ": " + refusal.message;
  if (const std::string what_to_do = advice(context, refusal, kind, response.status); !what_to_do.empty()) {
    if (message.ends_with('.')) message.pop_back();
    message += "; " + what_to_do;
  }
  ServiceFailure out;
  out.error = Error{kind, std::move(message)};
  out.error.retry_after_ms = retry_after_ms(response.headers, context.now);
  out.status = response.status;
  out.code = refusal.code;
  out.sent = true;
  return out;
}

bool is_clock_refusal(std::string_view code) { return std::ranges::find(kClockRefusals, code) != kClockRefusals.end(); }

bool is_credential_refusal(std::string_view code) {
  return std::ranges::find(kCredentialRefusals, code) != kCredentialRefusals.end();
}

}  // namespace palette::aws
