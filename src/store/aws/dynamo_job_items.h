// Items of the DynamoDB tables and the structs of job_store.h. Names are DESIGN.md section 5's; money is a number of
// dollars, exact; times are ISO texts; texts that are empty and optional values that are none are absent.
//
//   Jobs          job_id | name, status, num_records, budget_limit, … | config {the spec's short fields}
//                 parts {n: attempt, slice_no, last_slice, records, failed, tokens, cost, fruitless, last_cause}
//                 kept by the store alone: owners {n: attempt, held, report_no, mark}, positions (SS), put_mark
//   Queue         status, position | job_id, part, kind, attempt, task_arn, lease_expires_at, …, claim_id
//   Templates     template_id, version (N) | name, template_definition, created_at
//   CostTracking  job_id, timestamp | the row's fields; amounts are numbers, ttl is in epoch seconds
//
// Read leniently, for what others wrote: a job may have nothing but its id and a `config` {template_id,
// seed_data_path, num_records, output_format, partition_strategy}, numbers may be texts, a template's definition a map.
#pragma once

#include <string>
#include <vector>

#include "aws/dynamo_attribute.h"
#include "store/job_store.h"

namespace palette::store {

// Without what the store keeps for itself.
aws::DynamoItem to_item(const JobItem& job);
aws::DynamoItem to_item(const PartProgress& part);
aws::DynamoItem to_item(const QueueItem& item);
aws::DynamoItem to_item(const TemplateItem& item);
aws::DynamoItem to_item(const CostRow& row);

// Attributes of a job that to_item() leaves out when they are empty.
extern const std::vector<std::string> kOptionalJobAttributes;

// corrupt, naming table, key and attribute, when a value cannot be read.
Result<JobItem> job_from(const aws::DynamoItem& item);
Result<QueueItem> queue_item_from(const aws::DynamoItem& item);
Result<TemplateItem> template_from(const aws::DynamoItem& item);
Result<CostRow> cost_row_from(const aws::DynamoItem& item);

// The keys.
aws::DynamoItem job_key(const JobId& id);
aws::DynamoItem queue_key(QueueStatus status, const QueuePosition& position);

// Every item as a struct; the first that cannot be read is the error.
template <class Item>
Result<std::vector<Item>> all_from(const std::vector<aws::DynamoItem>& items,
                                   Result<Item> (*item_from)(const aws::DynamoItem&)) {
  std::vector<Item> out;
  out.reserve(items.size());
  for (const aws::DynamoItem& item : items) {
    Result<Item> read = item_from(item);
    if (!read) return std::unexpected(read.error());
    out.push_back(std::move(*read));
  }
  return out;
}

}  // namespace palette::store
