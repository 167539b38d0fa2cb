#include "aws/dynamodb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "aws/dynamo_test_parts.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

struct Bench : World {
  explicit Bench(int tries_max = 4) {
    RetryRules rules = quick_rules();
    rules.tries_max = tries_max;
    dynamodb = dynamodb_at(loop, url(), rules, clock);
  }

  void refuse(const std::string& code, const std::string& more = "", int status = 400) {
    answer(status, R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + code + R"(","message":"why")" + more + "}");
  }
  // The body of the n-th request.
  Json asked(std::size_t n) { return *parse_json(requests().at(n).body); }
  std::string operation(std::size_t n) { return std::string(requests().at(n).headers.get("x-amz-target")); }

  std::shared_ptr<DynamoDb> dynamodb;
};

DynamoItem key(std::string id = "k") { return {{"id", Attribute::text(id)}}; }

UpdateItem an_update() {
  UpdateItem update{.table = "T", .key = key(), .update = "SET #a = :a"};
  update.condition = "#b = :b";
  update.terms.names = {{"#a", "a"}, {"#b", "b"}};
  update.terms.values = {{":a", Attribute::number(1)}, {":b", Attribute::text("x")}};
  return update;
}

std::vector<TransactAction> a_transaction() {
  std::vector<TransactAction> actions;
  actions.emplace_back(PutItem{.table = "T", .item = key("1")});
  actions.emplace_back(an_update());
  actions.emplace_back(DeleteItem{.table = "T", .key = key("3")});
  actions.emplace_back(ConditionCheck{.table = "T", .key = key("4"), .condition = "attribute_exists(id)"});
  return actions;
}

std::string reasons(std::initializer_list<const char*> codes, const std::string& item = "") {
  std::string out;
  for (const char* code : codes) {
    out += (out.empty() ? "" : ",") + std::string(R"({"Code":")") + code + "\"" +
           (item.empty() || std::string(code) == "None" ? "" : R"(,"Item":)" + item) + "}";
  }
  return R"(,"CancellationReasons":[)" + out + "]";
}

// --- what is asked

TEST(DynamoDb, AsksAsTheApiWants) {
  Bench bench;
  bench.answer(200, R"({"Item":{"id":{"S":"k"},"n":{"N":"1.0"}}})");
  const auto item = bench.run(bench.dynamodb->get_item({.table = "T", .key = key()}));
  ASSERT_TRUE(item) << item.error().error.text();
  EXPECT_EQ(int_of(**item, "n").value(), 1);
  EXPECT_EQ(bench.operation(0), "DynamoDB_20120810.GetItem");
  EXPECT_EQ(bench.requests()[0].headers.get("content-type"), "application/x-amz-json-1.0");
  EXPECT_NE(bench.requests()[0].headers.get("authorization").find("x-amz-target"), std::string_view::npos);
  EXPECT_EQ(bench.requests()[0].body, R"({"TableName":"T","Key":{"id":{"S":"k"}},"ConsistentRead":true})");
  bench.script->replies.clear();
  bench.answer(200, "{}");
  const auto none = bench.run(bench.dynamodb->get_item({.table = "T", .key = key(), .consistent = false}));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_EQ(bench.requests()[1].body, R"({"TableName":"T","Key":{"id":{"S":"k"}}})");
}

TEST(DynamoDb, AConditionalWriteAsksForTheLosersView) {
  Bench bench;
  bench.answer(200, R"({"Attributes":{"a":{"N":"1"}}})");
  UpdateItem update = an_update();
  update.returned = Returned::updated_new;
  const auto done = bench.run(bench.dynamodb->update_item(std::move(update)));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->attributes, (DynamoItem{{"a", Attribute::number(1)}}));
  EXPECT_EQ(bench.requests()[0].body,
            R"({"TableName":"T","Key":{"id":{"S":"k"}},"UpdateExpression":"SET #a = :a",)"
            R"("ConditionExpression":"#b = :b","ReturnValuesOnConditionCheckFailure":"ALL_OLD",)"
            R"("ExpressionAttributeNames":{"#a":"a","#b":"b"},)"
            R"("ExpressionAttributeValues":{":a":{"N":"1"},":b":{"S":"x"}},"ReturnValues":"UPDATED_NEW"})");
}

