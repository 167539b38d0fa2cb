// DynamoJobStore under the suites of every JobStore, plain and through faults.
#include <cstdlib>

#include "contract/job_store_contract.h"
#include "contract/parts_contract.h"
#include "contract/queue_contract.h"
#include "contract/queue_model.h"
#include "store/aws/dynamo_job_store.h"
#include "support/dynamo_tables.h"

namespace palette::contract {
namespace {

struct DynamoStore {
  explicit DynamoStore(async::BlockingPool&) {
    if (!test.url.empty()) jobs = std::make_unique<store::DynamoJobStore>(test.dynamodb, test.tables);
  }
  store::JobStore& store() { return *jobs; }

  store::DynamoTestTables test;
  std::unique_ptr<store::DynamoJobStore> jobs;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Dynamo, JobStoreContract, DynamoStore);
INSTANTIATE_TYPED_TEST_SUITE_P(Dynamo, QueueContract, DynamoStore);
INSTANTIATE_TYPED_TEST_SUITE_P(Dynamo, PartsContract, DynamoStore);

// Every third request and more meets a fault; PALETTE_FAULT_SEED chooses others.
struct FaultyDynamoStore {
  explicit FaultyDynamoStore(async::BlockingPool&) : FaultyDynamoStore() {}
  FaultyDynamoStore() {
    if (test.url.empty()) return;
    const char* seed = std::getenv("PALETTE_FAULT_SEED");
    const auto started = testing::StandIn::fault_proxy(*test.stand_in, {"--seed",       seed == nullptr ? "1" : seed,
                                                                        "--fault",      "500=0.04",
                                                                        "--fault",      "500_after=0.06",
                                                                        "--fault",      "503=0.03",
                                                                        "--fault",      "throttle=0.05",
                                                                        "--fault",      "conflict=0.05",
                                                                        "--fault",      "in_progress=0.02",
                                                                        "--fault",      "cut_before=0.04",
                                                                        "--fault",      "cut_after=0.07",
                                                                        "--fault",      "half=0.04",
                                                                        "--latency-ms", "1",
                                                                        "--jitter-ms",  "3"});
    if (!started) throw std::runtime_error(started.error().text());
    proxy = *started;
    jobs = std::make_unique<store::DynamoJobStore>(aws::dynamodb_at(process_loop(), proxy->url()), test.tables);
  }
  store::JobStore& store() { return *jobs; }

  store::DynamoTestTables test;
  std::shared_ptr<testing::StandIn> proxy;
  std::unique_ptr<store::DynamoJobStore> jobs;
};
INSTANTIATE_TYPED_TEST_SUITE_P(FaultyDynamo, JobStoreContract, FaultyDynamoStore);
INSTANTIATE_TYPED_TEST_SUITE_P(FaultyDynamo, QueueContract, FaultyDynamoStore);
INSTANTIATE_TYPED_TEST_SUITE_P(FaultyDynamo, PartsContract, FaultyDynamoStore);

// DESIGN.md section 6, promise 5.
TEST(DynamoQueue, Promise5_HoldsUnderRandomInterleavings) {
  async::BlockingPool pool{1};
  DynamoStore plain(pool);
  if (plain.test.url.empty()) GTEST_SKIP() << "DynamoDB Local is not here";
  run_queue_models(plain.store(), 1, 200, 30);
}

TEST(DynamoQueue, Promise5_HoldsUnderRandomInterleavingsAndFaults) {
  FaultyDynamoStore faulty;
  if (faulty.test.url.empty()) GTEST_SKIP() << "DynamoDB Local is not here";
  run_queue_models(faulty.store(), 1'001, 30, 30);
}

// DESIGN.md section 6, promise 3 and the totals, over many writes; and that there were faults at all.
TEST(FaultyDynamoJobStore, CountsEveryReportAndSliceOnce) {
  constexpr int kReports = 100;
  FaultyDynamoStore faulty;
  if (faulty.test.url.empty()) return;
  JobItem made = new_job("j");
  made.unallocated = Money{kReports};
  ASSERT_TRUE(await(faulty.store().create_job(made, {new_item("j")})));
  const QueueItem held = await(faulty.store().claim(new_item("j"), by("w1", 0))).value();
  for (int i = 1; i <= kReports; ++i) {
    const auto slice = await(faulty.store().take_slice(held, i, Money{1}));
    ASSERT_TRUE(slice) << error_text(slice);
    EXPECT_EQ(slice->unallocated, Money{kReports - i});
    const Status reported = await(faulty.store().report(held, progress(i), at(i)));
    ASSERT_TRUE(reported) << reported.error().text();
  }
  const JobItem job = await(faulty.store().get_job(JobId{"j"})).value();
  EXPECT_EQ(job.records_generated, kReports);
  EXPECT_EQ(job.tokens_used, 10 * kReports);
  EXPECT_EQ(job.unallocated, Money{0});
  const Json stats = *parse_json(*faulty.proxy->ask("GET", "/_proxy/stats"));
  std::int64_t faults = 0;
  for (const auto& fault : stats.as_object().at("faults").as_object())
    faults += fault.value().to_number<std::int64_t>();
  EXPECT_GT(faults, kReports / 2) << to_json_text(stats);
}

}  // namespace
}  // namespace palette::contract
