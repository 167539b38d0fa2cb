#include "aws/ecs_metadata.h"

#include <gtest/gtest.h>

#include "aws/test_parts.h"
#include "base/json.h"

namespace palette::aws {
namespace {

constexpr std::string_view kTaskArn =
    "arn:aws:ecs:eu-north-1:123456789012:task/plot-palette/158d1c8083dd49d6b527399fd6414f5c";

// As plot-palette-sim answers (sim/metadata_endpoints.cc).
JsonObject as_the_sim() {
  const JsonObject container = {{"DockerId", "158d1c8083dd49d6b527399fd6414f5c-1"},
                                {"Name", "plot-palette"},
                                {"DesiredStatus", "RUNNING"},
                                {"KnownStatus", "RUNNING"},
                                {"Limits", JsonObject{{"CPU", 256}, {"Memory", 512}}},
                                {"Type", "NORMAL"}};
  return {{"Cluster", "arn:aws:ecs:eu-north-1:123456789012:cluster/plot-palette"},
          {"TaskARN", kTaskArn},
          {"Family", "plot-palette"},
          {"Revision", "1"},
          {"DesiredStatus", "RUNNING"},
          {"KnownStatus", "RUNNING"},
          {"Limits", JsonObject{{"CPU", 0.25}, {"Memory", 512}}},
          {"AvailabilityZone", "eu-north-1a"},
          {"LaunchType", "FARGATE"},
          {"ClockDrift", JsonObject{{"ClockErrorBound", 0.5}, {"ClockSynchronizationStatus", "SYNCHRONIZED"}}},
          {"Containers", JsonArray{container}}};
}

JsonObject container(const char* type, const char* started_at) { return {{"Type", type}, {"StartedAt", started_at}}; }

Result<TaskInfo> read(const JsonObject& task) { return task_info_from(to_json_text(task)); }

struct EcsTaskWorld : World {
  EcsTaskWorld() { environment.variables["ECS_CONTAINER_METADATA_URI_V4"] = url() + "/v4/some-id"; }
  Result<std::optional<TaskInfo>> ask() { return run(task_info(environment, client)); }
};

TEST(EcsMetadata, OffEcsThereIsNone) {
  World world;
  const Result<std::optional<TaskInfo>> task = world.run(task_info(world.environment, world.client));
  ASSERT_TRUE(task);
  EXPECT_FALSE(*task);
  EXPECT_TRUE(world.requests().empty());
}

TEST(EcsMetadata, TellsWhatTheTaskIs) {
  EcsTaskWorld world;
  world.answer(200, to_json_text(as_the_sim()));
  const Result<std::optional<TaskInfo>> task = world.ask();
  ASSERT_TRUE(task) << task.error().text();
  ASSERT_TRUE(*task);
  ASSERT_EQ(world.requests().size(), 1u);
  EXPECT_EQ(world.requests()[0].method, "GET");
  EXPECT_EQ(world.requests()[0].target, "/v4/some-id/task");
  EXPECT_EQ((*task)->arn, kTaskArn);
  EXPECT_EQ((*task)->id(), "158d1c8083dd49d6b527399fd6414f5c");
  EXPECT_EQ((*task)->cluster, "arn:aws:ecs:eu-north-1:123456789012:cluster/plot-palette");
  EXPECT_EQ((*task)->family, "plot-palette");
  EXPECT_EQ((*task)->revision, "1");
  EXPECT_EQ((*task)->vcpu_thousandths, 250);
  EXPECT_EQ((*task)->memory_mib, 512);
  EXPECT_EQ((*task)->availability_zone, "eu-north-1a");
  EXPECT_EQ((*task)->region, "eu-north-1");
  EXPECT_EQ((*task)->launch_type, "FARGATE");
  EXPECT_FALSE((*task)->pull_started_at);
  EXPECT_FALSE((*task)->started_at);
}

TEST(EcsMetadata, ReadsWhenItBegan) {
  JsonObject task = as_the_sim();
  task["PullStartedAt"] = "2026-11-24T12:00:00.202617438Z";
  task["Containers"] =
      JsonArray{container("CNI_PAUSE", "2026-11-24T11:59:00Z"), container("NORMAL", "2026-11-24T12:00:31.5Z"),
                container("NORMAL", "2026-11-24T12:00:30.25Z")};
  const Result<TaskInfo> info = read(task);
  ASSERT_TRUE(info) << info.error().text();
  EXPECT_EQ(info->pull_started_at->to_iso(), "2026-11-24T12:00:00.202Z");
  EXPECT_EQ(info->started_at->to_iso(), "2026-11-24T12:00:30.250Z");
}

TEST(EcsMetadata, TakesWholeCpusAndTasksWithoutLimits) {
  JsonObject task = as_the_sim();
  task["Limits"] = JsonObject{{"CPU", 4}, {"Memory", 8192}};
  EXPECT_EQ(read(task)->vcpu_thousandths, 4'000);
  task.erase("Limits");
  task.erase("Containers");
  const Result<TaskInfo> info = read(task);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->vcpu_thousandths, 0);
  EXPECT_EQ(info->memory_mib, 0);
}

TEST(EcsMetadata, AnotherAddressMayEndWithASlash) {
  EcsTaskWorld world;
  world.environment.variables["ECS_CONTAINER_METADATA_URI_V4"] = world.url() + "/v4/x/";
  world.answer(200, to_json_text(as_the_sim()));
  ASSERT_TRUE(world.ask());
  EXPECT_EQ(world.requests()[0].target, "/v4/x/task");
}

TEST(EcsMetadata, WhatIsNoAnswerIsCorrupt) {
  for (const char* body :
       {"", "no JSON", "[]", "{}", R"({"TaskARN":7})", R"({"TaskARN":"x"})", R"({"TaskARN":"arn:aws:ecs::1:task/a"})",
        R"({"TaskARN":"arn:aws:ecs:r:1:service/a"})", R"({"TaskARN":"arn:aws:ecs:r:1:task/"})"}) {
    EcsTaskWorld world;
    world.answer(200, body);
    const Result<std::optional<TaskInfo>> task = world.ask();
    ASSERT_FALSE(task) << body;
    EXPECT_EQ(task.error().kind, ErrorKind::corrupt) << body;
    EXPECT_EQ(task.error().where, "task metadata");
    EXPECT_EQ(world.requests().size(), 1u);
  }
}

TEST(EcsMetadata, EveryMemberIsReadStrictly) {
  const std::pair<const char*, Json> wrong[] = {
      {"Family", 1},
      {"Limits", 1},
      {"Limits", JsonObject{{"CPU", "0.25"}}},
      {"Limits", JsonObject{{"CPU", -1}}},
      {"Limits", JsonObject{{"Memory", 1e300}}},
      {"PullStartedAt", "yesterday"},
      {"Containers", JsonObject()},
      {"Containers", JsonArray{7}},
      {"Containers", JsonArray{container("NORMAL", "12:00")}},
  };
  for (const auto& [name, value] : wrong) {
    JsonObject task = as_the_sim();
    task[name] = value;
    const Result<TaskInfo> info = read(task);
    ASSERT_FALSE(info) << name << " " << to_json_text(value);
    EXPECT_EQ(info.error().kind, ErrorKind::corrupt);
  }
  JsonObject task = as_the_sim();
  task["PullStartedAt"] = "yesterday";
  EXPECT_EQ(read(task).error().text(), "task metadata: 'PullStartedAt' is not a time such as 2026-11-24T12:00:00.123Z");
}

TEST(EcsMetadata, TriesThreeTimesWhatMayPass) {
  EcsTaskWorld world;
  world.answer(503, "");
  world.cut();
  world.answer(200, to_json_text(as_the_sim()));
  const Result<std::optional<TaskInfo>> task = world.ask();
  EXPECT_TRUE(task) << task.error().text();
  EXPECT_EQ(world.requests().size(), 3u);

  EcsTaskWorld away;
  away.answer(429, "");
  const Result<std::optional<TaskInfo>> none = away.ask();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::throttled);
  EXPECT_EQ(none.error().text(), "ECS_CONTAINER_METADATA_URI_V4: the task metadata endpoint answered HTTP 429");
  EXPECT_EQ(away.requests().size(), 3u);
}

TEST(EcsMetadata, ARefusalIsNotAskedAgain) {
  EcsTaskWorld world;
  world.answer(404, "404 - Not Found");
  const Result<std::optional<TaskInfo>> task = world.ask();
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().kind, ErrorKind::not_found);
  EXPECT_EQ(world.requests().size(), 1u);
  world.environment.variables["ECS_CONTAINER_METADATA_URI_V4"] = "not a url";
  EXPECT_EQ(world.ask().error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace palette::aws
