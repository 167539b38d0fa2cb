#include "fault_answer.h"

#include <boost/crc.hpp>

#include "base/json.h"

namespace palette::proxy {
namespace {

// One way to fail.
struct Refusal {
  int status = 400;
  std::string_view type;  // with the namespace that DynamoDB writes before it
  std::string_view message;
};

constexpr Refusal kInternal{500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error"};
constexpr Refusal kUnavailable{503, "com.amazonaws.dynamodb.v20120810#ServiceUnavailable",
                               "The service is currently unavailable or busy."};
constexpr Refusal kThroughput{400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                              "The level of configured provisioned throughput for the table was exceeded. Consider "
                              "increasing your provisioning level with the UpdateTable API."};
constexpr Refusal kThrottling{400, "com.amazon.coral.availability#ThrottlingException", "Rate exceeded"};
constexpr Refusal kConflict{400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                            "Transaction is ongoing for the item"};
constexpr Refusal kInProgress{400, "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
                              "The transaction with the given request token is already in progress."};
constexpr std::string_view kCancelled = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";

// As of one item's CancellationReasons.
struct Reason {
  std::string_view code, message;
};
constexpr Reason kReasonConflict{"TransactionConflict", "Transaction is ongoing for the item"};
constexpr Reason kReasonThroughput{"ProvisionedThroughputExceeded",
                                   "The level of configured provisioned throughput for the table was exceeded."};
constexpr Reason kReasonThrottling{"ThrottlingError", "Throughput exceeds the current capacity of your table."};

http::Response json_answer(int status, const JsonObject& body, const std::string& request_id) {
  http::Response response;
  response.status = status;
  response.body = to_json_text(body);
  boost::crc_32_type checksum;
  checksum.process_bytes(response.body.data(), response.body.size());
  response.headers.add("Content-Type", "application/x-amz-json-1.0");
  response.headers.add("x-amzn-RequestId", request_id);
  response.headers.add("x-amz-crc32", std::to_string(checksum.checksum()));
  return response;
}

http::Response json_refusal(const Refusal& refusal, const std::string& request_id) {
  return json_answer(refusal.status, JsonObject{{"__type", refusal.type}, {"message", refusal.message}}, request_id);
}

// How many actions the transaction has; 1 where its body cannot be read.
std::uint64_t actions_of(const std::string& body) {
  const Result<Json> request = parse_json(body);
  const Json* actions = request && request->is_object() ? request->get_object().if_contains("TransactItems") : nullptr;
  return actions != nullptr && actions->is_array() && !actions->get_array().empty() ? actions->get_array().size() : 1;
}

// One action, drawn, has the reason; the others have "None", without a message (aws.md section 5).
http::Response cancelled(const Reason& reason, const std::string& body, CounterRandom& random,
                         const std::string& request_id) {
  const std::uint64_t actions = actions_of(body), cause = random.below(actions);
  JsonArray reasons;
  std::string codes;
  for (std::uint64_t i = 0; i < actions; ++i) {
    const std::string_view code = i == cause ? reason.code : "None";
    JsonObject one{{"Code", code}};
    if (i == cause) one["Message"] = reason.message;
    reasons.push_back(std::move(one));
    codes += (i == 0 ? "" : ", ") + std::string(code);
  }
  const std::string message =
      "Transaction cancelled, please refer cancellation reasons for specific reasons [" + codes + "]";
  return json_answer(
      400, JsonObject{{"__type", kCancelled}, {"Message", message}, {"CancellationReasons", std::move(reasons)}},
      request_id);
}

http::Response dynamodb_throttled(const http::ServerRequest& request, const Operation& operation, CounterRandom& random,
                                  const std::string& request_id) {
  const bool by_table = operation.service == Service::dynamodb && random.unit() < 0.5;
  if (!operation.is_transaction() || random.unit() < 0.5)
    return json_refusal(by_table ? kThroughput : kThrottling, request_id);
  return cancelled(by_table ? kReasonThroughput : kReasonThrottling, request.body, random, request_id);
}

http::Response json_fault(Fault fault, const http::ServerRequest& request, const Operation& operation,
                          CounterRandom& random, const std::string& request_id) {
  switch (fault) {
    case Fault::error_503:
      return json_refusal(kUnavailable, request_id);
    case Fault::throttle:
      return dynamodb_throttled(request, operation, random, request_id);
    case Fault::conflict:
      if (operation.is_transaction()) return cancelled(kReasonConflict, request.body, random, request_id);
      return json_refusal(kConflict, request_id);
    case Fault::in_progress:
      return json_refusal(kInProgress, request_id);
    case Fault::error_500:
    case Fault::error_500_after:
    case Fault::cut_before:
    case Fault::cut_after:
    case Fault::half:
    case Fault::slow:
    case Fault::hang:
      break;
  }
  return json_refusal(kInternal, request_id);
}

http::Response s3_refusal(const Refusal& refusal, const std::string& request_id) {
  http::Response response;
  response.status = refusal.status;
  response.headers.add("Content-Type", "application/xml");
  response.headers.add("x-amz-request-id", request_id);
  response.headers.add("x-amz-id-2", "plot-palette-fault-proxy");
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + std::string(refusal.type) +
                  "</Code><Message>" + std::string(refusal.message) + "</Message><RequestId>" + request_id +
                  "</RequestId><HostId>plot-palette-fault-proxy</HostId></Error>";
  return response;
}

http::Response s3_fault(Fault fault, const std::string& request_id) {
  if (fault == Fault::error_503 || fault == Fault::throttle)
    return s3_refusal({503, "SlowDown", "Please reduce your request rate."}, request_id);
  if (fault == Fault::conflict)
    return s3_refusal(
        {409, "ConditionalRequestConflict", "A conflicting operation occurred during the processing of this request."},
        request_id);
  return s3_refusal({500, "InternalError", "We encountered an internal error. Please try again."}, request_id);
}

}  // namespace

http::Response fault_answer(Fault fault, const http::ServerRequest& request, const Operation& operation,
                            CounterRandom random, const std::string& request_id) {
  if (operation.service == Service::s3) return s3_fault(fault, request_id);
  return json_fault(fault, request, operation, random, request_id);
}

}  // namespace palette::proxy
