#include "generate/cost_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "dataset/test_folder.h"
#include "store/local/sqlite_job_store.h"

namespace palette::generate {
namespace {

using contract::await, contract::error_text;

class HandClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{1'790'000'000'000 + ms}; }
  std::int64_t monotonic_ms() const override { return ms; }
  mutable std::int64_t ms = 0;
};

struct Book {
  dataset::TestFolder folder;
  async::BlockingPool pool{2};
  std::unique_ptr<store::SqliteJobStore> jobs = store::SqliteJobStore::open(folder / "jobs.db", pool).value();
  HandClock clock;
  RunControl control;
  PartContext context{JobId{"j"}, PartNumber{1}, AttemptNumber{0}, job::Extents::of(10, 5), 10};
  std::shared_ptr<Ledger> ledger;
  std::optional<CostBook> book;

  // A new attempt, which knows that earlier ones have spent so much on models.
  void attempt(std::int64_t spent) {
    ++context.attempt.value;
    clock.ms += 1'000;
    const Money budget{1'000'000};
    ledger = std::make_shared<Ledger>(LedgerSettings{.unallocated = budget}, slices_in_memory(budget), control, clock);
    book.emplace(*jobs, context, *ledger, clock);
    const Status opened = await(book->open(Money{spent}, 0));
    ASSERT_TRUE(opened) << error_text(opened);
  }
  void pay(Infrastructure cost) { ASSERT_TRUE(await(ledger->pay_infrastructure(cost))); }
  void call(std::int64_t cost) {
    ASSERT_TRUE(await(ledger->reserve(Money{cost}, {0, 0})));
    model::CallBill bill{.model = "m", .step = "s", .reserved = Money{cost}};
    bill.end = model::CallBill::End::answered;
    bill.cost = Money{cost};
    ledger->settle(bill);
  }
  Money sum_of_deltas() {
    Money sum;
    for (const store::CostRow& row : await(jobs->cost_rows(JobId{"j"})).value())
      sum += Money::from_decimal(json_string(row.fields, "delta_usd").value()).value();
    return sum;
  }
};

TEST(CostBook, InfrastructureIsToldApartAndGoesOnWithTheNextAttempt) {
  Book rig;
  rig.attempt(0);
  rig.call(100);
  rig.pay({.compute = Money{7}, .s3 = Money{2}, .dynamodb = Money{1}, .compute_ms = 3'600, .s3_operations = 4});
  rig.book->batch_committed(BatchNumber{1}, 5);
  ASSERT_TRUE(await(rig.book->close()));
  rig.attempt(100);
  EXPECT_EQ(rig.book->spent_before(), Money{110});
  rig.pay({.compute = Money{3}, .compute_ms = 1'800});
  ASSERT_TRUE(await(rig.book->close()));
  const auto rows = await(rig.jobs->cost_rows(JobId{"j"})).value();
  ASSERT_EQ(rows.size(), 2u);
  const JsonObject& last = rows.back().fields;
  EXPECT_EQ(
      to_json_text(last.at("estimated_cost")),
      R"({"bedrock":"0.0000000001","fargate":"0.00000000001","s3":"0.000000000002","dynamodb":"0.000000000001","total":"0.000000000113"})");
  EXPECT_EQ(json_string(last, "fargate_hours").value(), "0.0014999958") << "5.4 s";
  EXPECT_EQ(json_int(last, "s3_operations").value(), 4);
  EXPECT_EQ(rig.sum_of_deltas(), Money{113});
}

// A crash: what the ledger had charged since the last row is not known to anybody.
TEST(CostBook, Promise4_RowsThatACrashLeftUnwrittenAreMadeUpFor) {
  Book rig;
  rig.attempt(0);
  rig.call(100);
  rig.pay({.compute = Money{7}});
  rig.book->batch_committed(BatchNumber{1}, 5);
  ASSERT_TRUE(await(rig.book->write()));
  rig.call(50);
  rig.book->batch_committed(BatchNumber{2}, 5);  // not written
  rig.attempt(150);
  EXPECT_EQ(rig.book->spent_before(), Money{157});
  EXPECT_EQ(rig.sum_of_deltas(), Money{157});
  const auto rows = await(rig.jobs->cost_rows(JobId{"j"})).value();
  EXPECT_EQ(json_string(rows.back().fields, "reason").value(), "derived");
  EXPECT_EQ(await(infrastructure_spent(*rig.jobs, JobId{"j"}, 3)).value().total(), Money{7});
}

}  // namespace
}  // namespace palette::generate
