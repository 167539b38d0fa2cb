// The stores in AWS, put together from what the environment says: names of tables, bucket and cluster as the task
// definition of the workers has them, endpoints and credentials as everywhere (aws/service.h).
//
//   Result<AwsNames> names = aws_names_of(environment);
//   Result<AwsStores> stores = open_aws_stores(*names, parts);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/blocking.h"
#include "aws/credentials.h"
#include "aws/dynamodb.h"
#include "aws/environment.h"
#include "aws/s3.h"
#include "http/client.h"
#include "store/aws/dynamo_job_store.h"
#include "store/aws/s3_object_store.h"

namespace palette::store {

struct AwsNames {
  std::string region;   // AWS_REGION, AWS_DEFAULT_REGION, or the profile's
  DynamoTables tables;  // JOBS_TABLE_NAME, QUEUE_TABLE_NAME, TEMPLATES_TABLE_NAME, COST_TRACKING_TABLE_NAME
  std::string bucket;   // BUCKET_NAME
  std::string cluster;  // ECS_CLUSTER_NAME
};

// bad_input names everything that is missing at once, and what sets it. ECS_CLUSTER_NAME is asked for only with
// `with_cluster`; `also` are variables besides that the caller cannot do without.
Result<AwsNames> aws_names_of(const aws::Environment& environment, bool with_cluster,
                              const std::vector<std::string>& also = {});

struct AwsStoreParts {
  aws::Environment environment;  // of endpoints
  std::shared_ptr<http::Client> http;
  std::shared_ptr<aws::CredentialProvider> credentials;
  const Clock* clock = nullptr;                         // must outlive the stores
  async::BlockingPool* pool = nullptr;                  // likewise
  std::int64_t patience_ms = 60'000;                    // how long a call is tried again while a service is away
  std::function<void(const Error&)> on_set_aside = {};  // a queue item that cannot be read
};

struct AwsStores {
  std::shared_ptr<aws::DynamoDb> dynamodb;
  std::shared_ptr<aws::S3> s3;
  std::unique_ptr<DynamoJobStore> jobs;
  std::unique_ptr<S3ObjectStore> objects;
};

// bad_input for an endpoint that is no URL.
Result<AwsStores> open_aws_stores(const AwsNames& names, const AwsStoreParts& parts);

}  // namespace palette::store
