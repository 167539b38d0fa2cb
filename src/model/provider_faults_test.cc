// Everything that can go wrong between us and a model, over real connections: what the error is, and what was billed.
#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "contract/await.h"
#include "http/server.h"
#include "model/connections.h"
#include "model/make_model.h"
#include "model/test_metering.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

using contract::await, contract::error_text;
using End = CallBill::End;

enum class Api { bedrock, openai };

constexpr std::string_view kConversed =
    R"({"output":{"message":{"role":"assistant","content":[{"text":"an answer"}]}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":11,"outputTokens":7,"totalTokens":18}})";
constexpr std::string_view kChatted =
    R"({"choices":[{"message":{"role":"assistant","content":"an answer"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}})";
constexpr std::string_view kConversedNothing =
    R"({"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":11,"outputTokens":0,"totalTokens":11}})";
constexpr std::string_view kChattedNothing =
    R"({"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":11,"completion_tokens":0,"total_tokens":11}})";

struct Fault {
  const char* name;
  http::Response reply;
  http::Ending ending = http::Ending::whole;
  bool hangs = false;
};

enum class Cost { nothing, of_usage, bound };
struct Expected {
  Fault fault;
  ErrorKind kind;
  Cost cost;
};

// A server that serves both, each call by the next fault; the last goes on for ever.
struct FaultyServer {
  std::deque<Fault> script;
  std::vector<http::ServerRequest> asked;
  std::unique_ptr<http::Server> server;

  FaultyServer() {
    auto listening =
        http::Server::listen(contract::process_loop().context().get_executor(), {},
                             [this](http::ServerRequest request) { return reply(this, std::move(request)); });
    EXPECT_TRUE(listening) << error_text(listening);
    server = std::move(*listening);
  }

  static async::Task<http::ServerReply> reply(FaultyServer* self, http::ServerRequest request) {
    const Fault fault = self->script.front();
    if (self->script.size() > 1) self->script.pop_front();
    const std::function<bool()> has_left = request.client_has_left;
    self->asked.push_back(std::move(request));
    while (fault.hangs && !has_left()) (void)co_await async::sleep_for(1);
    http::ServerReply out;
    out.response = fault.reply;
    out.ending = fault.ending;
    co_return out;
  }
};

struct ProviderFaults : ::testing::TestWithParam<Api> {
  FaultyServer server;
  std::shared_ptr<RecordingMeter> meter = std::make_shared<RecordingMeter>();
  std::shared_ptr<async::StopFlag> stop = std::make_shared<async::StopFlag>();
  RetryPolicy retries{.tries_max = 1, .throttled_max = 1, .base_ms = 0, .throttled_base_ms = 0, .pause_ms_max = 0};
  std::unique_ptr<Connections> connections;

