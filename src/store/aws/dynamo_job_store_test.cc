#include "store/aws/dynamo_job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/job_store_fixture.h"
#include "store/aws/dynamo_job_items.h"
#include "support/dynamo_tables.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;
using contract::at, contract::await, contract::by, contract::error_text, contract::new_item, contract::new_job,
    contract::progress;

class DynamoJobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test_.url.empty()) jobs_ = std::make_unique<DynamoJobStore>(test_.dynamodb, test_.tables);
  }

  void put_raw(const std::string& table, DynamoItem item) {
    const auto done = await(test_.dynamodb->put_item({.table = table, .item = std::move(item)}));
    ASSERT_TRUE(done) << done.error().error.text();
  }
  DynamoItem raw(const std::string& table, DynamoItem key) {
    const auto item = await(test_.dynamodb->get_item({.table = table, .key = std::move(key)}));
    EXPECT_TRUE(item && *item);
    return item && *item ? **item : DynamoItem{};
  }
  DynamoItem raw_job(const std::string& id = "j") { return raw(test_.tables.jobs, job_key(JobId{id})); }
  JobItem job(const std::string& id = "j") {
    const auto got = await(jobs_->get_job(JobId{id}));
    EXPECT_TRUE(got) << error_text(got);
    return got.value_or(JobItem{});
  }
  QueueItem held_part(const std::string& id = "j") {
    JobItem made = new_job(id);
    made.unallocated = Money{100};
    EXPECT_TRUE(await(jobs_->create_job(made, {new_item(id)})));
    const auto held = await(jobs_->claim(new_item(id), by("w1", 0)));
    EXPECT_TRUE(held) << error_text(held);
    return held.value_or(QueueItem{});
  }
  // How many requests `task` took.
  template <class T>
  std::int64_t requests_of(async::Task<T> task) {
    const std::int64_t before = test_.dynamodb->stats().requests;
    await(std::move(task));
    return test_.dynamodb->stats().requests - before;
  }

  DynamoTestTables test_;
  std::unique_ptr<DynamoJobStore> jobs_;
};

// --- what it costs

TEST_F(DynamoJobStoreTest, EachWriteOfAnOwnerIsOneRequest) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), {new_item("j")})));
  EXPECT_EQ(requests_of(jobs_->claim(new_item("j"), by("w1", 0))), 1);
  EXPECT_EQ(requests_of(jobs_->claim(new_item("j"), by("w2", 0))), 1) << "a race that was lost";
  const QueueItem held = await(jobs_->queue_items(QueueStatus::running))->at(0);
  EXPECT_EQ(requests_of(jobs_->report(held, progress(1), at(1))), 2) << "the first report reads what stands there";
  EXPECT_EQ(requests_of(jobs_->report(held, progress(2), at(2))), 1);
  EXPECT_EQ(requests_of(jobs_->take_slice(held, 1, Money{})), 1);
  EXPECT_EQ(requests_of(jobs_->report(held, progress(3), at(3))), 1);
  EXPECT_EQ(requests_of(jobs_->heartbeat(held, at(99))), 2);
  EXPECT_EQ(requests_of(jobs_->put_cost_rows({{JobId{"j"}, "t", {}}})), 1);
  EXPECT_EQ(requests_of(jobs_->requeue(held, progress(4), {}, at(4))), 1);
  const QueueItem again =
      await(jobs_->claim(await(jobs_->queue_items(QueueStatus::queued))->at(0), by("w2", 5))).value();
  EXPECT_EQ(requests_of(jobs_->finish(again, job(), Money{})), 1);
  EXPECT_EQ(job().records_generated, 4);
}

// --- what stands in the tables

