// ECS against moto, by itself and through the fault proxy. Moto knows no client tokens, no capacity and no MISSING:
// those are ecs_test.cc's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "aws/ecs_test_parts.h"
#include "aws/xml_element.h"
#include "base/ids.h"
#include "support/stand_in.h"

namespace palette::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

constexpr const char* kTaskDefinition = R"({"family":"worker","networkMode":"awsvpc","cpu":"256","memory":"512",
  "requiresCompatibilities":["FARGATE"],"containerDefinitions":[{"name":"worker","image":"worker","memory":512}]})";

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "" : std::string(to_string(result.error().kind)) + ": " + result.error().text();
}

class EcsMoto : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto started = testing::StandIn::moto();
    if (!started && started.error().kind == ErrorKind::not_found) GTEST_SKIP() << started.error().text();
    ASSERT_TRUE(started) << error_of(started);
    moto_ = *started;
    ecs_ = ecs_at(moto_->url());
    make("CreateCluster", R"({"clusterName":")" + cluster_ + R"(","capacityProviders":["FARGATE_SPOT"]})");
    make("RegisterTaskDefinition", kTaskDefinition);
    const std::string vpc = made("Action=CreateVpc&CidrBlock=10.7.0.0%2F16", "vpcId");
    // Without host names moto fails on the name of the task's network interface.
    made("Action=ModifyVpcAttribute&EnableDnsHostnames.Value=true&VpcId=" + vpc, "return");
    const std::string subnet = made("Action=CreateSubnet&CidrBlock=10.7.1.0%2F24&VpcId=" + vpc, "subnetId");
    const std::string group =
        made("Action=CreateSecurityGroup&GroupName=palette&GroupDescription=palette&VpcId=" + vpc, "groupId");
    network_ = {{subnet}, {group}, true};
  }

  std::shared_ptr<Ecs> ecs_at(const std::string& url) {
    return std::make_shared<Ecs>(service_at(loop_, kEcsName, url), system_clock(), quick_rules());
  }
  // What the tests need in ECS, but the product does not make.
  void make(const std::string& operation, std::string body) {
    ServiceRequest request;
    request.path = "/";
    request.headers.add("content-type", "application/x-amz-json-1.1");
    request.headers.add("x-amz-target", "AmazonEC2ContainerServiceV20141113." + operation);
    request.body = std::move(body);
    const ServiceOutcome answer = run(service_at(loop_, kEcsName, moto_->url())->call(std::move(request)));
    ASSERT_TRUE(answer) << answer.error().error.text();
  }
  // And in EC2: the id of what was made.
  std::string made(std::string form, std::string_view id) {
    ServiceRequest request;
    request.path = "/";
    request.headers.add("content-type", "application/x-www-form-urlencoded");
    request.body = std::move(form) + "&Version=2016-11-15";
    const ServiceOutcome answer = run(service_at(loop_, {"ec2", "ec2", "EC2"}, moto_->url())->call(std::move(request)));
    EXPECT_TRUE(answer) << answer.error().error.text();
    return answer ? xml_element(answer->body, id).value_or("") : "";
  }

  RunTask request(std::int64_t count, const std::string& started_by) const {
    RunTask out = worker_tasks(count);
    out.cluster = cluster_;
    out.task_definition = "worker";
    out.network = network_;
    out.cpu_units = 512;
    out.memory_mib = 1'024;
    out.container = {"worker", {"plot-palette", "worker", "--once"}, {{"JOB", "j1"}}};
    out.tags = {{"application", "plot-palette"}, {"job-id", "j1"}};
    out.started_by = started_by;
    return out;
  }

  template <class T>
  T run(async::Task<T> task) {
    return loop_.run(std::move(task));
  }

  async::EventLoop loop_;
  std::string cluster_ = "palette-" + random_hex_id().substr(0, 16);
  TaskNetwork network_;
  std::shared_ptr<testing::StandIn> moto_;
  std::shared_ptr<Ecs> ecs_;
};

std::vector<std::string> arns_of(const std::vector<EcsTask>& tasks) {
  std::vector<std::string> arns;
  for (const EcsTask& task : tasks) arns.push_back(task.arn);
  return arns;
}

