// The same client against DynamoDB Local: what it takes, and what it answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "aws/dynamo_test_parts.h"
#include "base/ids.h"
#include "support/stand_in.h"

namespace palette::aws {
namespace {

class DynamoDbLocal : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto started = palette::testing::StandIn::dynamodb_local();
    if (!started && started.error().kind == ErrorKind::not_found) GTEST_SKIP() << started.error().text();
    ASSERT_TRUE(started) << started.error().text();
    stand_in_ = *started;
    dynamodb_ = dynamodb_at(loop_, stand_in_->url());
    const auto made =
        run(dynamodb_->call("CreateTable", R"({"TableName":")" + table_ +
                                               R"(","BillingMode":"PAY_PER_REQUEST",)"
                                               R"("AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},)"
                                               R"({"AttributeName":"s","AttributeType":"N"}],)"
                                               R"("KeySchema":[{"AttributeName":"p","KeyType":"HASH"},)"
                                               R"({"AttributeName":"s","KeyType":"RANGE"}]})"));
    ASSERT_TRUE(made) << made.error().error.text();
  }

  template <class T>
  T run(async::Task<T> task) {
    return loop_.run(std::move(task));
  }
  static DynamoItem key(std::int64_t sort) { return {{"p", Attribute::text("p")}, {"s", Attribute::number(sort)}}; }
  void put(DynamoItem item) {
    const auto done = run(dynamodb_->put_item({.table = table_, .item = std::move(item)}));
    ASSERT_TRUE(done) << done.error().error.text();
  }
  Query all() const {
    Query query{.table = table_, .key_condition = "p = :p"};
    query.terms.values = {{":p", Attribute::text("p")}};
    return query;
  }

  async::EventLoop loop_;
  std::shared_ptr<palette::testing::StandIn> stand_in_;
  std::shared_ptr<DynamoDb> dynamodb_;
  const std::string table_ = "T-" + random_hex_id();
};

TEST_F(DynamoDbLocal, KeepsEveryType) {
  DynamoItem item = key(1);
  item.emplace("text", Attribute::text("a \"b\"\n\u00e9"));
  item.emplace("bytes", Attribute(DynamoBytes{std::string("\0\xff\x10", 3)}));
  item.emplace("yes", Attribute::boolean(true));
  item.emplace("null", Attribute());
  item.emplace("list", Attribute::list({Attribute::number(1), Attribute::text("")}));
  item.emplace("map", Attribute::map({{"x", Attribute::map()}}));
  item.emplace("texts", Attribute(TextSet{{"a", "b"}}));
  item.emplace("money", Attribute::dollars(Money{9'000'000'000'000'000'001}));
  put(item);
  const auto got = run(dynamodb_->get_item({.table = table_, .key = key(1)}));
  ASSERT_TRUE(got) << got.error().error.text();
  EXPECT_EQ(*got, item);
  // A number comes back in DynamoDB's own form.
  item["odd"] = Attribute(DynamoNumber{"1.50E+2"});
  put(item);
  const auto again = run(dynamodb_->get_item({.table = table_, .key = key(1)}));
  EXPECT_EQ(int_of(**again, "odd").value(), 150);
}

TEST_F(DynamoDbLocal, AFailedConditionComesWithTheItem) {
  put(key(1));
  PutItem absent{.table = table_, .item = key(1), .condition = "attribute_not_exists(p)"};
  const auto done = run(dynamodb_->put_item(std::move(absent)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::changed);
  EXPECT_EQ(done.error().item, key(1));
  EXPECT_FALSE(done.error().may_have_worked);
}

TEST_F(DynamoDbLocal, ATransactionIsAllOrNothing) {
  put(key(1));
  std::vector<TransactAction> actions;
  actions.emplace_back(PutItem{.table = table_, .item = key(2)});
  actions.emplace_back(DeleteItem{.table = table_, .key = key(1), .condition = "attribute_not_exists(p)"});
  actions.emplace_back(ConditionCheck{.table = table_, .key = key(9), .condition = "attribute_not_exists(p)"});
  auto done = run(dynamodb_->transact_write(actions));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::changed);
  ASSERT_EQ(done.error().reasons.size(), 3u);
  EXPECT_EQ(done.error().reasons[0].code, "None");
  EXPECT_EQ(done.error().reasons[1].code, "ConditionalCheckFailed");
  EXPECT_EQ(done.error().reasons[1].item, key(1));
  EXPECT_FALSE(*run(dynamodb_->get_item({.table = table_, .key = key(2)})));
  std::get<DeleteItem>(actions[1]).condition = "attribute_exists(p)";
  done = run(dynamodb_->transact_write(actions));
  ASSERT_TRUE(done) << done.error().error.text();
  EXPECT_TRUE(*run(dynamodb_->get_item({.table = table_, .key = key(2)})));
  EXPECT_FALSE(*run(dynamodb_->get_item({.table = table_, .key = key(1)})));
}

TEST_F(DynamoDbLocal, ManyAreWrittenReadByPagesAndRemoved) {
  constexpr std::int64_t kItems = 60;
  std::vector<BatchWrite> puts, removals;
  for (std::int64_t i = 0; i < kItems; ++i) {
    DynamoItem item = key(i);
    item.emplace("filler", Attribute::text(std::string(40'000, 'x')));  // 2.4 MB: three pages
    puts.push_back({.table = table_, .put = std::move(item), .remove = {}});
    removals.push_back({.table = table_, .put = {}, .remove = key(i)});
  }
  const auto written = run(dynamodb_->batch_write(std::move(puts)));
  ASSERT_TRUE(written) << written.error().error.text();
  const auto first = run(dynamodb_->query_page(all()));
  ASSERT_TRUE(first) << first.error().error.text();
  EXPECT_TRUE(first->next);
  auto items = run(dynamodb_->query(all(), 1'000));
  ASSERT_TRUE(items) << items.error().error.text();
  ASSERT_EQ(items->size(), 60u);
  for (std::int64_t i = 0; i < kItems; ++i) EXPECT_EQ(int_of((*items)[static_cast<std::size_t>(i)], "s").value(), i);
  items = run(dynamodb_->scan({.table = table_}, 1'000));
  EXPECT_EQ(items->size(), 60u);
  ASSERT_TRUE(run(dynamodb_->batch_write(std::move(removals))));
  EXPECT_TRUE(run(dynamodb_->query(all(), 1'000))->empty());
}

TEST_F(DynamoDbLocal, AnUnknownTableIsNotFound) {
  const auto item = run(dynamodb_->get_item({.table = "nowhere", .key = key(1)}));
  ASSERT_FALSE(item);
  EXPECT_EQ(item.error().error.kind, ErrorKind::not_found);
  EXPECT_THAT(item.error().error.message, ::testing::HasSubstr("check the name of the table, and the region"));
}

}  // namespace
}  // namespace palette::aws