TEST_F(DynamoJobStoreTest, TheTablesReadAsDesigned) {
  JobItem made = new_job("j");
  made.budget_limit = Money{12'500'000'000'000};
  made.unallocated = *made.budget_limit;
  made.spec_fields = {{"template_id", "facts"}, {"ratio", 0.5}};
  ASSERT_TRUE(await(jobs_->create_job(made, {new_item("j")})));
  const QueueItem held = await(jobs_->claim(new_item("j"), by("arn:task", 0))).value();
  ASSERT_TRUE(await(jobs_->take_slice(held, 1, Money{2'500'000'000'000})));
  PartProgress done = progress(3);
  done.cost = Money{1'500'000'000};
  ASSERT_TRUE(await(jobs_->report(held, done, at(5))));
  const DynamoItem item = raw_job();
  const auto number = [](const char* text) { return Attribute(aws::DynamoNumber{text}); };
  EXPECT_EQ(item.at("status"), Attribute::text("RUNNING"));
  EXPECT_EQ(item.at("budget_limit"), number("12.5"));
  EXPECT_EQ(aws::money_of(item, "unallocated").value(), Money{10'000'000'000'000}) << "DynamoDB Local writes 10.0";
  EXPECT_EQ(item.at("cost_estimate"), number("0.0015"));
  EXPECT_EQ(item.at("created_at"), Attribute::text(at(0).to_iso()));
  EXPECT_EQ(item.at("task_arn"), Attribute::text("arn:task"));
  EXPECT_EQ(item.at("config"), Attribute::map({{"template_id", Attribute::text("facts")}, {"ratio", number("0.5")}}));
  EXPECT_EQ(item.at("parts"), Attribute::map({{"1", Attribute::map({{"attempt", number("1")},
                                                                    {"slice_no", number("1")},
                                                                    {"last_slice", number("2.5")},
                                                                    {"records", number("3")},
                                                                    {"failed", number("1")},
                                                                    {"tokens", number("30")},
                                                                    {"cost", number("0.0015")},
                                                                    {"fruitless", number("0")},
                                                                    {"last_cause", Attribute::text("")}})}}));
  EXPECT_FALSE(item.contains("error_message"));
  const DynamoItem queued = raw(test_.tables.queue, queue_key(QueueStatus::running, held.position));
  EXPECT_EQ(queued.at("task_arn"), Attribute::text("arn:task"));
  EXPECT_EQ(queued.at("lease_expires_at"), Attribute::text(at(60).to_iso()));
}

TEST_F(DynamoJobStoreTest, AmountsOfACostRowAreNumbersInTheTableAndTextsInTheRow) {
  const JsonObject fields{{"estimated_cost", JsonObject{{"bedrock", "0.0125"}, {"total", "0.5"}}},
                          {"delta_usd", "0.25"},
                          {"fargate_hours", "0"},
                          {"reason", "batch"},
                          {"models", JsonObject{{"m", JsonObject{{"cost", "0.1"}, {"calls", 3}}}}},
                          {"ttl", 1'800'000'000}};
  ASSERT_TRUE(await(jobs_->put_cost_rows({{JobId{"j"}, "t#1#1#1", fields}})));
  EXPECT_EQ(await(jobs_->cost_rows(JobId{"j"}))->at(0).fields, fields);
  const DynamoItem item =
      raw(test_.tables.costs, {{"job_id", Attribute::text("j")}, {"timestamp", Attribute::text("t#1#1#1")}});
  EXPECT_EQ(aws::map_of(item, "estimated_cost").value()->at("bedrock"), Attribute(aws::DynamoNumber{"0.0125"}));
  EXPECT_EQ(item.at("ttl"), Attribute::number(1'800'000'000));
}

// --- what others wrote

DynamoItem job_of_others() {
  DynamoItem config{{"template_id", Attribute::text("t-1")},
                    {"seed_data_path", Attribute::text("seed-data/ann/s.csv")},
                    {"num_records", Attribute(aws::DynamoNumber{"1E3"})},
                    {"output_format", Attribute::text("JSONL")},
                    {"partition_strategy", Attribute::text("none")}};
  return {{"job_id", Attribute::text("j")},
          {"status", Attribute::text("QUEUED")},
          {"budget_limit", Attribute(aws::DynamoNumber{"100.50"})},
          {"created_at", Attribute::text("2026-11-23T10:00:00.123456+00:00")},
          {"config", Attribute::map(std::move(config))},
          {"tags", Attribute(aws::TextSet{{"red"}})}};
}

TEST_F(DynamoJobStoreTest, AJobOfOthersIsUnderstood) {
  put_raw(test_.tables.jobs, job_of_others());
  const JobItem got = job();
  EXPECT_EQ(got.status, job::JobStatus::queued);
  EXPECT_EQ(got.name, "j");
  EXPECT_EQ(got.num_records, 1'000);
  EXPECT_EQ(got.budget_limit, Money{100'500'000'000'000});
  EXPECT_EQ(got.unallocated, *got.budget_limit);
  EXPECT_EQ(got.created_at.to_iso(), "2026-11-23T10:00:00.123Z");
  EXPECT_EQ(got.spec_fields, (JsonObject{{"template_id", "t-1"},
                                         {"seed_data_path", "seed-data/ann/s.csv"},
                                         {"num_records", 1'000},
                                         {"output_format", "JSONL"},
                                         {"partition_strategy", "none"}}));
  EXPECT_TRUE(got.parts.empty());
  EXPECT_EQ(got.revision, 0);
  EXPECT_THAT(await(jobs_->queue_items_of(JobId{"j"})).value(), ::testing::IsEmpty());

  // Adopted: put into the queue by its revision, and claimed. What others keep beside it stays.
  const auto revision = await(jobs_->put_job_and_enqueue(got, {new_item("j")}));
  ASSERT_TRUE(revision) << error_text(revision);
  EXPECT_EQ(*revision, 1);
  EXPECT_EQ(await(jobs_->put_job_and_enqueue(got, {new_item("j", 5)})).error().kind, ErrorKind::changed);
  const auto held = await(jobs_->claim(new_item("j"), by("w", 0)));
  ASSERT_TRUE(held) << error_text(held);
  EXPECT_EQ(job().parts.at(1).attempt.value, 1);
  EXPECT_EQ(raw_job().at("tags"), Attribute(aws::TextSet{{"red"}}));
}

TEST_F(DynamoJobStoreTest, AJobAndAQueueItemOfOthersCanBeClaimed) {
  put_raw(test_.tables.jobs, job_of_others());
  DynamoItem queued = queue_key(QueueStatus::queued, {"2026-11-23T10:00:00Z#j"});
  queued.emplace("job_id", Attribute::text("j"));
  queued.emplace("attempt", Attribute::number(0));
  put_raw(test_.tables.queue, queued);
  const auto seen = await(jobs_->queue_items(QueueStatus::queued));
  ASSERT_TRUE(seen) << error_text(seen);
  EXPECT_EQ(await(jobs_->queue_items_of(JobId{"j"}))->size(), 1u);
  const auto held = await(jobs_->claim(seen->at(0), by("w", 0)));
  ASSERT_TRUE(held) << error_text(held);
  EXPECT_EQ(held->part.value, 1);
  EXPECT_TRUE(await(jobs_->report(*held, progress(1), at(1))));
  EXPECT_EQ(await(jobs_->queue_items_of(JobId{"j"}))->size(), 1u);
  ASSERT_TRUE(await(jobs_->remove_job(JobId{"j"})));
  EXPECT_THAT(await(jobs_->queue_items(QueueStatus::running)).value(), ::testing::IsEmpty());
}

TEST_F(DynamoJobStoreTest, ATemplateOfOthersMayBeAMap) {
  put_raw(test_.tables.templates, {{"template_id", Attribute::text("t")},
                                   {"version", Attribute::number(2)},
                                   {"template_definition", Attribute::map({{"steps", Attribute::list()}})}});
  EXPECT_EQ(await(jobs_->get_template("t", std::nullopt))->definition, R"({"steps":[]})");
}

TEST_F(DynamoJobStoreTest, AValueThatCannotBeReadIsCorrupt) {
  const std::pair<std::string, Attribute> wrong[] = {{"status", Attribute::text("DONE")},
                                                     {"num_records", Attribute::text("many")},
                                                     {"unallocated", Attribute::boolean(true)},
                                                     {"created_at", Attribute::text("now")},
                                                     {"extents", Attribute::map()},
                                                     {"config", Attribute::text("{")},
                                                     {"parts", Attribute::map({{"x", Attribute::map()}})}};
  for (const auto& [name, value] : wrong) {
    DynamoItem item = job_of_others();
    item.insert_or_assign(name, value);
    put_raw(test_.tables.jobs, item);
    const auto got = await(jobs_->get_job(JobId{"j"}));
    ASSERT_FALSE(got) << name;
    EXPECT_EQ(got.error().kind, ErrorKind::corrupt) << name;
    EXPECT_EQ(got.error().where, "table Jobs, 'j'") << name;
    EXPECT_EQ(await(jobs_->list_jobs()).error().kind, ErrorKind::corrupt) << name;
  }
}

// An item that no worker can read must not keep the others from them.
TEST_F(DynamoJobStoreTest, AMalformedQueueItemIsSetAside) {
  std::vector<Error> told;
  DynamoJobStore jobs(test_.dynamodb, test_.tables, [&told](const Error& why) { told.push_back(why); });
  ASSERT_TRUE(await(jobs.create_job(new_job("j"), {new_item("j")})));
  DynamoItem odd = queue_key(QueueStatus::queued, {"0000#odd"});
  odd.emplace("attempt", Attribute::text("first"));
  put_raw(test_.tables.queue, odd);
  const auto queued = await(jobs.queue_items(QueueStatus::queued));
  ASSERT_TRUE(queued) << error_text(queued);
  EXPECT_EQ(queued->size(), 1u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].text(), "table Queue, '0000#odd': attribute 'job_id': it is missing");
  EXPECT_EQ(await(jobs.queue_items(QueueStatus::queued))->size(), 1u);
  EXPECT_EQ(told.size(), 1u);
  const DynamoItem aside =
      raw(test_.tables.queue, {{"status", Attribute::text("MALFORMED")}, {"position", Attribute::text("0000#odd")}});
  EXPECT_EQ(aside.at("attempt"), Attribute::text("first"));
  EXPECT_EQ(aside.at("reason"), Attribute::text(told[0].text()));
}

// --- totals

// A job's end gives its totals as they are; the next owner's first report makes them the sums over the parts again.
TEST_F(DynamoJobStoreTest, TotalsThatAreOffAreSetRightByTheNextReport) {
  const QueueItem held = held_part();
  ASSERT_TRUE(await(jobs_->report(held, progress(150), at(1))));
  JobItem end = job();
  end.records_generated = 199;
  ASSERT_TRUE(await(jobs_->finish(held, end, Money{})));
  ASSERT_TRUE(await(jobs_->put_job_and_enqueue(job(), {new_item("j", 9)})));
  const auto queued = await(jobs_->queue_items(QueueStatus::queued));
  const QueueItem again = await(jobs_->claim(queued->at(0), by("w2", 10))).value();
  EXPECT_EQ(again.attempt.value, 2);
  ASSERT_TRUE(await(jobs_->report(again, progress(250), at(11))));
  EXPECT_EQ(job().records_generated, 250);
  ASSERT_TRUE(await(jobs_->report(again, progress(260), at(12))));
  EXPECT_EQ(job().records_generated, 260);
}

// While others report, too.
TEST_F(DynamoJobStoreTest, TotalsThatAnotherPartsEndSetBackAreSetRight) {
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), {new_item("j", 0, 1), new_item("j", 0, 2), new_item("j", 0, 3)})));
  const QueueItem one = await(jobs_->claim(new_item("j", 0, 1), by("w1", 0))).value();
  const QueueItem two = await(jobs_->claim(new_item("j", 0, 2), by("w2", 0))).value();
  const QueueItem three = await(jobs_->claim(new_item("j", 0, 3), by("w3", 0))).value();
  const JobItem old = job();
  for (const QueueItem& held : {one, two, three}) ASSERT_TRUE(await(jobs_->report(held, progress(10), at(1))));
  ASSERT_TRUE(await(jobs_->finish(one, old, Money{}))) << "with the totals of before";
  EXPECT_EQ(job().records_generated, 0);
  ASSERT_TRUE(await(jobs_->report(two, progress(20), at(2))));
  EXPECT_EQ(job().records_generated, 10);
  ASSERT_TRUE(await(jobs_->report(two, progress(30), at(3))));
  ASSERT_TRUE(await(jobs_->report(three, progress(20), at(3))));
  EXPECT_EQ(job().records_generated, 60);
}

TEST_F(DynamoJobStoreTest, AnotherStoreOfTheSameOwnerGoesOn) {
  const QueueItem held = held_part();
  ASSERT_TRUE(await(jobs_->report(held, progress(10), at(1))));
  DynamoJobStore other(test_.dynamodb, test_.tables);
  ASSERT_TRUE(await(other.report(held, progress(20), at(2))));
  const Status reported = await(jobs_->report(held, progress(30), at(3)));
  EXPECT_TRUE(reported) << reported.error().text();
  EXPECT_EQ(job().records_generated, 30);
  EXPECT_EQ(job().tokens_used, 300);
}

TEST_F(DynamoJobStoreTest, ManyPartsReportAtOnce) {
  std::vector<QueueItem> items, held;
  for (int part = 1; part <= 8; ++part) items.push_back(new_item("j", 0, part));
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), items)));
  for (const QueueItem& item : items) held.push_back(await(jobs_->claim(item, by("w", 0))).value());
  for (int round = 1; round <= 5; ++round) {
    std::vector<async::Task<Status>> reports;
    for (const QueueItem& item : held) reports.push_back(jobs_->report(item, progress(round * item.part.value), at(1)));
    for (const Status& reported : await(contract::all_of(std::move(reports)))) {
      EXPECT_TRUE(reported) << reported.error().text();
    }
    EXPECT_EQ(job().records_generated, round * 36);
  }
}

