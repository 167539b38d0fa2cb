#include "aws/service.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "aws/test_parts.h"
#include "base/hash.h"

namespace palette::aws {
namespace {

const ServiceName kBedrock{.host_prefix = "bedrock-runtime", .signing_name = "bedrock", .sdk_id = "Bedrock Runtime"};
const ServiceName kS3{.host_prefix = "s3", .signing_name = "s3", .sdk_id = "S3"};

// Gives the next credentials after each expire().
class Given final : public CredentialProvider {
 public:
  async::Task<Result<Credentials>> get() override { return given(this); }
  void expire(const Credentials& refused) override {
    expired.push_back(refused.keys.access_key_id);
    if (all.size() > 1) all.pop_front();
  }

  std::deque<Result<Credentials>> all;
  std::vector<std::string> expired;

 private:
  static async::Task<Result<Credentials>> given(Given* self) { co_return self->all.front(); }
};

Credentials keys(std::string id, std::string token = "") {
  Credentials out;
  out.keys = {std::move(id), "secret-key", std::move(token)};
  out.source = "test";
  return out;
}

struct Bench : World {
  explicit Bench(ServiceName name = kBedrock, std::string path = "", std::string bearer = "") {
    provider->all.push_back(keys("AK"));
    ServiceParts service_parts;
    service_parts.http = std::shared_ptr<http::Client>(std::shared_ptr<void>(), &client);
    service_parts.credentials = provider;
    service_parts.clock = &clock;
    service_parts.bearer_token = std::move(bearer);
    service = std::make_unique<Service>(std::move(name), *http::Url::parse(url() + path), "us-east-1", service_parts);
  }

  ServiceOutcome call(std::string body = "{}") {
    ServiceRequest request;
    request.path = "/model/m%3A0/converse";
    request.headers.add("content-type", "application/json");
    request.body = std::move(body);
    return run(service->call(std::move(request)));
  }

  // The signature that the n-th request should have had at `time`.
  std::string expected_authorization(std::size_t n, UtcTime time, SigningCredentials credentials = keys("AK").keys) {
    const http::ServerRequest& request = requests().at(n);
    RequestToSign to_sign{request.method, request.target, "", {}, sha256_hex(request.body)};
    for (const auto& [name, value] : request.headers) {
      const bool is_signed = name == "content-type" || name == "host" || name == "Host" || name.starts_with("x-amz-");
      if (is_signed) to_sign.headers.emplace_back(name, value);
    }
    return sign_headers(to_sign, credentials, {"us-east-1", "bedrock", time}, PathRule::encoded_again).back().second;
  }