TEST(DynamoDb, ATransactionHasOneTokenForAllItsTries) {
  Bench bench;
  bench.cut();
  bench.refuse("TransactionInProgressException");
  bench.answer(200, "{}");
  const auto done = bench.run(bench.dynamodb->transact_write(a_transaction()));
  ASSERT_TRUE(done) << done.error().error.text();
  EXPECT_TRUE(done->may_have_worked);
  ASSERT_EQ(bench.requests().size(), 3u);
  const JsonObject first = bench.asked(0).as_object();
  EXPECT_EQ(first.at("ClientRequestToken").as_string().size(), 32u);
  EXPECT_EQ(bench.requests()[1].body, bench.requests()[0].body);
  const JsonArray& actions = first.at("TransactItems").as_array();
  ASSERT_EQ(actions.size(), 4u);
  const char* names[] = {"Put", "Update", "Delete", "ConditionCheck"};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(actions[i].as_object().contains(names[i])) << i;
  bench.run(bench.dynamodb->transact_write(a_transaction()));
  EXPECT_NE(bench.asked(3).as_object().at("ClientRequestToken"), first.at("ClientRequestToken"));
  EXPECT_EQ(bench.dynamodb->stats().requests, 4);
  EXPECT_EQ(bench.dynamodb->stats().retries, 2);
  EXPECT_EQ(bench.dynamodb->stats().transactions, 4);
}

// --- what is answered

TEST(DynamoDb, EachRefusalHasItsKind) {
  using enum ErrorKind;
  struct Case {
    const char* code;
    ErrorKind kind;
    std::size_t tries;
  };
  for (const Case& one : std::initializer_list<Case>{{"ConditionalCheckFailedException", changed, 1},
                                                     {"ValidationException", bad_input, 1},
                                                     {"ResourceNotFoundException", not_found, 1},
                                                     {"AccessDeniedException", denied, 1},
                                                     {"ItemCollectionSizeLimitExceededException", too_large, 1},
                                                     {"IdempotentParameterMismatchException", internal, 1},
                                                     {"TransactionConflictException", conflict, 4},
                                                     {"TransactionInProgressException", conflict, 4},
                                                     {"ReplicatedWriteConflictException", conflict, 4},
                                                     {"ProvisionedThroughputExceededException", throttled, 4},
                                                     {"ThrottlingException", throttled, 4},
                                                     {"RequestLimitExceeded", throttled, 4}}) {
    Bench bench;
    bench.refuse(one.code);
    const auto done = bench.run(bench.dynamodb->update_item(an_update()));
    ASSERT_FALSE(done) << one.code;
    EXPECT_EQ(done.error().error.kind, one.kind) << one.code;
    EXPECT_EQ(done.error().code, one.code);
    EXPECT_EQ(bench.requests().size(), one.tries) << one.code;
    EXPECT_FALSE(done.error().may_have_worked) << one.code;
  }
  Bench bench;
  bench.refuse("InternalServerError", "", 500);
  const auto done = bench.run(bench.dynamodb->update_item(an_update()));
  EXPECT_EQ(done.error().error.kind, unavailable);
  EXPECT_TRUE(done.error().may_have_worked);
  EXPECT_EQ(bench.requests().size(), 4u);
}

TEST(DynamoDb, AFailedConditionComesWithTheItem) {
  Bench bench;
  bench.refuse("ConditionalCheckFailedException", R"(,"Item":{"id":{"S":"k"},"b":{"S":"y"}})");
  auto done = bench.run(bench.dynamodb->update_item(an_update()));
  ASSERT_FALSE(done);
  ASSERT_TRUE(done.error().item);
  EXPECT_EQ(text_of(*done.error().item, "b").value(), "y");
  bench.script->replies.clear();
  bench.refuse("ConditionalCheckFailedException");
  done = bench.run(bench.dynamodb->update_item(an_update()));
  EXPECT_FALSE(done.error().item) << "it does not exist";
}

TEST(DynamoDb, AConditionThatFailsAfterALostAnswerMayBeOurOwnDoing) {
  Bench bench;
  bench.cut();
  bench.refuse("ConditionalCheckFailedException");
  const auto done = bench.run(bench.dynamodb->update_item(an_update()));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::changed);
  EXPECT_TRUE(done.error().may_have_worked);
}

