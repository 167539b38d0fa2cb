#include "aws/ecs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "aws/ecs_answers.h"
#include "aws/ecs_test_parts.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

using ::testing::HasSubstr;

struct Bench : World {
  explicit Bench(RetryRules rules = {.base_ms = 0, .also = {}, .check = {}})
      : ecs(service_at(loop, kEcsName, url(), clock), clock, std::move(rules)) {}

  void refuse(const std::string& code, const std::string& message, int status = 400) {
    JsonObject body;
    body["__type"] = "com.amazonaws.ecs#" + code;
    body["message"] = message;
    answer(status, to_json_text(body));
  }
  JsonObject body(std::size_t request) const { return parse_json(requests().at(request).body)->get_object(); }
  std::string text(std::size_t request, std::string_view member) const {
    return std::string(body(request).at(member).get_string());
  }

  Result<StartedTasks> start(RunTask request) { return run(ecs.run_task(std::move(request))); }

  Ecs ecs;
};

// An answer of RunTask or DescribeTasks with tasks named from `first` on.
std::string tasks(int first, int count, const std::string& failures = "[]") {
  std::string list;
  for (int i = first; i < first + count; ++i) {
    list += (list.empty() ? "" : ",") + (R"({"taskArn":"arn/)" + std::to_string(i) + R"("})");
  }
  return R"({"tasks":[)" + list + R"(],"failures":)" + failures + "}";
}

TEST(EcsRunTask, AsksForSpotAlone) {
  Bench bench;
  bench.answer(200, tasks(1, 2));
  RunTask request = worker_tasks(2);
  request.cpu_units = 1'024;
  request.memory_mib = 2'048;
  request.container.name = "worker";
  request.container.command = {"worker", "--once"};
  request.container.environment = {{"A", "1"}, {"B", "ü"}};
  request.tags = {{"application", "plot-palette"}, {"job-id", "j1"}};
  request.started_by = "plot-palette/j1";
  request.token = "j1";
  const Result<StartedTasks> started = bench.start(request);
  ASSERT_TRUE(started) << started.error().text();
  EXPECT_EQ(started->tasks.size(), 2u);
  EXPECT_EQ(started->missing, 0);
  EXPECT_FALSE(started->error);
  ASSERT_EQ(bench.requests().size(), 1u);
  const http::ServerRequest& sent = bench.requests()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/");
  EXPECT_EQ(sent.headers.get("x-amz-target"), "AmazonEC2ContainerServiceV20141113.RunTask");
  EXPECT_EQ(sent.headers.get("content-type"), "application/x-amz-json-1.1");
  EXPECT_THAT(std::string(sent.headers.get("authorization")), HasSubstr("/us-east-1/ecs/aws4_request"));
  EXPECT_EQ(sent.body,
            R"({"cluster":"palette","taskDefinition":"worker:3","count":2,)"
            R"("capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}],)"
            R"("networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1","subnet-2"],)"
            R"("securityGroups":["sg-1"],"assignPublicIp":"ENABLED"}},)"
            R"("overrides":{"cpu":"1024","memory":"2048","containerOverrides":[{"name":"worker",)"
            R"("command":["worker","--once"],"environment":[{"name":"A","value":"1"},{"name":"B","value":"ü"}]}]},)"
            R"("tags":[{"key":"application","value":"plot-palette"},{"key":"job-id","value":"j1"}],)"
            R"("startedBy":"plot-palette/j1","clientToken":"j1-1"})");
}

TEST(EcsRunTask, LeavesOutWhatIsNotGiven) {
  Bench bench;
  bench.answer(200, tasks(1, 1));
  RunTask request = worker_tasks(1);
  request.network = {{"subnet-1"}, {}, false};
  request.token = "t";
  ASSERT_TRUE(bench.start(request));
  EXPECT_EQ(bench.requests()[0].body,
            R"({"cluster":"palette","taskDefinition":"worker:3","count":1,)"
            R"("capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}],)"
            R"("networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"],"assignPublicIp":"DISABLED"}},)"
            R"("clientToken":"t-1"})");
}