  std::shared_ptr<Given> provider = std::make_shared<Given>();
  std::unique_ptr<Service> service;
};

http::Headers date(UtcTime time) {
  const std::string iso = time.to_iso();
  return {{"date", "Tue, " + iso.substr(8, 2) + " Nov 2026 " + iso.substr(11, 8) + " GMT"},
          {"x-amzn-errortype", "InvalidSignatureException"}};
}

UtcTime minutes_later(std::int64_t minutes) { return UtcTime{kNoon.unix_ms + minutes * kMinuteMs}; }

TEST(Service, SignsWhatItSends) {
  Bench bench;
  bench.answer(200, "answer");
  const ServiceOutcome outcome = bench.call(R"({"a":1})");
  ASSERT_TRUE(outcome) << outcome.error().error.text();
  EXPECT_EQ(outcome->body, "answer");
  const http::ServerRequest& request = bench.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/model/m%3A0/converse");
  EXPECT_EQ(request.body, R"({"a":1})");
  EXPECT_EQ(request.headers.get("x-amz-date"), "20261124T120000Z");
  EXPECT_EQ(request.headers.find("x-amz-content-sha256"), nullptr);
  EXPECT_TRUE(request.headers.get("user-agent").starts_with("plot-palette/"));
  const std::string_view authorization = request.headers.get("authorization");
  EXPECT_NE(authorization.find("SignedHeaders=content-type;host;x-amz-date,"), std::string_view::npos) << authorization;
  EXPECT_EQ(authorization, bench.expected_authorization(0, kNoon));
}

TEST(Service, SignsTheSessionTokenAndTheServicesHeaders) {
  Bench bench;
  bench.provider->all = {keys("AK", "TOKEN")};
  bench.answer(200, "");
  ServiceRequest request;
  request.path = "/x";
  request.headers = {{"X-Amzn-Bedrock-Trace", "ENABLED"}, {"accept", "application/json"}};
  ASSERT_TRUE(bench.run(bench.service->call(std::move(request))));
  EXPECT_EQ(bench.requests()[0].headers.get("x-amz-security-token"), "TOKEN");
  const std::string_view authorization = bench.requests()[0].headers.get("authorization");
  EXPECT_NE(authorization.find("SignedHeaders=host;x-amz-date;x-amz-security-token;x-amzn-bedrock-trace,"),
            std::string_view::npos)
      << authorization;
}

TEST(Service, S3HasTheHashOfTheBodyAndItsPathAsItIs) {
  Bench bench(kS3);
  bench.answer(200, "");
  ServiceRequest request;
  request.method = "PUT";
  request.path = "/bucket/a//b%20c";
  request.query = "x-id=PutObject";
  request.body = "data";
  ASSERT_TRUE(bench.run(bench.service->call(std::move(request))));
  const http::ServerRequest& sent = bench.requests()[0];
  EXPECT_EQ(sent.target, "/bucket/a//b%20c?x-id=PutObject");
  EXPECT_EQ(sent.headers.get("x-amz-content-sha256"), sha256_hex("data"));
  const RequestToSign to_sign{"PUT",
                              "/bucket/a//b%20c",
                              "x-id=PutObject",
                              {{"host", std::string(sent.headers.get("host"))},
                               {"x-amz-content-sha256", sha256_hex("data")},
                               {"x-amz-date", "20261124T120000Z"}},
                              sha256_hex("data")};
  EXPECT_EQ(sent.headers.get("authorization"),
            sign_headers(to_sign, keys("AK").keys, {"us-east-1", "s3", kNoon}, PathRule::as_it_is).back().second);
}

TEST(Service, ThePathOfTheEndpointGoesBefore) {
  Bench bench(kBedrock, "/base/");
  bench.answer(200, "");
  ASSERT_TRUE(bench.call());
  EXPECT_EQ(bench.requests()[0].target, "/base/model/m%3A0/converse");
  EXPECT_EQ(bench.requests()[0].headers.get("authorization"), bench.expected_authorization(0, kNoon));
}

TEST(Service, ABearerTokenGoesInsteadOfASignature) {
  Bench bench(kBedrock, "", "key-123");
  bench.provider->all = {fail(ErrorKind::denied, "never asked")};
  bench.answer(200, "");
  bench.answer(403, R"({"message":"bad key key-123"})", {{"x-amzn-errortype", "UnrecognizedClientException"}});
  ASSERT_TRUE(bench.call());
  EXPECT_EQ(bench.requests()[0].headers.get("authorization"), "Bearer key-123");
  EXPECT_EQ(bench.requests()[0].headers.find("x-amz-date"), nullptr);
  const ServiceOutcome refused = bench.call();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.message.find("key-123"), std::string::npos) << refused.error().error.message;
  EXPECT_NE(refused.error().error.message.find("AWS_BEARER_TOKEN_BEDROCK"), std::string::npos);
  EXPECT_EQ(bench.requests().size(), 2u) << "there is nothing to renew";
}

TEST(Service, ABearerTokenWithALineEndIsRefused) {
  Bench bench(kBedrock, "", "key\r\nx-evil: 1");
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.kind, ErrorKind::bad_input);
  EXPECT_TRUE(bench.requests().empty());
}