  ProviderFaults() {
    const std::string base = "http://127.0.0.1:" + std::to_string(server.server->port());
    aws::Environment environment;
    environment.home = "/no/such/home";
    environment.variables = {{"AWS_REGION", "us-east-1"},       {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", base},
                             {"AWS_ACCESS_KEY_ID", "AKID"},     {"AWS_SECRET_ACCESS_KEY", "secret"},
                             {"OPENAI_BASE_URL", base + "/v1"}, {"OPENAI_API_KEY", "sk-secret"}};
    connections =
        std::make_unique<Connections>(contract::process_loop().context().get_executor(), environment, system_clock());
  }
  // The client leaves first, and the server sees it go.
  ~ProviderFaults() override {
    connections.reset();
    constexpr int kTurnsMax = 1'000;
    for (int i = 0; i < kTurnsMax && server.server->connections() > 0; ++i) (void)await(async::sleep_for(1));
  }

  static bool is_bedrock() { return GetParam() == Api::bedrock; }
  static http::Response answered() {
    return {.status = 200, .headers = {}, .body = std::string(is_bedrock() ? kConversed : kChatted)};
  }
  // As each service says it.
  static http::Response failed(int status, const std::string& code, const std::string& message = "no") {
    http::Response out;
    out.status = status;
    if (is_bedrock()) {
      if (!code.empty()) out.headers.add("x-amzn-ErrorType", code);
      out.body = R"({"message":")" + message + "\"}";
    } else {
      out.body = R"({"error":{"message":")" + message + R"(","code":")" + code + "\"}}";
    }
    return out;
  }

  std::shared_ptr<Model> model() {
    TestModel test = is_bedrock() ? bedrock_model() : openai_model();
    test.info->prices["geo"] = {.input = 3, .output = 15, .cache_read = 3, .cache_write = 3};
    ModelParts parts;
    parts.stop = stop;
    parts.executor = contract::process_loop().context().get_executor();
    parts.clock = &system_clock();
    parts.meter = meter;
    parts.retries = retries;
    parts.provider_of = [this](const job::ResolvedModel& resolved) { return connections->provider_of(resolved); };
    const auto made = ModelMaker(parts).make({test.resolved});
    EXPECT_TRUE(made) << error_text(made);
    return *made;
  }
  static ModelRequest request() {
    ModelRequest out = asking("p");
    out.options.max_tokens = 100;
    out.identity = {"job-1", "question", RecordIndex{3}, 0};
    return out;
  }
  Result<ModelResult> call(std::deque<Fault> script, ModelRequest asked = request()) {
    server.script = std::move(script);
    return await(model()->call(shared(std::move(asked))));
  }
  void expect(const std::vector<Expected>& cases) {
    for (const auto& c : cases) {
      meter->bills.clear();
      ModelRequest asked = request();
      if (c.fault.hangs) asked.answer_ms = 30;
      const auto answer = call({c.fault}, asked);
      ASSERT_FALSE(answer) << c.fault.name;
      EXPECT_EQ(answer.error().kind, c.kind) << c.fault.name << ": " << answer.error().text();
      EXPECT_NE(answer.error().message, "") << c.fault.name;
      ASSERT_EQ(meter->bills.size(), 1u) << c.fault.name;
      const WrittenBill& bill = meter->bills[0];
      EXPECT_EQ(bill.end, c.cost == Cost::nothing ? End::free : End::wasted)
          << c.fault.name << ": " << answer.error().text();
      const Money expected = c.cost == Cost::bound ? bill.reserved : Money{c.cost == Cost::of_usage ? 3 * 11 : 0};
      EXPECT_EQ(bill.cost, expected) << c.fault.name;
      EXPECT_EQ(bill.estimated, c.cost == Cost::bound) << c.fault.name;
      EXPECT_EQ(meter->open, 0) << c.fault.name;
      EXPECT_EQ(meter->reserved, Money{}) << c.fault.name;
    }
  }
};

TEST_P(ProviderFaults, AWholeAnswerIsPaidForAtItsUsage) {
  const auto answer = call({{"whole", answered()}});
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->text, "an answer");
  EXPECT_EQ(answer->cost.pico, 3 * 11 + 15 * 7);
  ASSERT_EQ(meter->bills.size(), 1u);
  EXPECT_EQ(meter->bills[0].end, End::answered);
  EXPECT_EQ(meter->bills[0].cost, answer->cost);
  EXPECT_EQ(meter->open, 0);
  const std::string_view authorization = server.asked[0].headers.get("Authorization");
  EXPECT_TRUE(authorization.starts_with(is_bedrock() ? "AWS4-HMAC-SHA256 Credential=AKID/" : "Bearer sk-secret"));
}

TEST_P(ProviderFaults, AnAnswerThatCannotBeUsedIsAnErrorAndIsPaidFor) {
  const auto body = [](std::string text) {
    return http::Response{.status = 200, .headers = {}, .body = std::move(text)};
  };
  const std::string nothing(is_bedrock() ? kConversedNothing : kChattedNothing);
  expect({
      {{"hang", answered(), http::Ending::whole, true}, ErrorKind::timeout, Cost::bound},
      {{"cut", answered(), http::Ending::cut}, ErrorKind::unavailable, Cost::bound},
      {{"half", answered(), http::Ending::half}, ErrorKind::unavailable, Cost::bound},
      {{"malformed", body("{\"output\":")}, ErrorKind::unavailable, Cost::bound},
      {{"not JSON", body("<html>")}, ErrorKind::unavailable, Cost::bound},
      {{"no body", body("")}, ErrorKind::unavailable, Cost::bound},
      {{"empty answer", body(nothing)}, ErrorKind::unavailable, Cost::of_usage},
      {{"an error in a good answer", body(R"({"error":{"message":"overloaded","code":"server_error"}})")},
       ErrorKind::unavailable,
       Cost::bound},
  });
}