TEST(EcsRunTask, MoreThanTenAreSeveralRequests) {
  Bench bench;
  bench.answer(200, tasks(1, 10));
  bench.answer(200, tasks(11, 10));
  bench.answer(200, tasks(21, 5));
  const Result<StartedTasks> started = bench.start(worker_tasks(25));
  ASSERT_TRUE(started) << started.error().text();
  ASSERT_EQ(bench.requests().size(), 3u);
  std::set<std::string> tokens;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.body(i).at("count").get_int64(), i < 2 ? 10 : 5);
    tokens.insert(bench.text(i, "clientToken"));
    EXPECT_LE(bench.text(i, "clientToken").size(), 64u);
  }
  EXPECT_EQ(tokens.size(), 3u);
  ASSERT_EQ(started->tasks.size(), 25u);
  EXPECT_EQ(started->tasks[24].arn, "arn/25");
  EXPECT_EQ(started->missing, 0);
}

TEST(EcsRunTask, ATryAfterALostAnswerHasTheSameToken) {
  Bench bench;
  bench.cut();
  bench.answer(500, R"({"__type":"ServerException"})");
  bench.answer(400, R"({"__type":"ThrottlingException","message":"Rate exceeded"})");
  bench.answer(200, tasks(1, 1));
  ASSERT_TRUE(bench.start(worker_tasks(1)));
  ASSERT_EQ(bench.requests().size(), 4u);
  for (const http::ServerRequest& sent : bench.requests()) EXPECT_EQ(sent.body, bench.requests()[0].body);
  // Another call is another token.
  ASSERT_TRUE(bench.start(worker_tasks(1)));
  EXPECT_NE(bench.text(4, "clientToken"), bench.text(0, "clientToken"));
}

TEST(EcsRunTask, RefusalsOfA200AreNoError) {
  Bench bench;
  bench.answer(200, tasks(1, 8,
                          R"([{"arn":null,"reason":"Capacity is unavailable at this time. Please try again later"},)"
                          R"({"arn":"arn/x","reason":"RESOURCE:ENI","detail":"none left"}])"));
  bench.answer(200, tasks(9, 0, R"([{"reason":"ATTRIBUTE"}])"));
  const Result<StartedTasks> started = bench.start(worker_tasks(12));
  ASSERT_TRUE(started) << started.error().text();
  EXPECT_FALSE(started->error);
  EXPECT_EQ(started->tasks.size(), 8u);
  EXPECT_EQ(started->missing, 4);
  ASSERT_EQ(started->refusals.size(), 3u);
  EXPECT_EQ(started->refusals[0].arn, "");
  EXPECT_EQ(started->refusals[0].reason, "Capacity is unavailable at this time. Please try again later");
  EXPECT_EQ(started->refusals[1].arn, "arn/x");
  EXPECT_EQ(started->refusals[1].detail, "none left");
  EXPECT_EQ(kind_of(started->refusals[0]), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(started->refusals[1]), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(started->refusals[2]), ErrorKind::bad_input);
  EXPECT_EQ(kind_of({"", "You've reached the limit on the number of spot tasks you can run concurrently", ""}),
            ErrorKind::quota);
  EXPECT_EQ(kind_of({"", "", "Capacity is unavailable at this time"}), ErrorKind::unavailable);
  EXPECT_EQ(kind_of({"arn/x", "MISSING", ""}), ErrorKind::not_found);
}

TEST(EcsRunTask, AFirstRequestThatIsRefusedHasStartedNothing) {
  Bench bench;
  bench.refuse("ClusterNotFoundException", "Cluster not found.");
  const Result<StartedTasks> started = bench.start(worker_tasks(25));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::not_found);
  EXPECT_EQ(started.error().text(),
            "ECS answered ClusterNotFoundException (HTTP 400): Cluster not found.; check the name of the cluster, and "
            "the region");
  EXPECT_EQ(bench.requests().size(), 1u);
}

