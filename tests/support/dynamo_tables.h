// For tests: the four tables made anew in DynamoDB Local, and a store on them, also through what loses answers.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "aws/dynamo_test_parts.h"
#include "base/ids.h"
#include "contract/await.h"
#include "store/aws/dynamo_job_store.h"
#include "support/stand_in.h"

namespace palette::store {

// A table with a partition key and, perhaps, a sort key; each "name:type", as in "version:N".
inline std::string create_table_body(const std::string& table, const std::vector<std::string>& keys) {
  JsonArray attributes, schema;
  for (const std::string& key : keys) {
    const std::string name = key.substr(0, key.find(':'));
    attributes.push_back(JsonObject{{"AttributeName", name}, {"AttributeType", key.substr(key.find(':') + 1)}});
    schema.push_back(JsonObject{{"AttributeName", name}, {"KeyType", schema.empty() ? "HASH" : "RANGE"}});
  }
  return to_json_text(JsonObject{{"TableName", table},
                                 {"AttributeDefinitions", std::move(attributes)},
                                 {"KeySchema", std::move(schema)},
                                 {"BillingMode", "PAY_PER_REQUEST"}});
}

// Tables of their own for one test, named with a random suffix.
inline DynamoTables create_tables(aws::DynamoDb& dynamodb) {
  const std::string suffix = "-" + random_hex_id().substr(0, 12);
  DynamoTables tables{"Jobs" + suffix, "Queue" + suffix, "Templates" + suffix, "CostTracking" + suffix};
  const std::pair<std::string, std::vector<std::string>> all[] = {{tables.jobs, {"job_id:S"}},
                                                                  {tables.queue, {"status:S", "position:S"}},
                                                                  {tables.templates, {"template_id:S", "version:N"}},
                                                                  {tables.costs, {"job_id:S", "timestamp:S"}}};
  for (const auto& [table, keys] : all) {
    const auto made = contract::await(dynamodb.call("CreateTable", create_table_body(table, keys)));
    if (!made) throw std::runtime_error(made.error().error.text());
  }
  return tables;
}

inline void skip(const std::string& why) { GTEST_SKIP() << why; }

// DynamoDB Local and fresh tables in it. Where it is not installed the test that makes one is skipped, and `url` is
// empty.
struct DynamoTestTables {
  DynamoTestTables() {
    const auto started = testing::StandIn::dynamodb_local();
    if (!started) {
      if (started.error().kind != ErrorKind::not_found) throw std::runtime_error(started.error().text());
      skip(started.error().text());
      return;
    }
    stand_in = *started;
    url = stand_in->url();
    dynamodb = aws::dynamodb_at(contract::process_loop(), url);
    tables = create_tables(*dynamodb);
  }

  std::shared_ptr<testing::StandIn> stand_in;
  std::string url;
  std::shared_ptr<aws::DynamoDb> dynamodb;
  DynamoTables tables;
};

}  // namespace palette::store