TEST_F(EcsMoto, TasksAreStartedSeenAndStopped) {
  const Result<StartedTasks> started = run(ecs_->run_task(request(12, "one")));
  ASSERT_TRUE(started) << error_of(started);
  ASSERT_FALSE(started->error) << started->error->text();
  EXPECT_EQ(started->missing, 0);
  EXPECT_THAT(started->refusals, IsEmpty());
  ASSERT_EQ(started->tasks.size(), 12u);
  EXPECT_EQ(started->tasks[0].last_status, "RUNNING");
  ASSERT_TRUE(run(ecs_->run_task(request(1, "two"))));
  const std::vector<std::string> arns = arns_of(started->tasks);
  EXPECT_EQ(std::set<std::string>(arns.begin(), arns.end()).size(), 12u);

  const auto listed = run(ecs_->list_tasks({.cluster = cluster_, .started_by = "one"}));
  ASSERT_TRUE(listed) << error_of(listed);
  EXPECT_THAT(*listed, UnorderedElementsAreArray(arns));
  EXPECT_EQ(run(ecs_->list_tasks({.cluster = cluster_})).value().size(), 13u);
  EXPECT_EQ(run(ecs_->list_tasks({.cluster = cluster_}, 12)).error().kind, ErrorKind::too_large);

  const Result<DescribedTasks> described = run(ecs_->describe_tasks(cluster_, {arns[0], arns[11]}));
  ASSERT_TRUE(described) << error_of(described);
  ASSERT_EQ(described->tasks.size(), 2u);
  for (const EcsTask& task : described->tasks) {
    EXPECT_EQ(task.desired_status, "RUNNING");  // moto's last_status goes on at each look
    EXPECT_EQ(task.started_by, "one");
    EXPECT_EQ(task.capacity_provider, "FARGATE_SPOT");
    EXPECT_EQ(task.tags.at("job-id"), "j1");
    EXPECT_THAT(task.task_definition_arn, HasSubstr("task-definition/worker:"));
  }

  const Result<EcsTask> stopped = run(ecs_->stop_task(cluster_, arns[0], "cancelled"));
  ASSERT_TRUE(stopped) << error_of(stopped);
  EXPECT_EQ(stopped->arn, arns[0]);
  EXPECT_EQ(stopped->desired_status, "STOPPED");
  EXPECT_EQ(stopped->stopped_reason, "cancelled");
  const auto left = run(ecs_->list_tasks({.cluster = cluster_, .started_by = "one", .stopped = true}));
  ASSERT_TRUE(left) << error_of(left);
  EXPECT_EQ(*left, std::vector<std::string>{arns[0]});
}

TEST_F(EcsMoto, WhatIsNotThereIsTold) {
  RunTask nowhere = request(1, "x");
  nowhere.cluster = "no-such-cluster";
  EXPECT_EQ(run(ecs_->run_task(nowhere)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(ecs_->list_tasks({.cluster = "no-such-cluster"})).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(ecs_->describe_tasks("no-such-cluster", {"t"})).error().kind, ErrorKind::not_found);
  RunTask nothing = request(1, "x");
  nothing.task_definition = "no-such-definition";
  const Result<StartedTasks> refused = run(ecs_->run_task(nothing));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(refused.error().message, HasSubstr("Unable to describe task definition"));
}

// Looking changes nothing: it comes through whatever befalls the answers.
TEST_F(EcsMoto, LooksThroughFaults) {
  const Result<StartedTasks> started = run(ecs_->run_task(request(3, "one")));
  ASSERT_TRUE(started) << error_of(started);
  ASSERT_EQ(started->tasks.size(), 3u);
  const std::vector<std::string> arns = arns_of(started->tasks);
  const auto proxy = testing::StandIn::fault_proxy(
      *moto_, {"--seed", "5", "--fault", "cut_after=0.2", "--fault", "half=0.2", "--fault", "500_after=0.2"});
  ASSERT_TRUE(proxy) << error_of(proxy);
  const std::shared_ptr<Ecs> faulty = ecs_at((*proxy)->url());
  for (int i = 0; i < 10; ++i) {
    const auto listed = run(faulty->list_tasks({.cluster = cluster_, .started_by = "one"}));
    ASSERT_TRUE(listed) << error_of(listed);
    EXPECT_THAT(*listed, UnorderedElementsAreArray(arns));
  }
  const std::string stats = (*proxy)->ask("GET", "/_proxy/stats").value();
  EXPECT_THAT(stats, HasSubstr("\"cut_after\":")) << "nothing was cut";
}

}  // namespace
}  // namespace palette::aws
