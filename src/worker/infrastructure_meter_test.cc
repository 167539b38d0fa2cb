#include "worker/infrastructure_meter.h"

#include <gtest/gtest.h>

namespace palette::worker {
namespace {

class HandClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{ms}; }
  std::int64_t monotonic_ms() const override { return ms; }
  std::int64_t ms = 0;
};

MeteredParts quarter_of_a_vcpu() {
  MeteredParts parts;
  parts.task.emplace();
  parts.task->vcpu_thousandths = 250;
  parts.task->memory_mib = 512;
  parts.prices.vcpu_second = 4'000'000;
  parts.prices.gb_second = 2'000'000;
  return parts;
}

TEST(InfrastructureMeter, OffEcsComputeCostsNothing) {
  HandClock clock;
  InfrastructureMeter meter({}, clock);
  clock.ms = 100'000;
  EXPECT_EQ(meter.take(10'000), generate::Infrastructure{});
  EXPECT_EQ(meter.compute_cost(1'000), Money{});
}

// A quarter of a vCPU is 1,000,000 pico-dollars a second, half a GB another 1,000,000.
TEST(InfrastructureMeter, ComputeIsPaidAhead) {
  HandClock clock;
  InfrastructureMeter meter(quarter_of_a_vcpu(), clock);
  EXPECT_EQ(meter.compute_cost(1'500), Money{3'000'000});
  generate::Infrastructure cost = meter.take(15'000);
  EXPECT_EQ(cost.compute, Money{30'000'000});
  EXPECT_EQ(cost.compute_ms, 15'000);
  clock.ms = 10'000;
  EXPECT_EQ(meter.take(0).compute, Money{}) << "paid already";
  clock.ms = 16'000;
  EXPECT_EQ(meter.take(15'000).compute_ms, 16'000);
  clock.ms = 60'000;
  meter.begin();
  EXPECT_EQ(meter.take(0).compute, Money{}) << "time between two parts is nobody's";
}

}  // namespace
}  // namespace palette::worker
