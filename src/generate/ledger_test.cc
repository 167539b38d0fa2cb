#include "generate/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "async/task_group.h"
#include "async/timer.h"
#include "base/random.h"
#include "contract/await.h"

namespace palette::generate {
namespace {

using contract::await;
using ::testing::ElementsAre;

class FixedClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{ms}; }
  std::int64_t monotonic_ms() const override { return ms; }
  std::int64_t ms = 1'000;
};

// A job's budget; remembers every slice, and can be made to take a while or to fail.
class JobBudget final : public SliceSource {
 public:
  explicit JobBudget(Money unallocated) : unallocated(unallocated) {}

  async::Task<Result<Answer>> take(std::int64_t slice_no, Money amount) override {
    (void)co_await async::sleep_for(0);
    if (error) co_return std::unexpected(*error);
    EXPECT_EQ(slice_no, static_cast<std::int64_t>(slices.size()) + 1);
    if (amount > unallocated) co_return Answer{false, unallocated};
    unallocated -= amount;
    slices.push_back(amount.pico);
    co_return Answer{true, unallocated};
  }

  Money unallocated;
  std::vector<std::int64_t> slices;
  std::optional<Error> error;
};

struct Ledgers : ::testing::Test {
  RunControl control;
  FixedClock clock;
  std::shared_ptr<JobBudget> budget;
  std::optional<Ledger> ledger;
  std::vector<std::string> ended;  // reservations, in the order in which they were answered

  void open(std::int64_t unallocated, std::int64_t record_bound = 0) {
    budget = std::make_shared<JobBudget>(Money{unallocated});
    ledger.emplace(LedgerSettings{.unallocated = Money{unallocated}, .record_bound = Money{record_bound}}, budget,
                   control, clock);
  }
  Status reserve(std::int64_t bound, std::int64_t record = 0, std::int64_t step = 0) {
    return await(ledger->reserve(Money{bound}, {record, step}));
  }
  void settle(std::int64_t reserved, std::int64_t cost, model::CallBill::End end = model::CallBill::End::answered,
              bool estimated = false) {
    model::CallBill bill{.model = "m", .step = "s", .reserved = Money{reserved}};
    bill.end = end;
    bill.cost = Money{cost};
    bill.usage.input_tokens = 1;
    bill.estimated = estimated;
    ledger->settle(bill);
  }
  static async::Task<void> reserve_into(Ledgers* test, std::int64_t bound, std::int64_t record) {
    const Status done = co_await test->ledger->reserve(Money{bound}, {record, 0});
    test->ended.push_back(std::to_string(record) + (done ? "" : " " + std::string(to_string(done.error().kind))));
  }
  // Starts reservations, lets them wait, does `between`, and waits for all.
  template <class Between>
  void with_waiting(std::vector<std::pair<std::int64_t, std::int64_t>> wanted, Between between) {
    await(run_waiting(this, std::move(wanted), std::move(between)));
  }
  template <class Between>
  static async::Task<int> run_waiting(Ledgers* test, std::vector<std::pair<std::int64_t, std::int64_t>> wanted,
                                      Between between) {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    for (const auto& [bound, record] : wanted) group.spawn(reserve_into(test, bound, record));
    (void)co_await async::sleep_for(2);
    between();
    co_await group.join();
    co_return 0;
  }
};

TEST_F(Ledgers, Promise3_WhatIsSetAsideIsCoveredBySlicesFirst) {
  open(100);
  ASSERT_TRUE(reserve(30));
  EXPECT_THAT(budget->slices, ElementsAre(30));
  EXPECT_EQ(ledger->reserved(), Money{30});
  EXPECT_EQ(ledger->left(), Money{70});
  settle(30, 10);
  EXPECT_EQ(ledger->spent(), Money{10});
  EXPECT_EQ(ledger->unspent(), Money{20});
  EXPECT_EQ(ledger->left(), Money{90});
  ASSERT_TRUE(reserve(15)) << "out of what is left of the slice";
  EXPECT_EQ(budget->slices.size(), 1u);
}

