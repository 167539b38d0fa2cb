#include "aws/retried_service.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/timer.h"
#include "aws/dynamo_test_parts.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

struct Bench : World {
  explicit Bench(RetryRules with = {.base_ms = 0, .also = {}, .check = {}}) : rules(std::move(with)) {
    ServiceParts service_parts;
    service_parts.http = std::shared_ptr<http::Client>(std::shared_ptr<void>(), &client);
    service_parts.credentials = std::make_shared<FixedCredentials>();
    service_parts.clock = &clock;
    service = std::make_shared<Service>(kDynamoDbName, *http::Url::parse(url()), "us-east-1", service_parts);
    retried = std::make_unique<RetriedService>(service, rules, clock);
  }

  static ServiceRequest request() {
    ServiceRequest out;
    out.path = "/";
    out.body = "{}";
    return out;
  }
  RetriedOutcome call() { return run(retried->call(request())); }

  RetryRules rules;
  std::shared_ptr<Service> service;
  std::unique_ptr<RetriedService> retried;
};

std::string refusal(std::string code) { return R"({"__type":"x#)" + code + R"(","message":"m"})"; }

TEST(RetriedService, GivesTheFirstAnswerAsItIs) {
  Bench bench;
  bench.answer(200, "yes");
  const RetriedOutcome outcome = bench.call();
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->body, "yes");
  EXPECT_EQ(outcome.tries, 1);
  EXPECT_FALSE(outcome.may_have_worked);
}

TEST(RetriedService, TriesAgainWhatMayPass) {
  Bench bench;
  bench.answer(400, refusal("ThrottlingException"));
  bench.answer(503, "");
  bench.cut();
  bench.answer(200, "yes");
  const RetriedOutcome outcome = bench.call();
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.tries, 4);
  EXPECT_TRUE(outcome.may_have_worked);
}

TEST(RetriedService, AThrottleAloneHasDoneNothing) {
  Bench bench;
  bench.answer(400, refusal("ProvisionedThroughputExceededException"));
  bench.answer(200, "yes");
  const RetriedOutcome outcome = bench.call();
  EXPECT_EQ(outcome.tries, 2);
  EXPECT_FALSE(outcome.may_have_worked);
}

TEST(RetriedService, EveryLostAnswerMayHaveWorked) {
  for (const int status : {0, 500, 503}) {
    Bench bench;
    if (status == 0) bench.cut();
    if (status != 0) bench.answer(status, "");
    bench.answer(400, refusal("ValidationException"));
    const RetriedOutcome outcome = bench.call();
    ASSERT_FALSE(outcome.answer) << status;
    EXPECT_EQ(outcome.answer.error().code, "ValidationException");
    EXPECT_TRUE(outcome.may_have_worked) << status;
  }
}

TEST(RetriedService, TellsOfTheTriesBeforeTheLastOneOnly) {
  Bench bench({.tries_max = 1, .base_ms = 0, .also = {}, .check = {}});
  bench.answer(500, "");
  const RetriedOutcome outcome = bench.call();
  ASSERT_FALSE(outcome.answer);
  EXPECT_FALSE(outcome.may_have_worked);
  EXPECT_TRUE(is_lost(outcome.answer.error()));
}

TEST(RetriedService, WhatWouldFailAgainIsNotTried) {
  for (const char* code : {"ValidationException", "AccessDeniedException", "ResourceNotFoundException",
                           "ConditionalCheckFailedException", "TransactionConflictException"}) {
    Bench bench;
    bench.answer(400, refusal(code));
    const RetriedOutcome outcome = bench.call();
    ASSERT_FALSE(outcome.answer) << code;
    EXPECT_EQ(outcome.tries, 1) << code;
    EXPECT_EQ(bench.requests().size(), 1u) << code;
  }
}

TEST(RetriedService, TheServicesOwnRuleAddsToIt) {
  Bench bench({.base_ms = 0,
               .also = [](const ServiceFailure& failure) { return failure.code == "TransactionConflictException"; },
               .check = {}});
  bench.answer(400, refusal("TransactionConflictException"));
  bench.answer(200, "yes");
  const RetriedOutcome outcome = bench.call();
  EXPECT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.tries, 2);
  EXPECT_FALSE(outcome.may_have_worked);
}