TEST(EcsRunTask, WhatWasStartedBeforeAnErrorIsTold) {
  Bench bench;
  bench.answer(200, tasks(1, 10));
  bench.refuse("AccessDeniedException", "no");
  const Result<StartedTasks> started = bench.start(worker_tasks(25));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->tasks.size(), 10u);
  EXPECT_EQ(started->missing, 15);
  ASSERT_TRUE(started->error);
  EXPECT_EQ(started->error->kind, ErrorKind::denied);
  EXPECT_FALSE(started->may_have_started);
  EXPECT_EQ(bench.requests().size(), 2u);
}

TEST(EcsRunTask, WithoutAnAnswerTasksMayRun) {
  for (const int status : {0, 500, 200}) {
    Bench bench({.tries_max = 1, .base_ms = 0, .also = {}, .check = {}});
    if (status == 0) bench.cut();
    if (status == 500) bench.answer(500, "");
    if (status == 200) bench.answer(200, R"({"tasks":[{}]})");
    const Result<StartedTasks> started = bench.start(worker_tasks(1));
    ASSERT_TRUE(started) << status;
    EXPECT_TRUE(started->may_have_started);
    EXPECT_EQ(started->missing, 1);
    ASSERT_TRUE(started->error);
    EXPECT_EQ(started->error->kind, status == 200 ? ErrorKind::corrupt : ErrorKind::unavailable) << status;
  }
  Bench bench;
  bench.answer(200, "<html>");
  EXPECT_THAT(bench.start(worker_tasks(1))->error->text(), HasSubstr("the answer of ECS to RunTask cannot be read"));
  // A refusal after a lost answer says nothing about the first try.
  Bench later;
  later.cut();
  later.refuse("AccessDeniedException", "no");
  const Result<StartedTasks> started = later.start(worker_tasks(1));
  ASSERT_TRUE(started);
  EXPECT_TRUE(started->may_have_started);
}

