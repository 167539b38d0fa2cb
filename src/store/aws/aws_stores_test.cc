#include "store/aws/aws_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "store/aws/test_s3_bucket.h"
#include "support/dynamo_tables.h"

namespace palette::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

aws::Environment whole_environment() {
  aws::Environment out;
  out.variables = {{"AWS_REGION", "eu-west-1"},
                   {"JOBS_TABLE_NAME", "Jobs"},
                   {"QUEUE_TABLE_NAME", "Queue"},
                   {"TEMPLATES_TABLE_NAME", "Templates"},
                   {"COST_TRACKING_TABLE_NAME", "CostTracking"},
                   {"BUCKET_NAME", "palette-data"},
                   {"ECS_CLUSTER_NAME", "palette"},
                   {"AWS_CONFIG_FILE", "/dev/null"},
                   {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"}};
  return out;
}

TEST(AwsNames, AreReadFromTheEnvironment) {
  const auto names = aws_names_of(whole_environment(), true);
  ASSERT_TRUE(names) << names.error().text();
  EXPECT_EQ(names->region, "eu-west-1");
  EXPECT_EQ(names->tables.jobs, "Jobs");
  EXPECT_EQ(names->tables.queue, "Queue");
  EXPECT_EQ(names->tables.templates, "Templates");
  EXPECT_EQ(names->tables.costs, "CostTracking");
  EXPECT_EQ(names->bucket, "palette-data");
  EXPECT_EQ(names->cluster, "palette");
}

TEST(AwsNames, EverythingMissingIsNamedAtOnce) {
  aws::Environment environment = whole_environment();
  for (const char* name : {"JOBS_TABLE_NAME", "QUEUE_TABLE_NAME", "TEMPLATES_TABLE_NAME", "COST_TRACKING_TABLE_NAME",
                           "BUCKET_NAME", "ECS_CLUSTER_NAME"})
    environment.variables.erase(name);
  environment.variables["AWS_REGION"] = "";  // set to nothing is not set
  const auto names = aws_names_of(environment, true);
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(names.error().message,
              HasSubstr("not set: AWS_REGION, JOBS_TABLE_NAME, QUEUE_TABLE_NAME, TEMPLATES_TABLE_NAME, "
                        "COST_TRACKING_TABLE_NAME, BUCKET_NAME, ECS_CLUSTER_NAME."));
}

TEST(AwsNames, TheClusterIsAskedForOnlyWhereItIsNeeded) {
  aws::Environment environment = whole_environment();
  environment.variables.erase("ECS_CLUSTER_NAME");
  EXPECT_TRUE(aws_names_of(environment, false));
  const auto names = aws_names_of(environment, true);
  ASSERT_FALSE(names);
  EXPECT_THAT(names.error().message, HasSubstr("not set: ECS_CLUSTER_NAME."));
  EXPECT_THAT(names.error().message, Not(HasSubstr("JOBS_TABLE_NAME")));
  const auto with_more = aws_names_of(environment, true, {"AWS_REGION", "SOME_NAME"});
  ASSERT_FALSE(with_more);
  EXPECT_THAT(with_more.error().message, HasSubstr("not set: ECS_CLUSTER_NAME, SOME_NAME."));
}

AwsStoreParts parts_of(aws::Environment environment, async::BlockingPool& pool) {
  AwsStoreParts parts;
  parts.environment = std::move(environment);
  parts.http =
      std::make_shared<http::Client>(contract::process_loop().context().get_executor(), http::ClientSettings{});
  parts.credentials = std::make_shared<aws::FixedCredentials>();
  parts.clock = &system_clock();
  parts.pool = &pool;
  return parts;
}

TEST(AwsStores, WhatIsNoEndpointOrNoBucketIsTold) {
  async::BlockingPool pool{1};
  aws::Environment environment = whole_environment();
  AwsNames names = aws_names_of(environment, false).value();
  environment.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "no url";
  const auto nowhere = open_aws_stores(names, parts_of(environment, pool));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().where, "AWS_ENDPOINT_URL_DYNAMODB");
  names.bucket = "No Bucket!";
  const auto no_bucket = open_aws_stores(names, parts_of(whole_environment(), pool));
  ASSERT_FALSE(no_bucket);
  EXPECT_EQ(no_bucket.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(no_bucket.error().where, "BUCKET_NAME");
}

TEST(AwsStores, StandOnTheTablesAndTheBucket) {
  const DynamoTestTables tables;
  const S3TestBucket bucket;
  if (tables.url.empty() || bucket.moto == nullptr) return;  // they have said why the test is skipped
  async::BlockingPool pool{1};
  aws::Environment environment = whole_environment();
  environment.variables["AWS_ENDPOINT_URL_DYNAMODB"] = tables.url;
  environment.variables["AWS_ENDPOINT_URL_S3"] = bucket.moto->url();
  AwsNames names = aws_names_of(environment, false).value();
  names.tables = tables.tables;
  names.bucket = bucket.name;
  const auto stores = open_aws_stores(names, parts_of(environment, pool));
  ASSERT_TRUE(stores) << stores.error().text();
  JobItem job;
  job.id = JobId{"j"};
  job.name = "n";
  QueueItem item;
  item.position = QueuePosition::make(5, UtcTime{}, job.id, PartNumber{1});
  item.job = job.id;
  ASSERT_TRUE(contract::await(stores->jobs->create_job(job, {item})));
  EXPECT_EQ(contract::await(stores->jobs->get_job(job.id)).value().name, "n");
  ASSERT_TRUE(contract::await(stores->objects->put("a/b", "text", {})));
  EXPECT_EQ(contract::await(stores->objects->get("a/b")).value().body, "text");
  EXPECT_EQ(stores->objects->location("a/b"), "s3://" + bucket.name + "/a/b");
}

}  // namespace
}  // namespace palette::store