// --- many

TEST_F(DynamoJobStoreTest, AJobOfManyPartsIsRemovedWhole) {
  std::vector<QueueItem> items;
  for (int part = 1; part <= 90; ++part) items.push_back(new_item("j", 0, part));
  ASSERT_TRUE(await(jobs_->create_job(new_job("j"), items)));
  ASSERT_TRUE(await(jobs_->create_job(new_job("k"), {new_item("k")})));
  ASSERT_TRUE(await(jobs_->claim(items[3], by("w", 0))));
  EXPECT_EQ(await(jobs_->queue_items_of(JobId{"j"}))->size(), 90u);
  const Status removed = await(jobs_->remove_job(JobId{"j"}));
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_EQ(await(jobs_->queue_items(QueueStatus::queued))->size(), 1u);
  EXPECT_THAT(await(jobs_->queue_items(QueueStatus::running)).value(), ::testing::IsEmpty());
  items.resize(100, items.back());
  EXPECT_EQ(await(jobs_->create_job(new_job("j"), items)).error().kind, ErrorKind::bad_input);
}

TEST_F(DynamoJobStoreTest, ListsMoreThanAPage) {
  JobItem made = new_job("a");
  made.error_message = std::string(300'000, 'x');
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    made.id.text = id;
    ASSERT_TRUE(await(jobs_->create_job(made, {})));
  }
  EXPECT_EQ(await(jobs_->list_jobs())->size(), 5u);
  EXPECT_EQ(await(jobs_->jobs_named("facts"))->size(), 5u);
  EXPECT_EQ(await(jobs_->jobs_named("other"))->size(), 0u);
}