TEST_F(Ledgers, SlicesGrowWhileTheyDoNotLast) {
  open(10'000);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(reserve(10));
    settle(10, 10);
  }
  EXPECT_THAT(budget->slices, ElementsAre(10, 20, 40));
  clock.ms += 60'000;  // the last one was not used up for long
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(reserve(10));
    settle(10, 10);
  }
  EXPECT_THAT(budget->slices, ElementsAre(10, 20, 40, 20));
}

TEST_F(Ledgers, Promise3_WhatCanNeverFitIsRefusedAtOnce) {
  open(100);
  const Status reserved = reserve(101);
  ASSERT_FALSE(reserved);
  EXPECT_EQ(reserved.error().kind, ErrorKind::over_budget);
  EXPECT_EQ(reserved.error().message,
            "the next call may cost up to $0.000000000101, and $0.0000000001 of the budget are left");
  EXPECT_TRUE(control.over_budget);
  EXPECT_TRUE(budget->slices.empty());
}

TEST_F(Ledgers, WaitsForCallsInFlightThatMayLeaveEnough) {
  open(100);
  ASSERT_TRUE(reserve(80, 1));
  with_waiting({{50, 2}}, [&] {
    EXPECT_TRUE(ended.empty());
    settle(80, 40);
  });
  EXPECT_THAT(ended, ElementsAre("2"));
  EXPECT_FALSE(control.over_budget);
}

TEST_F(Ledgers, RefusesTheWaitingOnesWhenTheCallsInFlightCostTooMuch) {
  open(100);
  ASSERT_TRUE(reserve(80, 1));
  with_waiting({{50, 2}, {20, 3}}, [&] { settle(80, 60); });
  EXPECT_THAT(ended, ElementsAre("2 over_budget", "3"));
}

TEST_F(Ledgers, OlderRecordsGoFirst) {
  open(100);
  ASSERT_TRUE(reserve(100, 1));
  with_waiting({{30, 9}, {30, 4}, {30, 7}}, [&] {
    settle(100, 30);  // 4 and 7 may go; 9 may fit once it is known what they cost
    settle(30, 30);
    settle(30, 30);
  });
  EXPECT_THAT(ended, ElementsAre("4", "7", "9 over_budget"));
}

TEST_F(Ledgers, ANewRecordBeginsOnlyIfAllOfItsStepsFit) {
  open(100, 40);
  EXPECT_TRUE(ledger->admit(RecordIndex{0}));
  EXPECT_TRUE(ledger->admit(RecordIndex{1}));
  EXPECT_FALSE(ledger->admit(RecordIndex{2})) << "80 are held";
  ASSERT_TRUE(reserve(20, 0)) << "a first step, out of what is held";
  settle(20, 5);
  EXPECT_FALSE(ledger->admit(RecordIndex{2})) << "95 left, 20 and 40 held";
  ledger->release(RecordIndex{0});
  EXPECT_TRUE(ledger->admit(RecordIndex{2}));
}

