// What DynamoDB answers, read: pages, unprocessed writes, and what a refusal means. Only dynamodb.cc uses it.
#pragma once

#include <vector>

#include "aws/dynamodb.h"

namespace palette::aws {

// corrupt when the body is not what the checksum beside it says (x-amz-crc32).
Status check_crc(const http::Response& response);

// Is it worth another try, beyond what every service has: a conflict with another transaction, our own transaction
// still in progress?
bool is_conflict(const ServiceFailure& failure);

DynamoFailure dynamo_failure(RetriedOutcome outcome);
// Of an answer that cannot be read.
DynamoFailure unreadable(const Error& error, std::string_view operation);

// {"Attributes": …} or {"Item": …}: none when the member is absent.
Result<std::optional<DynamoItem>> item_member(const Json& answer, std::string_view name);
Result<ItemPage> page_from(const Json& answer);
Result<std::vector<BatchWrite>> unprocessed_from(const Json& answer);

}  // namespace palette::aws