TEST_F(DynamoJobStoreTest, TheNewestCostRowOfAPartIsFoundAmongMany) {
  std::vector<CostRow> rows;
  for (int i = 0; i < 150; ++i) {
    const std::string part = i == 0 ? "2" : "1";
    rows.push_back({JobId{"j"}, at(i).to_iso() + "#" + part + "#1#000001", {{"n", i}}});
  }
  const Status put = await(jobs_->put_cost_rows(rows));
  ASSERT_TRUE(put) << put.error().text();
  EXPECT_EQ((*await(jobs_->last_cost_row(JobId{"j"}, PartNumber{1})))->fields, (JsonObject{{"n", 149}}));
  EXPECT_EQ((*await(jobs_->last_cost_row(JobId{"j"}, PartNumber{2})))->fields, (JsonObject{{"n", 0}}));
  EXPECT_FALSE(*await(jobs_->last_cost_row(JobId{"j"}, PartNumber{3})));
  EXPECT_FALSE(*await(jobs_->last_cost_row(JobId{"k"}, PartNumber{1})));
  ASSERT_TRUE(await(jobs_->remove_job(JobId{"j"})));
  EXPECT_THAT(await(jobs_->cost_rows(JobId{"j"})).value(), ::testing::IsEmpty());
}

TEST_F(DynamoJobStoreTest, AMissingTableIsNamed) {
  DynamoTables tables = test_.tables;
  tables.jobs = "nowhere";
  DynamoJobStore lost(test_.dynamodb, tables);
  const auto got = await(lost.get_job(JobId{"j"}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::not_found);
  EXPECT_EQ(got.error().where, "table 'nowhere'");
}

}  // namespace
}  // namespace palette::store