TEST(EcsRunTask, BadInputIsNotSent) {
  struct Case {
    const char* where;
    std::function<void(RunTask&)> spoil;
  };
  const std::vector<Case> cases = {
      {"ECS", [](RunTask& r) { r.cluster.clear(); }},
      {"RunTask task definition", [](RunTask& r) { r.task_definition.clear(); }},
      {"RunTask count", [](RunTask& r) { r.count = 0; }},
      {"RunTask count", [](RunTask& r) { r.count = 1'001; }},
      {"RunTask subnets", [](RunTask& r) { r.network.subnets.clear(); }},
      {"RunTask subnets", [](RunTask& r) { r.network.subnets.resize(17); }},
      {"RunTask security groups", [](RunTask& r) { r.network.security_groups.resize(6); }},
      {"RunTask cpu and memory", [](RunTask& r) { r.cpu_units = 1'024; }},
      {"RunTask cpu and memory", [](RunTask& r) { r.memory_mib = 2'048; }},
      {"RunTask overrides", [](RunTask& r) { r.container.command = {"x"}; }},
      {"RunTask overrides", [](RunTask& r) { r.container = {"c", {"\xff"}, {}}; }},
      {"RunTask tags", [](RunTask& r) { r.tags[""] = "x"; }},
      {"RunTask tags", [](RunTask& r) { r.tags["x"] = "\xff"; }},
      {"RunTask tags", [](RunTask& r) { r.tags[std::string(129, 'k')] = "x"; }},
      {"RunTask tags", [](RunTask& r) { r.tags["x"] = std::string(257, 'v'); }},
      {"RunTask tags",
       [](RunTask& r) {
         for (int i = 0; i < 51; ++i) r.tags["k" + std::to_string(i)] = "";
       }},
      {"RunTask startedBy", [](RunTask& r) { r.started_by = std::string(129, 'a'); }},
      {"RunTask startedBy", [](RunTask& r) { r.started_by = "a b"; }},
      {"RunTask token", [](RunTask& r) { r.token = std::string(61, 't'); }},
      {"RunTask token", [](RunTask& r) { r.token = "a b"; }},
  };
  Bench bench;
  for (const auto& [where, spoil] : cases) {
    RunTask request = worker_tasks(1);
    spoil(request);
    const Result<StartedTasks> started = bench.start(request);
    ASSERT_FALSE(started) << where;
    EXPECT_EQ(started.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(started.error().where, where) << started.error().text();
  }
  EXPECT_TRUE(bench.requests().empty());
}

TEST(EcsRunTask, TakesWhatIsJustAllowed) {
  Bench bench;
  bench.answer(200, tasks(1, 10));
  RunTask request = worker_tasks(1'000);
  request.network.subnets.resize(16, "s");
  request.network.security_groups.resize(5, "g");
  request.started_by = std::string(128, 'a');
  request.token = std::string(60, 't');
  request.tags[std::string(128, 'k')] = std::string(256, 'v');
  EXPECT_TRUE(bench.start(request));
  EXPECT_EQ(bench.requests().size(), 100u);
  EXPECT_EQ(bench.text(99, "clientToken").size(), 64u);
}

TEST(EcsRunTask, OverridesAreMeasuredInCharactersOfTheirJson) {
  RunTask request = worker_tasks(1);
  request.container = {"worker", {}, {{"TEXT", ""}}};
  const Json body = *parse_json(body_of(request, 1, "t"));
  const std::size_t frame = to_json_text(body.at("overrides")).size();
  std::string& text = request.container.environment["TEXT"];
  for (std::size_t i = 0; i < kOverridesCharactersMax - frame; ++i) text += "ü";
  EXPECT_TRUE(check(request));
  text += "x";
  const Status too_long = check(request);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().text(),
            "RunTask overrides: command and environment of container 'worker' take 8193 characters as JSON; ECS takes "
            "at most 8192: shorten them, or keep what is long in S3 and pass its key");
}

TEST(EcsErrors, MeanWhatTheyMeanForEcs) {
  struct Case {
    int status;
    const char *code, *message;
    ErrorKind kind;
    std::size_t requests;
  };
  using enum ErrorKind;
  constexpr const char* kLimit = "You've reached the limit on the number of vCPUs you can run concurrently";
  const Case cases[] = {
      {400, "ClusterNotFoundException", "", not_found, 1},
      {400, "InvalidParameterException", "", bad_input, 1},
      {400, "ClientException", "Unable to describe task definition.", bad_input, 1},
      {400, "ClientException", "Capacity is unavailable at this time.", unavailable, 1},
      {400, "ClientException", kLimit, quota, 1},
      {400, "AccessDeniedException", "", denied, 1},
      {400, "BlockedException", "", denied, 1},
      {400, "ConflictException", "", already_exists, 1},
      {400, "UnsupportedFeatureException", "", bad_input, 1},
      {400, "PlatformUnknownException", "", bad_input, 1},
      {400, "PlatformTaskDefinitionIncompatibilityException", "", bad_input, 1},
      {400, "LimitExceededException", "", quota, 3},
      {400, "ThrottlingException", "Rate exceeded", throttled, 3},
      {400, "InvalidParameterException", "Request limit exceeded. (ErrorCode: RequestLimitExceeded)", throttled, 3},
      {500, "ServerException", "", unavailable, 3},
  };
  for (const Case& c : cases) {
    Bench bench({.tries_max = 3, .base_ms = 0, .also = {}, .check = {}});
    bench.refuse(c.code, c.message, c.status);
    const Result<std::vector<std::string>> listed = bench.run(bench.ecs.list_tasks({.cluster = "palette"}));
    ASSERT_FALSE(listed) << c.code;
    EXPECT_EQ(listed.error().kind, c.kind) << c.code << ": " << listed.error().text();
    EXPECT_EQ(bench.requests().size(), c.requests) << c.code;
  }
}

TEST(EcsErrors, ACancelledCallStaysCancelled) {
  ServiceFailure failure;
  failure.error = Error{ErrorKind::cancelled, "cancelled before another try; the last one: LimitExceededException"};
  failure.code = "LimitExceededException";
  EXPECT_EQ(ecs_error(failure), failure.error);
}

}  // namespace
}  // namespace palette::aws