// What a service refuses or fails at is free; a gateway in between does not know.
TEST_P(ProviderFaults, ARefusalIsAnErrorOfTheRightKindAndFree) {
  const bool bedrock = is_bedrock();
  expect({
      {{"500", failed(500, bedrock ? "InternalServerException" : "server_error")},
       ErrorKind::unavailable,
       Cost::nothing},
      {{"503", failed(503, bedrock ? "ServiceUnavailableException" : "overloaded")},
       ErrorKind::unavailable,
       Cost::nothing},
      {{"503 without a word", {.status = 503, .headers = {}, .body = ""}}, ErrorKind::unavailable, Cost::nothing},
      {{"504 of a gateway", {.status = 504, .headers = {}, .body = "<html>"}}, ErrorKind::unavailable, Cost::bound},
      {{"408", failed(408, bedrock ? "ModelTimeoutException" : "timeout")}, ErrorKind::timeout, Cost::nothing},
      {{"424", failed(424, bedrock ? "ModelErrorException" : "failed_dependency")},
       bedrock ? ErrorKind::unavailable : ErrorKind::bad_input,
       Cost::nothing},
      {{"429", failed(429, bedrock ? "ThrottlingException" : "rate_limit_exceeded")},
       ErrorKind::throttled,
       Cost::nothing},
      {{"429 for the day", bedrock ? failed(429, "ThrottlingException", "Too many tokens per day, please wait")
                                   : failed(429, "insufficient_quota")},
       ErrorKind::quota,
       Cost::nothing},
      {{"403", failed(403, bedrock ? "AccessDeniedException" : "permission_denied")}, ErrorKind::denied, Cost::nothing},
      {{"400", failed(400, bedrock ? "ValidationException" : "invalid_request_error")},
       ErrorKind::bad_input,
       Cost::nothing},
  });
}

TEST_P(ProviderFaults, AServerThatIsNotThereIsUnavailableAndCostsNothing) {
  const std::shared_ptr<Model> one = model();
  server.server->stop_accepting();
  const auto answer = await(one->call(shared(request())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
  ASSERT_EQ(meter->bills.size(), 1u);
  EXPECT_EQ(meter->bills[0].end, End::free);
}

TEST_P(ProviderFaults, ComesBackWhenTheServerAsksForIt) {
  http::Response later = failed(429, is_bedrock() ? "ThrottlingException" : "rate_limit_exceeded");
  later.headers.add("Retry-After", "1");
  retries.throttled_max = 2;
  const auto began = std::chrono::steady_clock::now();
  const auto answer = call({{"later", later}, {"whole", answered()}});
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
  EXPECT_EQ(answer->tries, 2);
}

TEST_P(ProviderFaults, AStormIsPassedAndEveryCallIsSettled) {
  retries = {.tries_max = 8, .throttled_max = 8, .base_ms = 0, .throttled_base_ms = 0, .pause_ms_max = 0};
  const auto answer = call({{"429", failed(429, is_bedrock() ? "ThrottlingException" : "rate_limit_exceeded")},
                            {"cut", answered(), http::Ending::cut},
                            {"half", answered(), http::Ending::half},
                            {"malformed", {.status = 200, .headers = {}, .body = "{"}},
                            {"500", failed(500, "")},
                            {"whole", answered()}});
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->tries, 6);
  EXPECT_EQ(server.asked.size(), 6u) << "a cut answer is not asked for again by the client itself";
  ASSERT_EQ(meter->bills.size(), 6u);
  const End ends[] = {End::free, End::wasted, End::wasted, End::wasted, End::free, End::answered};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(meter->bills[i].end, ends[i]) << i;
  EXPECT_EQ(meter->open, 0);
  EXPECT_EQ(meter->reserved, Money{});
}

INSTANTIATE_TEST_SUITE_P(Both, ProviderFaults, ::testing::Values(Api::bedrock, Api::openai), [](const auto& api) {
  return api.param == Api::bedrock ? std::string("Bedrock") : std::string("OpenAi");
});

}  // namespace
}  // namespace palette::model