TEST(DynamoDb, ACancelledTransactionSaysWhy) {
  Bench bench;
  bench.refuse("TransactionCanceledException",
               reasons({"None", "ConditionalCheckFailed", "TransactionConflict", "None"}, R"({"id":{"S":"k"}})"));
  const auto done = bench.run(bench.dynamodb->transact_write(a_transaction()));
  ASSERT_FALSE(done);
  EXPECT_EQ(bench.requests().size(), 1u) << "a condition that failed is an answer";
  EXPECT_EQ(done.error().error.kind, ErrorKind::changed);
  ASSERT_EQ(done.error().reasons.size(), 4u);
  EXPECT_FALSE(done.error().reasons[0].item);
  EXPECT_EQ(done.error().reasons[1].item, key());
  EXPECT_EQ(done.error().error.message,
            "DynamoDB answered TransactionCanceledException (HTTP 400): why; action 2: ConditionalCheckFailed, "
            "action 3: TransactionConflict");
}

TEST(DynamoDb, ATransactionThatOthersWereInTheWayOfGoesAgain) {
  for (const char* code : {"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}) {
    Bench bench;
    bench.refuse("TransactionCanceledException", reasons({"None", code, "None", "None"}));
    bench.answer(200, "{}");
    EXPECT_TRUE(bench.run(bench.dynamodb->transact_write(a_transaction()))) << code;
    EXPECT_EQ(bench.requests().size(), 2u) << code;
  }
  Bench bench;
  bench.refuse("TransactionCanceledException", reasons({"None", "TransactionConflict", "None", "None"}));
  EXPECT_EQ(bench.run(bench.dynamodb->transact_write(a_transaction())).error().error.kind, ErrorKind::conflict);
  for (const char* code : {"ValidationError", "ItemCollectionSizeLimitExceeded", "None"}) {
    Bench wrong;
    wrong.refuse("TransactionCanceledException", reasons({"None", code, "None", "None"}));
    EXPECT_FALSE(wrong.run(wrong.dynamodb->transact_write(a_transaction()))) << code;
    EXPECT_EQ(wrong.requests().size(), 1u) << code;
  }
}

TEST(DynamoDb, ADamagedAnswerIsAskedForAgain) {
  const std::string body = R"({"Item":{"id":{"S":"k"}}})";
  const auto crc = [](const std::string& text) {
    return std::to_string(crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
  };
  Bench bench;
  bench.answer(200, R"({"Item":{"id":{"S":"x"}}})", {{"x-amz-crc32", crc(body)}});
  bench.answer(200, body, {{"x-amz-crc32", crc(body)}});
  const auto item = bench.run(bench.dynamodb->get_item({.table = "T", .key = key()}));
  ASSERT_TRUE(item) << item.error().error.text();
  EXPECT_EQ(**item, key());
  EXPECT_EQ(bench.requests().size(), 2u);

  Bench never;
  never.answer(200, body, {{"x-amz-crc32", "12x"}});
  const auto damaged = never.run(never.dynamodb->put_item({.table = "T", .item = key()}));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().error.kind, ErrorKind::unavailable);
  EXPECT_TRUE(damaged.error().may_have_worked);
  EXPECT_EQ(never.requests().size(), 4u);
}

TEST(DynamoDb, AnAnswerThatCannotBeReadIsCorrupt) {
  for (const char* body : {"", "no json", R"({"Item":{"id":{"Q":1}}})"}) {
    Bench bench;
    bench.answer(200, body);
    const auto item = bench.run(bench.dynamodb->get_item({.table = "T", .key = key()}));
    ASSERT_FALSE(item) << body;
    EXPECT_EQ(item.error().error.kind, ErrorKind::corrupt) << body;
  }
}

// --- pages and batches

TEST(DynamoDbPages, AreReadToTheirEnd) {
  Bench bench;
  bench.answer(200, R"({"Items":[{"id":{"S":"1"}}],"LastEvaluatedKey":{"id":{"S":"1"}}})");
  bench.answer(200, R"({"Items":[],"LastEvaluatedKey":{"id":{"S":"2"}}})");
  bench.answer(200, R"({"Items":[{"id":{"S":"3"}}]})");
  Query query{.table = "T", .key_condition = "id = :i", .index = "by-id", .filter = "x = :i"};
  query.consistent = false;
  query.forward = false;
  query.page_items = 7;
  query.terms.values = {{":i", Attribute::text("i")}};
  const auto items = bench.run(bench.dynamodb->query(std::move(query), 10));
  ASSERT_TRUE(items) << items.error().error.text();
  EXPECT_THAT(*items, ::testing::ElementsAre(key("1"), key("3")));
  ASSERT_EQ(bench.requests().size(), 3u);
  EXPECT_EQ(bench.requests()[0].body,
            R"({"TableName":"T","KeyConditionExpression":"id = :i","IndexName":"by-id","FilterExpression":"x = :i",)"
            R"("ExpressionAttributeValues":{":i":{"S":"i"}},"Limit":7,"ScanIndexForward":false})");
  EXPECT_EQ(bench.asked(2).as_object().at("ExclusiveStartKey"), *parse_json(R"({"id":{"S":"2"}})"));
}

TEST(DynamoDbPages, HaveALimit) {
  Bench bench;
  bench.answer(200, R"({"Items":[{"id":{"S":"1"}},{"id":{"S":"2"}}],"LastEvaluatedKey":{"id":{"S":"2"}}})");
  bench.answer(200, R"({"Items":[{"id":{"S":"3"}}],"LastEvaluatedKey":{"id":{"S":"3"}}})");
  const auto items = bench.run(bench.dynamodb->scan({.table = "T"}, 2));
  ASSERT_FALSE(items);
  EXPECT_EQ(items.error().error.text(), "the table 'T' gives more than 2 items");
  EXPECT_EQ(items.error().error.kind, ErrorKind::too_large);
}

TEST(DynamoDbPages, ThatGoInACircleEnd) {
  Bench bench;
  bench.answer(200, R"({"Items":[],"LastEvaluatedKey":{"id":{"S":"1"}}})");
  const auto items = bench.run(bench.dynamodb->scan({.table = "T"}, 2));
  ASSERT_FALSE(items);
  EXPECT_EQ(items.error().error.kind, ErrorKind::corrupt);
  EXPECT_EQ(bench.requests().size(), 2u);
}

std::vector<BatchWrite> writes(int count) {
  std::vector<BatchWrite> out;
  for (int i = 0; i < count; ++i) {
    if (i % 2 == 0) out.push_back({.table = "T", .put = key(std::to_string(i)), .remove = {}});
    if (i % 2 == 1) out.push_back({.table = "U", .put = {}, .remove = key(std::to_string(i))});
  }
  return out;
}

std::size_t count_of(const Json& asked) {
  std::size_t count = 0;
  for (const auto& table : asked.as_object().at("RequestItems").as_object()) count += table.value().as_array().size();
  return count;
}

TEST(DynamoDbBatch, GoesTwentyFiveAtATime) {
  Bench bench;
  bench.answer(200, R"({"UnprocessedItems":{}})");
  ASSERT_TRUE(bench.run(bench.dynamodb->batch_write(writes(60))));
  ASSERT_EQ(bench.requests().size(), 3u);
  EXPECT_EQ(count_of(bench.asked(0)), 25u);
  EXPECT_EQ(count_of(bench.asked(1)), 25u);
  EXPECT_EQ(count_of(bench.asked(2)), 10u);
  ASSERT_TRUE(bench.run(bench.dynamodb->batch_write({})));
  EXPECT_EQ(bench.requests().size(), 3u);
}

TEST(DynamoDbBatch, WhatWasLeftUnprocessedGoesAgain) {
  Bench bench;
  bench.answer(200, R"({"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"id":{"S":"0"}}}}],)"
                    R"("U":[{"DeleteRequest":{"Key":{"id":{"S":"1"}}}}]}})");
  bench.answer(200, "{}");
  ASSERT_TRUE(bench.run(bench.dynamodb->batch_write(writes(3))));
  ASSERT_EQ(bench.requests().size(), 2u);
  EXPECT_EQ(bench.requests()[1].body, R"({"RequestItems":{"T":[{"PutRequest":{"Item":{"id":{"S":"0"}}}}],)"
                                      R"("U":[{"DeleteRequest":{"Key":{"id":{"S":"1"}}}}]}})");
}

TEST(DynamoDbBatch, ThatNeverGetsThroughEnds) {
  Bench bench;
  bench.answer(200, R"({"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"id":{"S":"0"}}}}]}})");
  const auto done = bench.run(bench.dynamodb->batch_write(writes(1)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::throttled);
  EXPECT_EQ(bench.requests().size(), 4u);
  Bench odd;
  odd.answer(200, R"({"UnprocessedItems":{"T":[{"Other":1}]}})");
  EXPECT_EQ(odd.run(odd.dynamodb->batch_write(writes(1))).error().error.kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace palette::aws