TEST(RetriedService, AnAnswerThatIsNotWholeCountsAsLost) {
  const auto check = [](const http::Response& response) -> Status {
    if (response.body != "damaged") return {};
    return fail(ErrorKind::corrupt, "it came damaged");
  };
  for (const int status : {200, 400}) {
    Bench bench({.tries_max = 2, .base_ms = 0, .also = {}, .check = check});
    bench.answer(status, "damaged");
    bench.answer(200, "whole");
    RetriedOutcome outcome = bench.call();
    ASSERT_TRUE(outcome.answer);
    EXPECT_EQ(outcome.answer->body, "whole");
    EXPECT_TRUE(outcome.may_have_worked);
    bench.script->replies.clear();
    bench.answer(status, "damaged");
    outcome = bench.call();
    ASSERT_FALSE(outcome.answer);
    EXPECT_EQ(outcome.answer.error().error.kind, ErrorKind::unavailable);
    EXPECT_EQ(outcome.answer.error().error.message, "it came damaged (tried 2 times)");
  }
}

TEST(RetriedService, GivesUpAfterItsTries) {
  Bench bench({.tries_max = 3, .base_ms = 0, .also = {}, .check = {}});
  bench.answer(503, "");
  const RetriedOutcome outcome = bench.call();
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.tries, 3);
  EXPECT_EQ(bench.requests().size(), 3u);
  EXPECT_EQ(outcome.answer.error().error.message, "DynamoDB answered HTTP 503 (tried 3 times)");
}

// The clock stands still: only what the other side asks for is too long.
TEST(RetriedService, WaitsNoLongerThanItsPatience) {
  Bench bench({.base_ms = 0, .patience_ms = 900, .also = {}, .check = {}});
  bench.answer(503, "", {{"retry-after", "1"}});
  const RetriedOutcome outcome = bench.call();
  EXPECT_EQ(outcome.tries, 1);
  EXPECT_EQ(outcome.answer.error().error.retry_after_ms, 1'000);
}

TEST(RetriedService, WaitsAsLongAsItIsAsked) {
  Bench bench;
  bench.answer(503, "", {{"x-amz-retry-after", "30"}});
  bench.answer(200, "yes");
  const std::int64_t started_ms = system_clock().monotonic_ms();
  EXPECT_TRUE(bench.call().answer);
  EXPECT_GE(system_clock().monotonic_ms() - started_ms, 30);
}

async::Task<void> call_into(RetriedService* service, std::optional<RetriedOutcome>* outcome) {
  outcome->emplace(co_await service->call(Bench::request()));
}

TEST(RetriedService, EndsItsPauseAtOnceWhenItIsCancelled) {
  Bench bench;
  bench.answer(500, "", {{"retry-after", "50"}});
  std::optional<RetriedOutcome> outcome;
  async::TaskGroup group(bench.loop.context().get_executor());
  group.spawn(call_into(bench.retried.get(), &outcome));
  while (bench.requests().empty()) ASSERT_TRUE(bench.run(async::sleep_for(1)));
  ASSERT_TRUE(bench.run(async::sleep_for(20)));
  ASSERT_FALSE(outcome);
  group.cancel();
  while (group.running() > 0) ASSERT_TRUE(bench.run(async::sleep_for(1)));
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(outcome->answer);
  EXPECT_EQ(outcome->answer.error().error.kind, ErrorKind::cancelled);
  EXPECT_TRUE(outcome->may_have_worked);
  EXPECT_EQ(bench.requests().size(), 1u);
}

TEST(RetriedService, PausesDoubleUpToTheirMost) {
  const RetryRules rules{.base_ms = 50, .pause_ms_max = 5'000, .also = {}, .check = {}};
  EXPECT_EQ(pause_before_try_ms(rules, 1, 0.0), 0);
  EXPECT_EQ(pause_before_try_ms(rules, 1, 0.5), 25);
  EXPECT_EQ(pause_before_try_ms(rules, 2, 0.5), 50);
  EXPECT_EQ(pause_before_try_ms(rules, 7, 0.5), 1'600);
  EXPECT_EQ(pause_before_try_ms(rules, 8, 0.5), 2'500);
  EXPECT_EQ(pause_before_try_ms(rules, 1'000, 0.5), 2'500);
}

}  // namespace
}  // namespace palette::aws
