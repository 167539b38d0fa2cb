// What a worker costs beside models: the task's processors and memory by the second, requests to S3 and DynamoDB.
// On-demand prices are taken: what Spot takes is never more.
#pragma once

#include <memory>

#include "aws/dynamodb.h"
#include "aws/ecs_metadata.h"
#include "aws/s3.h"
#include "base/time.h"
#include "generate/ledger.h"
#include "job/catalogue.h"

namespace palette::worker {

struct MeteredParts {
  std::optional<aws::TaskInfo> task = {};  // none: off ECS compute costs nothing
  job::InfrastructurePrices prices = {};
  std::shared_ptr<aws::DynamoDb> dynamodb = {};  // null: not counted
  std::shared_ptr<aws::S3> s3 = {};
};

class InfrastructureMeter {
 public:
  // `clock` must outlive it.
  InfrastructureMeter(MeteredParts parts, const Clock& clock);

  // Of the time from here on: what came before belongs to nobody.
  void begin();
  // Since begin() or the last take(), and for compute until `ahead_ms` from now, so that what is to come is paid
  // before.
  generate::Infrastructure take(std::int64_t ahead_ms);
  Money compute_cost(std::int64_t duration_ms) const;

 private:
  struct Requests {
    std::int64_t puts = 0, gets = 0, dynamodb = 0;
  };
  Requests requests() const;

  MeteredParts parts_;
  const Clock& clock_;
  std::int64_t paid_until_ms_ = 0;  // by the monotonic clock
  Requests paid_;
};

}  // namespace palette::worker