TEST(Service, WithoutCredentialsNothingIsSent) {
  Bench bench;
  bench.provider->all = {fail(ErrorKind::denied, "none were found")};
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.message, "none were found");
  EXPECT_EQ(outcome.error().status, 0);
  EXPECT_FALSE(outcome.error().sent);
  EXPECT_TRUE(bench.requests().empty());
}

TEST(Service, ARefusalIsOneAttempt) {
  Bench bench;
  bench.answer(429, R"({"message":"Too many requests"})",
               {{"x-amzn-errortype", "ThrottlingException"}, {"retry-after", "3"}});
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.kind, ErrorKind::throttled);
  EXPECT_EQ(outcome.error().error.retry_after_ms, 3'000);
  EXPECT_EQ(outcome.error().code, "ThrottlingException");
  EXPECT_EQ(outcome.error().status, 429);
  EXPECT_TRUE(outcome.error().sent);
  EXPECT_EQ(bench.requests().size(), 1u);
}

TEST(Service, ALostAnswerIsToldAsOne) {
  Bench bench;
  bench.cut();
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.kind, ErrorKind::unavailable);
  EXPECT_TRUE(outcome.error().error.where.ends_with(bench.url())) << outcome.error().error.where;
  EXPECT_EQ(outcome.error().status, 0);
  EXPECT_TRUE(outcome.error().sent);
}

