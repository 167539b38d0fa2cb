// Looking at tasks, and stopping them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/ecs_test_parts.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

using ::testing::ElementsAre;

struct Bench : World {
  Bench() : ecs(service_at(loop, kEcsName, url(), clock), clock, {.base_ms = 0, .also = {}, .check = {}}) {}

  std::string target(std::size_t request) const {
    return std::string(requests().at(request).headers.get("x-amz-target"));
  }
  Result<DescribedTasks> describe(std::vector<std::string> tasks) {
    return run(ecs.describe_tasks("palette", std::move(tasks)));
  }
  Result<std::vector<std::string>> list(ListTasks request, std::size_t tasks_max = 100) {
    return run(ecs.list_tasks(std::move(request), tasks_max));
  }

  Ecs ecs;
};

TEST(EcsDescribeTasks, TellsAllOfATask) {
  Bench bench;
  bench.answer(200, R"({"failures":[],"tasks":[{"taskArn":"arn/1","taskDefinitionArn":"arn/worker:3",
    "lastStatus":"STOPPED","desiredStatus":"STOPPED","stopCode":"SpotInterruption",
    "stoppedReason":"Your Spot Task was interrupted.","startedBy":"plot-palette","capacityProviderName":"FARGATE_SPOT",
    "availabilityZone":"us-east-1a","cpu":"1024","memory":"2048","createdAt":1764000000.123,
    "pullStartedAt":1.764000001E9,"startedAt":1764000030,"stoppedAt":null,
    "containers":[{"name":"worker","lastStatus":"STOPPED","exitCode":137,"reason":"killed"},{"name":"log"}],
    "tags":[{"key":"job-id","value":"j1"}]}]})");
  const Result<DescribedTasks> described = bench.describe({"arn/1"});
  ASSERT_TRUE(described) << described.error().text();
  EXPECT_EQ(bench.target(0), "AmazonEC2ContainerServiceV20141113.DescribeTasks");
  EXPECT_EQ(bench.requests()[0].body, R"({"cluster":"palette","tasks":["arn/1"],"include":["TAGS"]})");
  ASSERT_EQ(described->tasks.size(), 1u);
  const EcsTask& task = described->tasks[0];
  EXPECT_EQ(task.arn, "arn/1");
  EXPECT_EQ(task.task_definition_arn, "arn/worker:3");
  EXPECT_EQ(task.last_status, "STOPPED");
  EXPECT_EQ(task.desired_status, "STOPPED");
  EXPECT_EQ(task.stop_code, "SpotInterruption");
  EXPECT_EQ(task.stopped_reason, "Your Spot Task was interrupted.");
  EXPECT_EQ(task.started_by, "plot-palette");
  EXPECT_EQ(task.capacity_provider, "FARGATE_SPOT");
  EXPECT_EQ(task.availability_zone, "us-east-1a");
  EXPECT_EQ(task.cpu_units, 1'024);
  EXPECT_EQ(task.memory_mib, 2'048);
  EXPECT_EQ(task.created_at->unix_ms, 1'764'000'000'123);
  EXPECT_EQ(task.pull_started_at->unix_ms, 1'764'000'001'000);
  EXPECT_EQ(task.started_at->unix_ms, 1'764'000'030'000);
  EXPECT_FALSE(task.stopped_at);
  ASSERT_EQ(task.containers.size(), 2u);
  EXPECT_EQ(task.containers[0].exit_code, 137);
  EXPECT_EQ(task.containers[0].reason, "killed");
  EXPECT_FALSE(task.containers[1].exit_code);
  EXPECT_EQ(task.tags.at("job-id"), "j1");
}

TEST(EcsDescribeTasks, MissingIsToldApart) {
  Bench bench;
  bench.answer(200, R"({"tasks":[{"taskArn":"arn/1"}],"failures":[{"arn":"arn/2","reason":"MISSING"},)"
                    R"({"arn":"arn/3","reason":"OTHER"}]})");
  const Result<DescribedTasks> described = bench.describe({"arn/1", "arn/2", "arn/3"});
  ASSERT_TRUE(described) << described.error().text();
  EXPECT_EQ(described->tasks.size(), 1u);
  EXPECT_THAT(described->missing, ElementsAre("arn/2"));
  ASSERT_EQ(described->refusals.size(), 1u);
  EXPECT_EQ(described->refusals[0].arn, "arn/3");
}

TEST(EcsDescribeTasks, AsksForAHundredAtATime) {
  Bench bench;
  bench.answer(200, R"({"tasks":[{"taskArn":"arn/x"}]})");
  std::vector<std::string> tasks;
  for (int i = 0; i < 250; ++i) tasks.push_back("arn/" + std::to_string(i));
  const Result<DescribedTasks> described = bench.describe(tasks);
  ASSERT_TRUE(described);
  EXPECT_EQ(described->tasks.size(), 3u);
  std::vector<std::string> asked;
  std::vector<std::size_t> sizes;
  for (const http::ServerRequest& sent : bench.requests()) {
    const Json body = *parse_json(sent.body);
    sizes.push_back(body.at("tasks").as_array().size());
    for (const Json& arn : body.at("tasks").as_array()) asked.emplace_back(arn.as_string());
  }
  EXPECT_THAT(sizes, ElementsAre(100, 100, 50));
  EXPECT_EQ(asked, tasks);
  ASSERT_TRUE(bench.describe({}));
  EXPECT_EQ(bench.requests().size(), 3u);
}

TEST(EcsDescribeTasks, WhatCannotBeReadIsCorrupt) {
  for (const char* body :
       {"", "[]", R"({"tasks":{}})", R"({"tasks":[1]})", R"({"tasks":[{"lastStatus":"RUNNING"}]})", R"({"failures":7})",
        R"({"tasks":[{"taskArn":"a","createdAt":"noon"}]})", R"({"tasks":[{"taskArn":"a","startedAt":1e300}]})",
        R"({"tasks":[{"taskArn":"a","containers":[7]}]})", R"({"tasks":[{"taskArn":"a","tags":{}}]})"}) {
    Bench bench;
    bench.answer(200, body);
    const Result<DescribedTasks> described = bench.describe({"a"});
    ASSERT_FALSE(described) << body;
    EXPECT_EQ(described.error().kind, ErrorKind::corrupt) << body;
  }
}

TEST(EcsListTasks, ReadsAllPages) {
  Bench bench;
  bench.answer(200, R"({"taskArns":["a","b"],"nextToken":"p2"})");
  bench.answer(200, R"({"taskArns":[],"nextToken":"p3"})");
  bench.answer(200, R"({"taskArns":["c"]})");
  const auto listed = bench.list({.cluster = "palette", .started_by = "plot-palette", .stopped = true});
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_THAT(*listed, ElementsAre("a", "b", "c"));
  ASSERT_EQ(bench.requests().size(), 3u);
  EXPECT_EQ(bench.target(0), "AmazonEC2ContainerServiceV20141113.ListTasks");
  EXPECT_EQ(bench.requests()[0].body, R"({"cluster":"palette","startedBy":"plot-palette","desiredStatus":"STOPPED"})");
  EXPECT_EQ(bench.requests()[2].body,
            R"({"cluster":"palette","startedBy":"plot-palette","desiredStatus":"STOPPED","nextToken":"p3"})");
}

TEST(EcsListTasks, PagesWithoutAnEndAreCorrupt) {
  Bench bench;
  bench.answer(200, R"({"taskArns":[],"nextToken":"again"})");
  EXPECT_EQ(bench.list({.cluster = "palette"}).error().kind, ErrorKind::corrupt);
  EXPECT_EQ(bench.requests().size(), 2u);
}

TEST(EcsListTasks, KeepsToItsMost) {
  Bench bench;
  bench.answer(200, R"({"taskArns":["a","b","c"]})");
  EXPECT_TRUE(bench.list({.cluster = "palette", .family = "worker"}, 3));
  EXPECT_EQ(bench.requests()[0].body, R"({"cluster":"palette","family":"worker","desiredStatus":"RUNNING"})");
  EXPECT_EQ(bench.list({.cluster = "palette"}, 2).error().kind, ErrorKind::too_large);
}

TEST(EcsListTasks, BadInputIsNotSent) {
  Bench bench;
  EXPECT_EQ(bench.list({.cluster = ""}).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(bench.list({.cluster = "c", .family = "f", .started_by = "s"}).error().kind, ErrorKind::bad_input);
  EXPECT_TRUE(bench.requests().empty());
}

TEST(EcsStopTask, GivesTheTask) {
  Bench bench;
  bench.answer(503, "");
  bench.answer(200, R"({"task":{"taskArn":"arn/1","desiredStatus":"STOPPED"}})");
  const Result<EcsTask> stopped = bench.run(bench.ecs.stop_task("palette", "arn/1", "cancelled"));
  ASSERT_TRUE(stopped) << stopped.error().text();
  EXPECT_EQ(stopped->desired_status, "STOPPED");
  EXPECT_EQ(bench.target(1), "AmazonEC2ContainerServiceV20141113.StopTask");
  EXPECT_EQ(bench.requests()[1].body, R"({"cluster":"palette","task":"arn/1","reason":"cancelled"})");
  ASSERT_TRUE(bench.run(bench.ecs.stop_task("palette", "arn/1", "")));
  EXPECT_EQ(bench.requests()[2].body, R"({"cluster":"palette","task":"arn/1"})");
}

TEST(EcsStopTask, TellsWhyNot) {
  const auto stop = [](Bench& bench, std::string cluster = "palette", std::string task = "x") {
    return bench.run(bench.ecs.stop_task(std::move(cluster), std::move(task), ""));
  };
  Bench unknown;
  unknown.answer(400, R"({"__type":"InvalidParameterException","message":"The referenced task was not found."})");
  EXPECT_EQ(stop(unknown).error().kind, ErrorKind::not_found);
  Bench refused;
  refused.answer(400, R"({"__type":"InvalidParameterException","message":"Invalid identifier"})");
  EXPECT_EQ(stop(refused).error().kind, ErrorKind::bad_input);
  Bench unreadable;
  unreadable.answer(200, "{}");
  EXPECT_EQ(stop(unreadable).error().kind, ErrorKind::corrupt);
  Bench unasked;
  EXPECT_EQ(stop(unasked, "").error().kind, ErrorKind::bad_input);
  EXPECT_EQ(stop(unasked, "palette", "").error().kind, ErrorKind::bad_input);
  EXPECT_TRUE(unasked.requests().empty());
}

}  // namespace
}  // namespace palette::aws
