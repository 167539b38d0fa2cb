#include "fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws_requests.h"
#include "behaviour.h"
#include "fault_answer.h"

namespace palette::proxy {
namespace {

using testing::dynamodb_request;
using ::testing::HasSubstr;
using testing::s3_request;

TEST(Operation, IsReadOffTheRequest) {
  struct {
    http::ServerRequest request;
    Service service;
    std::string name;
    bool is_conditional = false;
  } const table[] = {
      {dynamodb_request("PutItem"), Service::dynamodb, "PutItem"},
      {{"POST", "/", {{"x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask"}}, "", ""},
       Service::json,
       "RunTask"},
      {s3_request("GET", "/bucket/jobs/a.json"), Service::s3, "GET"},
      {s3_request("GET", "/bucket?list-type=2&prefix=uploadId"), Service::s3, "LIST"},
      {s3_request("GET", "/bucket/"), Service::s3, "BUCKET"},
      {s3_request("HEAD", "/bucket/a", {{"If-None-Match", "*"}}), Service::s3, "HEAD"},
      {s3_request("PUT", "/bucket/a"), Service::s3, "PUT"},
      {s3_request("PUT", "/bucket/a", {{"if-none-match", "*"}}), Service::s3, "PUT", true},
      {s3_request("PUT", "/bucket/a", {{"If-Match", "\"1\""}}), Service::s3, "PUT", true},
      {s3_request("PUT", "/bucket/a", {{"x-amz-copy-source", "/bucket/b"}}), Service::s3, "COPY"},
      {s3_request("POST", "/bucket/a?uploads"), Service::s3, "CREATE_MULTIPART"},
      {s3_request("PUT", "/bucket/a?partNumber=1&uploadId=x"), Service::s3, "PUT_PART"},
      {s3_request("POST", "/bucket/a?uploadId=x", {{"If-None-Match", "*"}}), Service::s3, "COMPLETE_MULTIPART", true},
      {s3_request("DELETE", "/bucket/a?uploadId=x"), Service::s3, "ABORT_MULTIPART"},
      {s3_request("GET", "/bucket/a?uploadId=x"), Service::s3, "LIST_PARTS"},
      {s3_request("POST", "/bucket?delete="), Service::s3, "DELETE_OBJECTS"},
      {s3_request("DELETE", "/bucket/a", {{"If-Match", "*"}}), Service::s3, "DELETE", true},
  };
  for (const auto& one : table) {
    const Operation operation = operation_of(one.request);
    EXPECT_EQ(operation.service, one.service) << one.name;
    EXPECT_EQ(operation.name, one.name) << one.request.method << " " << one.request.target;
    EXPECT_EQ(operation.is_conditional, one.is_conditional) << one.name;
  }
}

TEST(Fault, ConflictsBefallOnlyWhatCanMeetAnotherWrite) {
  for (const char* name : {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "TransactGetItems"})
    EXPECT_TRUE(can_befall(Fault::conflict, operation_of(dynamodb_request(name)))) << name;
  for (const char* name : {"GetItem", "Query", "BatchWriteItem"})
    EXPECT_FALSE(can_befall(Fault::conflict, operation_of(dynamodb_request(name)))) << name;
  EXPECT_TRUE(can_befall(Fault::conflict, operation_of(s3_request("PUT", "/b/a", {{"If-Match", "\"1\""}}))));
  EXPECT_FALSE(can_befall(Fault::conflict, operation_of(s3_request("PUT", "/b/a"))));
  EXPECT_TRUE(can_befall(Fault::in_progress, operation_of(dynamodb_request("TransactWriteItems"))));
  EXPECT_FALSE(can_befall(Fault::in_progress, operation_of(dynamodb_request("PutItem"))));
  EXPECT_TRUE(can_befall(Fault::hang, operation_of(dynamodb_request("Query"))));
}

TEST(FaultRates, AreReadAndKeptWithinOne) {
  FaultRates rates;
  EXPECT_TRUE(parse_fault_rate("500=0.25", rates));
  EXPECT_TRUE(parse_fault_rate("cut_after=0.5", rates));
  EXPECT_EQ(rates.at(0.24), Fault::error_500);
  EXPECT_EQ(rates.at(0.25), Fault::cut_after);
  EXPECT_EQ(rates.at(0.75), std::nullopt);
  for (const auto& [text, says] : {std::pair{"500", "KIND=RATE"},
                                   {"500=x", "KIND=RATE"},
                                   {"501=0.1", "fault '501' is not known; known are 500, 500_after, 503"},
                                   {"hang=1.1", "between 0 and 1"},
                                   {"hang=0.3", "must not be above 1"}}) {
    const Status read = parse_fault_rate(text, rates);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr(says));
  }
}

TEST(FaultScripts, BefallTheRequestsTheyMean) {
  FaultScripts scripts;
  const Result<Json> body = parse_json(
      R"({"faults": [{"kind": "hang", "op": "PUT", "key": "outputs/", "after": 1, "count": 2}, {"kind": "conflict"}]})");
  ASSERT_TRUE(body && add_scripts(body->get_object(), scripts));
  const auto next = [&](const http::ServerRequest& request) { return scripts.next(request, operation_of(request)); };
  const http::ServerRequest output = s3_request("PUT", "/b/jobs/j/outputs/batch-0001.jsonl");
  EXPECT_EQ(next(s3_request("GET", "/b/jobs/j/outputs/batch-0001.jsonl")), std::nullopt);
  EXPECT_EQ(next(s3_request("PUT", "/b/jobs/j/checkpoint.json")), std::nullopt);
  EXPECT_EQ(next(output), std::nullopt);
  EXPECT_EQ(next(output), Fault::hang);
  EXPECT_EQ(next(dynamodb_request("PutItem", R"({"TableName": "Jobs"})")), Fault::conflict);
  EXPECT_EQ(next(output), Fault::hang);
  EXPECT_EQ(next(output), std::nullopt);
  EXPECT_EQ(scripts.size(), 0U);
}

TEST(FaultScripts, AreTakenWholeOrNotAtAll) {
  FaultScripts scripts;
  for (const auto& [text, says] : {std::pair{R"({"faults": [{"kind": "500"}, {"count": 1}]})", "needs a 'kind'"},
                                   {R"({"faults": [{"kind": "500", "count": 0}]})", "'count' of a scripted fault"},
                                   {R"({"faults": [{"kind": "500", "model": "m"}]})", "'model' of a scripted fault"},
                                   {R"({"faults": [1]})", "a list of objects"},
                                   {R"({"kind": "500"})", "expected {\"faults\""}}) {
    const Status added = add_scripts(parse_json(text)->get_object(), scripts);
    ASSERT_FALSE(added) << text;
    EXPECT_THAT(added.error().message, HasSubstr(says));
    EXPECT_EQ(scripts.size(), 0U);
  }
}

TEST(Behaviour, ChangesWholeOrNotAtAll) {
  Behaviour behaviour;
  const auto apply = [&](std::string_view text) { return apply_config(parse_json(text)->get_object(), behaviour); };
  ASSERT_TRUE(apply(R"({"latency_ms": 5, "outage": true, "faults": {"503": 0.5}})"));
  const std::string before = config_json(behaviour);
  EXPECT_EQ(before, R"({"latency_ms":5,"jitter_ms":0,"slow_ms":1000,"outage":true,"faults":{"503":0.5}})");
  for (const auto& [text, says] : {std::pair{R"({"jitter_ms": 9, "latency_ms": -1})", "'latency_ms' must be"},
                                   {R"({"jitter_ms": 9, "outage": 1})", "'outage' must be true or false"},
                                   {R"({"jitter_ms": 9, "faults": {"503": 2}})", "between 0 and 1"},
                                   {R"({"jitter_ms": 9, "faults": {"slo": 1}})", "fault 'slo' is not known"},
                                   {R"({"jitter_ms": 9, "rate": 1})", "'rate' is not known"}}) {
    const Status applied = apply(text);
    ASSERT_FALSE(applied) << text;
    EXPECT_THAT(applied.error().message, HasSubstr(says));
    EXPECT_EQ(config_json(behaviour), before);
  }
}

http::Response answer_of(Fault fault, const http::ServerRequest& request, std::uint64_t number = 0) {
  return fault_answer(fault, request, operation_of(request), CounterRandom(1, number, 0), "REQUEST-1");
}

TEST(FaultAnswer, IsInTheFormOfTheService) {
  const http::ServerRequest put = s3_request("PUT", "/b/a"), write = dynamodb_request("PutItem");
  struct {
    Fault fault;
    const http::ServerRequest& request;
    int status;
    std::string_view code;
  } const table[] = {
      {Fault::error_500, put, 500, "<Code>InternalError</Code>"},
      {Fault::error_503, put, 503, "<Code>SlowDown</Code>"},
      {Fault::throttle, put, 503, "<Code>SlowDown</Code>"},
      {Fault::conflict, put, 409, "<Code>ConditionalRequestConflict</Code>"},
      {Fault::error_500, write, 500, "#InternalServerError\""},
      {Fault::error_500_after, write, 500, "#InternalServerError\""},
      {Fault::error_503, write, 503, "#ServiceUnavailable\""},
      {Fault::conflict, write, 400, "#TransactionConflictException\""},
      {Fault::in_progress, write, 400, "#TransactionInProgressException\""},
  };
  for (const auto& one : table) {
    const http::Response answer = answer_of(one.fault, one.request);
    EXPECT_EQ(answer.status, one.status) << one.code;
    EXPECT_THAT(answer.body, HasSubstr(one.code));
  }
  const http::Response json = answer_of(Fault::error_500, write);
  EXPECT_EQ(json.headers.get("x-amzn-requestid"), "REQUEST-1");
  EXPECT_EQ(json.body,
            R"({"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"})");
  EXPECT_EQ(json.headers.get("x-amz-crc32"), "2971048199");
}

TEST(FaultAnswer, ThrottlesInEveryWordThatDynamoDbHas) {
  const http::ServerRequest transaction =
      dynamodb_request("TransactWriteItems", R"({"TransactItems": [{"Put": {}}, {"Update": {}}]})");
  for (const std::string_view expected : {"#ThrottlingException\"", "#ProvisionedThroughputExceededException\"",
                                          R"("Code":"ThrottlingError")", R"("Code":"ProvisionedThroughputExceeded")"}) {
    bool found = false;
    for (std::uint64_t number = 0; number < 64 && !found; ++number) {
      const http::Response answer = answer_of(Fault::throttle, transaction, number);
      EXPECT_EQ(answer.status, 400);
      found = answer.body.find(expected) != std::string::npos;
    }
    EXPECT_TRUE(found) << expected;
  }
}

TEST(FaultAnswer, CancelsATransactionForOneOfItsItems) {
  const http::ServerRequest transaction = dynamodb_request(
      "TransactWriteItems", R"({"TransactItems": [{"Put": {}}, {"Update": {}}, {"ConditionCheck": {}}]})");
  std::set<std::string> seen;
  for (std::uint64_t number = 0; number < 64; ++number) {
    const Result<Json> answer = parse_json(answer_of(Fault::conflict, transaction, number).body);
    ASSERT_TRUE(answer);
    const JsonObject& object = answer->get_object();
    EXPECT_EQ(object.at("__type").get_string(), "com.amazonaws.dynamodb.v20120810#TransactionCanceledException");
    std::string codes;
    for (const Json& reason : object.at("CancellationReasons").get_array()) {
      const std::string code(reason.get_object().at("Code").get_string());
      EXPECT_EQ(reason.get_object().contains("Message"), code != "None");
      codes += (codes.empty() ? "" : ", ") + code;
    }
    EXPECT_THAT(std::string(object.at("Message").get_string()), HasSubstr("[" + codes + "]"));
    seen.insert(codes);
  }
  EXPECT_THAT(seen,
              ::testing::UnorderedElementsAre("TransactionConflict, None, None", "None, TransactionConflict, None",
                                              "None, None, TransactionConflict"));
}

}  // namespace
}  // namespace palette::proxy