TEST_F(Ledgers, ARecordThatNeededMoreIsRemembered) {
  open(1'000, 10);
  ASSERT_TRUE(ledger->admit(RecordIndex{0}));
  ASSERT_TRUE(reserve(200, 0));
  settle(200, 200);
  ledger->release(RecordIndex{0});
  for (std::int64_t record = 1; record <= 4; ++record) EXPECT_TRUE(ledger->admit(RecordIndex{record}));
  EXPECT_FALSE(ledger->admit(RecordIndex{5})) << "800 left, 200 for each";
}

TEST_F(Ledgers, Promise4_WasteIsCountedApartAndAsSpent) {
  open(100);
  ASSERT_TRUE(reserve(30));
  settle(30, 30, model::CallBill::End::wasted, true);
  ASSERT_TRUE(reserve(30));
  settle(30, 0, model::CallBill::End::free);
  ASSERT_TRUE(reserve(30));
  settle(30, 12);
  EXPECT_EQ(ledger->spent(), Money{42});
  EXPECT_EQ(ledger->waste().at("m"), (ModelUsage{1, {.input_tokens = 1}, Money{30}}));
  EXPECT_EQ(ledger->by_model().at("m"), (ModelUsage{2, {.input_tokens = 2}, Money{42}}));
  EXPECT_EQ(ledger->estimated_calls(), 1);
  EXPECT_FALSE(ledger->over_bound());
}

TEST_F(Ledgers, WhatAProviderTakesBeyondTheBoundIsBookedAndTold) {
  open(100);
  ASSERT_TRUE(reserve(30));
  settle(30, 50);
  EXPECT_TRUE(ledger->over_bound());
  EXPECT_EQ(ledger->left(), Money{50});
  ASSERT_TRUE(reserve(10));
  EXPECT_THAT(budget->slices, ElementsAre(30, 60)) << "a slice covers it before the next call";
}

TEST_F(Ledgers, ALostStoreHaltsTheRunAndFailsNoRecord) {
  open(100);
  budget->error = Error{ErrorKind::io, "the disk is gone"};
  const Status reserved = reserve(10);
  ASSERT_FALSE(reserved);
  EXPECT_EQ(reserved.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(control.halted, budget->error);
  EXPECT_EQ(ledger->reserved(), Money{});
}

TEST_F(Ledgers, OtherPartsMayBeFaster) {
  open(100);
  budget->unallocated = Money{20};  // another part took 80
  const Status reserved = reserve(30);
  ASSERT_FALSE(reserved);
  EXPECT_EQ(reserved.error().kind, ErrorKind::over_budget);
  EXPECT_EQ(ledger->left(), Money{20});
  EXPECT_TRUE(reserve(20));
}

TEST_F(Ledgers, TheFirstSliceMayBeLargeIfTheBudgetIs) {
  for (const auto& [unallocated, first] : {std::pair{8'000, 500}, std::pair{800, 100}, std::pair{40, 30}}) {
    budget = std::make_shared<JobBudget>(Money{unallocated});
    ledger.emplace(LedgerSettings{.unallocated = Money{unallocated}, .first_slice = Money{500}}, budget, control,
                   clock);
    ASSERT_TRUE(reserve(30));
    EXPECT_THAT(budget->slices, ElementsAre(first));
  }
}

TEST_F(Ledgers, TheTailIsNotForCalls) {
  budget = std::make_shared<JobBudget>(Money{100});
  ledger.emplace(LedgerSettings{.unallocated = Money{100}, .tail = Money{40}, .record_bound = Money{30}}, budget,
                 control, clock);
  EXPECT_EQ(reserve(61).error().kind, ErrorKind::over_budget);
  EXPECT_TRUE(ledger->admit(RecordIndex{1}));
  EXPECT_TRUE(ledger->admit(RecordIndex{2}));
  EXPECT_FALSE(ledger->admit(RecordIndex{3})) << "10 are left, and the tail";
  ASSERT_TRUE(await(ledger->pay_infrastructure({.compute = Money{40}}))) << "that is what it is for";
}

TEST_F(Ledgers, InfrastructureIsPaidOutOfSlicesWithSomeAhead) {
  open(100);
  ASSERT_TRUE(await(ledger->pay_infrastructure({.compute = Money{2}, .s3 = Money{1}, .s3_operations = 7})));
  EXPECT_THAT(budget->slices, ElementsAre(27));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(await(ledger->pay_infrastructure({.compute = Money{3}, .compute_ms = 10})));
  }
  EXPECT_EQ(budget->slices.size(), 1u);
  EXPECT_EQ(ledger->spent(), Money{27});
  EXPECT_EQ(ledger->infrastructure(), (Infrastructure{Money{26}, Money{1}, Money{}, 80, 7}));
  EXPECT_EQ(ledger->left(), Money{73});
}

TEST_F(Ledgers, Promise3_WhatRunsBesideModelsEndsTheRunWithTheBudget) {
  open(10);
  ASSERT_TRUE(reserve(8));
  settle(8, 8);
  const Status paid = await(ledger->pay_infrastructure({.dynamodb = Money{5}}));
  EXPECT_EQ(paid.error().kind, ErrorKind::over_budget);
  EXPECT_TRUE(control.over_budget);
  EXPECT_EQ(ledger->unspent(), Money{}) << "nothing is given back that was spent";
}

TEST_F(Ledgers, FreeCallsNeedNoSlice) {
  open(0);
  EXPECT_TRUE(reserve(0));
  EXPECT_TRUE(ledger->admit(RecordIndex{0}));
  EXPECT_TRUE(budget->slices.empty());
}

TEST_F(Ledgers, AStopEndsWhatWaits) {
  open(100);
  ASSERT_TRUE(reserve(100, 1));
  with_waiting({{50, 2}}, [&] { control.drain(); });
  EXPECT_THAT(ended, ElementsAre("2 cancelled"));
}

// A record of two steps with random bounds and costs; each call may be lost, refused or free.
async::Task<void> random_record(Ledgers* test, std::int64_t record, std::uint64_t seed) {
  CounterRandom random(seed, static_cast<std::uint64_t>(record), 1);
  for (std::int64_t step = 0; step < 2; ++step) {
    const auto bound = static_cast<std::int64_t>(1 + random.below(50));
    const Status reserved = co_await test->ledger->reserve(Money{bound}, {record, step});
    if (!reserved) break;
    EXPECT_LE(test->ledger->spent() + test->ledger->reserved(), test->ledger->spent() + test->ledger->unspent());
    (void)co_await async::sleep_for(static_cast<std::int64_t>(random.below(3)));
    const std::uint64_t fate = random.below(10);
    if (fate == 0) {
      test->settle(bound, bound, model::CallBill::End::wasted, true);
    } else if (fate == 1) {
      test->settle(bound, 0, model::CallBill::End::free);
    } else {
      test->settle(bound, static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound) + 1)));
    }
  }
  test->ledger->release(RecordIndex{record});
}

