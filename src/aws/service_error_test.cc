#include "aws/service_error.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

const UtcTime kNow = *UtcTime::from_iso("2026-11-24T12:00:00Z");

RefusalContext bedrock() { return {"Bedrock Runtime", "profile dev", kNow, {}}; }

http::Response answer(int status, std::string body, http::Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

// A refusal of REST-JSON: the code in the header, with an address behind it as AWS sends it.
http::Response refusal(int status, const std::string& code, const std::string& message) {
  return answer(status, "{\"message\":\"" + message + "\"}",
                {{"x-amzn-ErrorType", code + ":http://internal.amazon.com/coral/com.amazon.bedrock/"}});
}

TEST(ServiceError, CodeAndMessageAreFoundInEveryForm) {
  const std::tuple<http::Response, const char*, const char*> cases[] = {
      {refusal(400, "ValidationException", "m"), "ValidationException", "m"},
      {answer(400, R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","Message":"m"})"),
       "ResourceNotFoundException", "m"},
      {answer(400, R"({"code":"X","message":"m"})"), "X", "m"},
      {answer(200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"m"})"), "AssumeRoleUnauthorizedAccess", "m"},
      {answer(403, "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>a &amp; b</Message></Error>"),
       "AccessDenied", "a & b"},
      {answer(400, "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>m</Message></Error>"),
       "ExpiredToken", "m"},
      {answer(400, R"({"message":"a\n  b\u0000c"})"), "", "a b c"},
      {answer(502, "<html><body>Bad Gateway</body></html>"), "", ""},
      {answer(500, ""), "", ""},
      {answer(500, "{broken"), "", ""},
      {answer(500, R"({"code":42,"message":["x"]})"), "", ""},
      {answer(500, R"({"code":"no word at all","message":"m"})"), "", "m"},
  };
  for (const auto& [response, code, message] : cases) {
    const Refusal found = refusal_of(response);
    EXPECT_EQ(found.code, code) << response.body;
    EXPECT_EQ(found.message, message) << response.body;
  }
}

TEST(ServiceError, EveryCodeHasItsKind) {
  const std::tuple<int, const char*, ErrorKind> cases[] = {
      {429, "ThrottlingException", ErrorKind::throttled},
      {400, "ThrottlingException", ErrorKind::throttled},
      {429, "ModelNotReadyException", ErrorKind::throttled},
      {503, "SlowDown", ErrorKind::throttled},
      {400, "ProvisionedThroughputExceededException", ErrorKind::throttled},
      {400, "ServiceQuotaExceededException", ErrorKind::quota},
      {503, "ServiceUnavailableException", ErrorKind::unavailable},
      {500, "InternalServerException", ErrorKind::unavailable},
      {400, "IDPCommunicationError", ErrorKind::unavailable},
      {408, "ModelTimeoutException", ErrorKind::timeout},
      {400, "RequestTimeout", ErrorKind::timeout},
      {403, "AccessDeniedException", ErrorKind::denied},
      {403, "UnrecognizedClientException", ErrorKind::denied},
      {403, "ExpiredTokenException", ErrorKind::denied},
      {400, "ExpiredToken", ErrorKind::denied},
      {403, "InvalidSignatureException", ErrorKind::denied},
      {403, "RequestTimeTooSkewed", ErrorKind::denied},
      {400, "ValidationException", ErrorKind::bad_input},
      {404, "ResourceNotFoundException", ErrorKind::not_found},
      {400, "ResourceNotFoundException", ErrorKind::not_found},
      {404, "NoSuchKey", ErrorKind::not_found},
      {400, "ConflictException", ErrorKind::conflict},
      {409, "ConditionalRequestConflict", ErrorKind::conflict},
      {412, "PreconditionFailed", ErrorKind::changed},
      {409, "BucketAlreadyOwnedByYou", ErrorKind::already_exists},
      {413, "RequestEntityTooLargeException", ErrorKind::too_large},
  };
  for (const auto& [status, code, kind] : cases) {
    const ServiceFailure failure = service_failure(bedrock(), refusal(status, code, "m"));
    EXPECT_EQ(failure.error.kind, kind) << status << " " << code;
    EXPECT_EQ(failure.code, code);
    EXPECT_EQ(failure.status, status);
    EXPECT_TRUE(failure.sent);
  }
}

TEST(ServiceError, WithoutACodeTheStatusDecides) {
  const std::pair<int, ErrorKind> cases[] = {
      {301, ErrorKind::bad_input},   {400, ErrorKind::bad_input},   {401, ErrorKind::denied},
      {403, ErrorKind::denied},      {404, ErrorKind::not_found},   {408, ErrorKind::timeout},
      {409, ErrorKind::conflict},    {412, ErrorKind::changed},     {413, ErrorKind::too_large},
      {418, ErrorKind::bad_input},   {424, ErrorKind::unavailable}, {429, ErrorKind::throttled},
      {500, ErrorKind::unavailable}, {501, ErrorKind::bad_input},   {502, ErrorKind::unavailable},
      {503, ErrorKind::unavailable}, {504, ErrorKind::unavailable}, {529, ErrorKind::unavailable},
  };
  for (const auto& [status, kind] : cases) {
    EXPECT_EQ(service_failure(bedrock(), answer(status, "")).error.kind, kind) << status;
    EXPECT_EQ(service_failure(bedrock(), refusal(status, "NewException", "m")).error.kind, kind) << status;
  }
}

TEST(ServiceError, AModelErrorIsJudgedByWhatTheModelAnswered) {
  const std::pair<const char*, ErrorKind> cases[] = {
      {R"({"message":"m","originalStatusCode":500})", ErrorKind::unavailable},
      {R"({"message":"m","originalStatusCode":400})", ErrorKind::bad_input},
      {R"({"message":"m"})", ErrorKind::unavailable},
  };
  for (const auto& [body, kind] : cases) {
    const http::Response response = answer(424, body, {{"x-amzn-errortype", "ModelErrorException"}});
    EXPECT_EQ(service_failure(bedrock(), response).error.kind, kind) << body;
  }
}

TEST(ServiceError, AQuotaOfDaysIsNoThrottle) {
  const std::pair<const char*, ErrorKind> cases[] = {
      {"Too many tokens, please wait before trying again.", ErrorKind::throttled},
      {"Too many requests, please wait before trying again.", ErrorKind::throttled},
      {"Too many tokens per day, please wait before trying again.", ErrorKind::quota},
      {"Your daily limit is used up.", ErrorKind::quota},
      {"Your account has a quota of 0 requests per minute.", ErrorKind::quota},
      {"The quota of 0.5 million tokens", ErrorKind::throttled},
      {"a limit of 05 per minute", ErrorKind::throttled},
  };
  for (const auto& [message, kind] : cases) {
    EXPECT_EQ(service_failure(bedrock(), refusal(429, "ThrottlingException", message)).error.kind, kind) << message;
  }
}

TEST(ServiceError, AServiceMayAddCodesOfItsOwn) {
  const CodeRule rules[] = {{"ConditionalCheckFailedException", ErrorKind::changed},
                            {"ValidationException", ErrorKind::too_large}};
  RefusalContext context = bedrock();
  context.rules = rules;
  const auto kind_of = [&](const char* code) { return service_failure(context, refusal(400, code, "m")).error.kind; };
  EXPECT_EQ(kind_of("ConditionalCheckFailedException"), ErrorKind::changed);
  EXPECT_EQ(kind_of("ValidationException"), ErrorKind::too_large);
  EXPECT_EQ(kind_of("AccessDeniedException"), ErrorKind::denied);
}

TEST(ServiceError, SaysWhatToDo) {
  const std::tuple<http::Response, const char*> cases[] = {
      {refusal(403, "AccessDeniedException",
               "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel on resource: r"),
       "Bedrock Runtime answered AccessDeniedException (HTTP 403): User: arn:aws:iam::1:user/x is not authorized to "
       "perform: bedrock:InvokeModel on resource: r; allow bedrock:InvokeModel in the IAM policy of this identity, on "
       "the "
       "model and, where one is used, on the inference profile"},
      {refusal(403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
       "Bedrock Runtime answered AccessDeniedException (HTTP 403): You don't have access to the model with the "
       "specified "
       "model ID; allow bedrock:InvokeModel on the model and its inference profile in the IAM policy (profile dev), "
       "and ask "
       "for access to the model in the Bedrock console"},
      {refusal(403, "ExpiredTokenException", "The security token included in the request is expired"),
       "Bedrock Runtime answered ExpiredTokenException (HTTP 403): The security token included in the request is "
       "expired; "
       "the credentials (profile dev) have expired; renew them there"},
      {refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
       "Bedrock Runtime answered UnrecognizedClientException (HTTP 403): The security token included in the request is "
       "invalid; AWS does not know the credentials (profile dev); check that they are whole and of this account and "
       "region"},
      {refusal(400, "ValidationException", "Invocation of model ID m with on-demand throughput isn\\u2019t supported."),
       "Bedrock Runtime answered ValidationException (HTTP 400): Invocation of model ID m with on-demand throughput "
       "isn\xe2\x80\x99t supported; use the id of an inference profile instead, such as us.<model id> (or eu., apac., "
       "global.)"},
      {refusal(429, "ThrottlingException", "Too many tokens per day, please wait before trying again."),
       "Bedrock Runtime answered ThrottlingException (HTTP 429): Too many tokens per day, please wait before trying "
       "again; "
       "a quota of the account is used up or zero; ask for more in the Service Quotas console, or go on tomorrow"},
      {answer(502, "<html></html>"), "Bedrock Runtime answered HTTP 502"},
      {refusal(500, "InternalServerException", ""), "Bedrock Runtime answered InternalServerException (HTTP 500)"},
  };
  for (const auto& [response, message] : cases) {
    EXPECT_EQ(service_failure(bedrock(), response).error.text(), message);
  }
}

TEST(ServiceError, ARefusedSignatureDoesNotShowTheToken) {
  const ServiceFailure failure = service_failure(
      bedrock(),
      refusal(403, "InvalidSignatureException",
              "The request signature we calculated does not match.\\n\\nThe Canonical String for this request "
              "should have been\\n'POST\\n/\\n\\nx-amz-security-token:SECRET"));
  EXPECT_EQ(
      failure.error.message,
      "Bedrock Runtime answered InvalidSignatureException (HTTP 403): The request signature we calculated does not "
      "match; check the secret key (profile dev) and this machine's clock");
}

TEST(ServiceError, LongAndInvalidTextsAreCut) {
  EXPECT_EQ(refusal_of(refusal(400, "X", std::string(10'000, 'a'))).message.size(), 500u);
  EXPECT_EQ(refusal_of(answer(400,
                              "<Message>ab\xff"
                              "cd</Message>"))
                .message,
            "ab");
  EXPECT_EQ(refusal_of(answer(400, "{\"message\":\"m\"}" + std::string(300'000, ' '))).message, "");
}

TEST(ServiceError, TheWaitIsTheOneThatIsAskedFor) {
  const std::pair<http::Headers, std::int64_t> cases[] = {
      {{}, 0},
      {{{"Retry-After", "7"}}, 7'000},
      {{{"Retry-After", "0"}}, 0},
      {{{"Retry-After", "Tue, 24 Nov 2026 12:00:30 GMT"}}, 30'000},
      {{{"Retry-After", "Tue, 24 Nov 2026 11:00:00 GMT"}}, 0},
      {{{"Retry-After", "soon"}}, 0},
      {{{"x-amz-retry-after", "1500"}}, 1'500},
      {{{"Retry-After", "1"}, {"x-amz-retry-after", "1500"}}, 1'500},
      {{{"Retry-After", "999999999999"}}, 900'000},
      {{{"x-amz-retry-after", "999999999999"}}, 900'000},
      {{{"Retry-After", "Wed, 25 Nov 2026 12:00:00 GMT"}}, 900'000},
  };
  for (const auto& [headers, wait_ms] : cases) {
    EXPECT_EQ(retry_after_ms(headers, kNow), wait_ms);
    EXPECT_EQ(service_failure(bedrock(), answer(429, "", headers)).error.retry_after_ms, wait_ms);
  }
}

}  // namespace
}  // namespace palette::aws