TEST(Service, ALargeBodyArrivesWholeAndSigned) {
  Bench bench;
  std::string body(700'001, 'x');
  body[300'000] = 'y';
  bench.answer(403, "", {{"x-amzn-errortype", "ExpiredTokenException"}});
  bench.answer(200, "");
  ASSERT_TRUE(bench.call(body));
  ASSERT_EQ(bench.requests().size(), 2u);
  for (const std::size_t n : {0u, 1u}) {
    EXPECT_EQ(bench.requests()[n].body, body);
    EXPECT_EQ(bench.requests()[n].headers.get("authorization"), bench.expected_authorization(n, kNoon));
  }
}

// --- the clock

TEST(ServiceClock, IsLearntFromARefusalAndKept) {
  for (const std::int64_t minutes : {10, -10}) {
    Bench bench;
    bench.answer(403, "", date(minutes_later(minutes)));
    bench.answer(200, "");
    ASSERT_TRUE(bench.call());
    EXPECT_EQ(bench.service->clock_offset_ms(), minutes * kMinuteMs);
    ASSERT_EQ(bench.requests().size(), 2u);
    EXPECT_EQ(bench.requests()[0].headers.get("authorization"), bench.expected_authorization(0, kNoon));
    EXPECT_EQ(bench.requests()[1].headers.get("authorization"),
              bench.expected_authorization(1, minutes_later(minutes)));
    ASSERT_TRUE(bench.call());
    EXPECT_EQ(bench.requests().size(), 3u);
    EXPECT_EQ(bench.requests()[2].headers.get("authorization"),
              bench.expected_authorization(2, minutes_later(minutes)));
  }
}

TEST(ServiceClock, EveryCodeOfAWrongTimeIsKnown) {
  for (const char* code : {"InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
                           "RequestExpired", "RequestInTheFuture"}) {
    Bench bench;
    http::Headers headers = date(minutes_later(10));
    headers.set("x-amzn-errortype", code);
    bench.answer(403, "", headers);
    bench.answer(200, "");
    EXPECT_TRUE(bench.call()) << code;
  }
}

TEST(ServiceClock, IsLookedAtWhenARefusalSaysNothing) {
  Bench bench;
  http::Headers headers = date(minutes_later(10));
  headers.remove("x-amzn-errortype");
  bench.answer(403, "", headers);
  bench.answer(200, "");
  EXPECT_TRUE(bench.call());
  Bench denied;
  denied.answer(403, R"({"code":"AccessDenied"})", headers);
  EXPECT_FALSE(denied.call());
  EXPECT_EQ(denied.requests().size(), 1u);
}

TEST(ServiceClock, ARightClockIsNoReasonToTryAgain) {
  Bench bench;
  bench.answer(403, "", date(minutes_later(4)));
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.kind, ErrorKind::denied);
  EXPECT_EQ(bench.requests().size(), 1u);
  EXPECT_EQ(bench.service->clock_offset_ms(), 0);
}

TEST(ServiceClock, IsCorrectedOnceACall) {
  Bench bench;
  bench.answer(403, "", date(minutes_later(10)));
  bench.answer(403, "", date(minutes_later(20)));
  ASSERT_FALSE(bench.call());
  EXPECT_EQ(bench.requests().size(), 2u);
}

async::Task<void> call_into(Service* service, int* succeeded) {
  ServiceRequest request;
  request.path = "/";
  const ServiceOutcome outcome = co_await service->call(std::move(request));
  if (outcome) ++*succeeded;
}

TEST(ServiceClock, EveryCallInFlightGoesAgain) {
  Bench bench;
  bench.answer(403, "", date(minutes_later(10)));
  bench.answer(403, "", date(minutes_later(10)));
  bench.answer(200, "");
  int succeeded = 0;
  async::TaskGroup group(bench.loop.context().get_executor());
  for (int i = 0; i < 2; ++i) group.spawn(call_into(bench.service.get(), &succeeded));
  while (group.running() > 0) ASSERT_TRUE(bench.run(async::sleep_for(1)));
  EXPECT_EQ(succeeded, 2);
  EXPECT_EQ(bench.requests().size(), 4u);
}

TEST(ServiceClock, AnOffsetThatIsNoLongerTrueIsTakenBack) {
  Bench bench;
  bench.answer(403, "", date(minutes_later(10)));
  bench.answer(200, "");
  ASSERT_TRUE(bench.call());
  bench.clock.advance(10 * kMinuteMs);  // somebody set our clock
  bench.script->replies.clear();
  bench.answer(403, "", date(minutes_later(10)));
  bench.answer(200, "");
  ASSERT_TRUE(bench.call());
  EXPECT_EQ(bench.service->clock_offset_ms(), 0);
}

TEST(ServiceClock, WithoutADateNothingIsLearnt) {
  Bench bench;
  bench.answer(403, "", {{"x-amzn-errortype", "RequestTimeTooSkewed"}, {"date", "today"}});
  ASSERT_FALSE(bench.call());
  EXPECT_EQ(bench.requests().size(), 1u);
}

// --- expired credentials

TEST(ServiceCredentials, AreRenewedOnceWhenTheyAreRefused) {
  for (const char* code : {"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"}) {
    Bench bench;
    bench.provider->all = {keys("OLD"), keys("NEW")};
    bench.answer(403, "", {{"x-amzn-errortype", code}});
    bench.answer(200, "");
    EXPECT_TRUE(bench.call()) << code;
    EXPECT_EQ(bench.provider->expired, (std::vector<std::string>{"OLD"}));
    ASSERT_EQ(bench.requests().size(), 2u);
    EXPECT_EQ(bench.requests()[1].headers.get("authorization"),
              bench.expected_authorization(1, kNoon, keys("NEW").keys));
  }
}

TEST(ServiceCredentials, RefusedTwiceIsAnError) {
  Bench bench;
  bench.answer(403, R"({"message":"secret-key is expired"})", {{"x-amzn-errortype", "ExpiredTokenException"}});
  const ServiceOutcome outcome = bench.call();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(bench.requests().size(), 2u);
  EXPECT_EQ(outcome.error().error.text(),
            "Bedrock Runtime answered ExpiredTokenException (HTTP 403): *** is expired; the credentials (test) have "
            "expired; renew them there");
}

TEST(ServiceCredentials, AccessDeniedIsNoReasonToRenew) {
  Bench bench;
  bench.answer(403, "", {{"x-amzn-errortype", "AccessDeniedException"}});
  ASSERT_FALSE(bench.call());
  EXPECT_EQ(bench.requests().size(), 1u);
  EXPECT_TRUE(bench.provider->expired.empty());
}

}  // namespace
}  // namespace palette::aws
