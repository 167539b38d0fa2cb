#include "store/aws/aws_stores.h"

#include <algorithm>
#include <utility>

#include "aws/s3_bucket.h"
#include "aws/service.h"

namespace palette::store {
namespace {

constexpr std::int64_t kShortestRound_ms = 500;  // a try that fails at once, with its pause

// Only the time decides when a call is given up: as many tries as can fall into it.
aws::RetryRules patient(aws::RetryRules rules, std::int64_t patience_ms) {
  rules.patience_ms = patience_ms;
  rules.tries_max = std::max(rules.tries_max, static_cast<int>(patience_ms / kShortestRound_ms));
  return rules;
}

// Takes the variable's value, or notes its name among the missing ones.
std::string taken(const aws::Environment& environment, std::string_view variable, std::vector<std::string>& missing) {
  std::string value(environment.get(variable));
  if (value.empty()) missing.emplace_back(variable);
  return value;
}

}  // namespace

Result<AwsNames> aws_names_of(const aws::Environment& environment, bool with_cluster,
                              const std::vector<std::string>& also) {
  std::vector<std::string> missing;
  AwsNames names;
  names.region = aws::region_of(environment);
  if (names.region.empty()) missing.emplace_back("AWS_REGION");
  names.tables.jobs = taken(environment, "JOBS_TABLE_NAME", missing);
  names.tables.queue = taken(environment, "QUEUE_TABLE_NAME", missing);
  names.tables.templates = taken(environment, "TEMPLATES_TABLE_NAME", missing);
  names.tables.costs = taken(environment, "COST_TRACKING_TABLE_NAME", missing);
  names.bucket = taken(environment, "BUCKET_NAME", missing);
  if (with_cluster) names.cluster = taken(environment, "ECS_CLUSTER_NAME", missing);
  for (const std::string& variable : also) {
    if (environment.get(variable).empty()) missing.push_back(variable);
  }
  if (missing.empty()) return names;
  std::string list;
  for (const std::string& variable : missing) list += (list.empty() ? "" : ", ") + variable;
  return fail(ErrorKind::bad_input,
              "the environment does not say where things are in AWS; not set: " + list +
                  ". The workers' task definition has their values; elsewhere export them, e.g. export " +
                  missing.front() + "=…");
}

Result<AwsStores> open_aws_stores(const AwsNames& names, const AwsStoreParts& parts) {
  const auto dynamodb_at = aws::endpoint_of(aws::kDynamoDbName, names.region, parts.environment);
  if (!dynamodb_at) return std::unexpected(dynamodb_at.error());
  const auto bucket = aws::s3_bucket_of(names.bucket, names.region, parts.environment);
  if (!bucket) return std::unexpected(bucket.error().at("BUCKET_NAME"));
  const aws::ServiceParts service_parts{
      .http = parts.http, .credentials = parts.credentials, .clock = parts.clock, .bearer_token = {}};
  AwsStores stores;
  auto service = std::make_shared<aws::Service>(aws::kDynamoDbName, *dynamodb_at, names.region, service_parts);
  stores.dynamodb = std::make_shared<aws::DynamoDb>(std::move(service), *parts.clock,
                                                    patient(aws::DynamoDb::default_rules(), parts.patience_ms));
  stores.s3 = std::make_shared<aws::S3>(*bucket, service_parts, patient({}, parts.patience_ms));
  stores.jobs = std::make_unique<DynamoJobStore>(stores.dynamodb, names.tables, parts.on_set_aside);
  stores.objects =
      std::make_unique<S3ObjectStore>(S3ObjectStoreParts{.s3 = stores.s3, .pool = parts.pool, .prefix = {}});
  return stores;
}

}  // namespace palette::store