async::Task<std::int64_t> random_job(Ledgers* test, std::uint64_t seed) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  std::int64_t record = 0;
  while (record < 400 && !test->control.over_budget) {
    if (test->ledger->admit(RecordIndex{record})) {
      group.spawn(random_record(test, record++, seed));
    } else if (group.running() == 0) {
      break;
    } else {
      (void)co_await async::sleep_for(1);
    }
  }
  co_await group.join();
  co_return record;
}

// DESIGN.md promise 3, as a property: whatever calls cost, nothing is spent that was not there, and what stays unspent
// is less than what one more record may need.
TEST_F(Ledgers, Promise3_RandomJobsNeverCrossTheirBudget) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CounterRandom random(seed, 0, 7);
    const auto total = static_cast<std::int64_t>(100 + random.below(3'000));
    control.over_budget = false;
    open(total, 100);
    const std::int64_t records = await(random_job(this, seed));
    Money sliced;
    for (const std::int64_t slice : budget->slices) sliced += Money{slice};
    EXPECT_EQ(ledger->reserved(), Money{}) << seed;
    EXPECT_LE(ledger->spent(), sliced) << seed;
    EXPECT_EQ(sliced + budget->unallocated, Money{total}) << seed;
    EXPECT_EQ(ledger->unspent() + budget->unallocated, ledger->left()) << seed;
    if (records < 400) EXPECT_LT(ledger->left(), Money{100}) << seed << ": a record would have fitted";
  }
}

}  // namespace
}  // namespace palette::generate
