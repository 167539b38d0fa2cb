#include "worker/infrastructure_meter.h"

#include <algorithm>
#include <utility>

namespace palette::worker {
namespace {

// A transaction takes twice what its writes would, and most requests of a worker are writes of items up to 1 KB, or
// transactions of a few of them.
constexpr std::int64_t kUnitsOfRequest = 2;

}  // namespace

InfrastructureMeter::InfrastructureMeter(MeteredParts parts, const Clock& clock)
    : parts_(std::move(parts)), clock_(clock) {
  begin();
}

InfrastructureMeter::Requests InfrastructureMeter::requests() const {
  Requests out;
  if (parts_.s3 != nullptr) {
    const aws::S3Stats stats = parts_.s3->stats();
    out.puts = stats.puts + stats.lists;  // a listing costs what a put does
    out.gets = stats.gets;
  }
  if (parts_.dynamodb != nullptr) out.dynamodb = parts_.dynamodb->stats().requests;
  return out;
}

void InfrastructureMeter::begin() {
  paid_until_ms_ = clock_.monotonic_ms();
  paid_ = requests();
}

Money InfrastructureMeter::compute_cost(std::int64_t duration_ms) const {
  if (!parts_.task) return {};
  // Of a second, so that no product overflows: a task of 16 vCPU and 120 GB costs under $0.0004 a second.
  const std::int64_t second = parts_.task->vcpu_thousandths * parts_.prices.vcpu_second / 1'000 +
                              parts_.task->memory_mib * parts_.prices.gb_second / 1'024;
  return Money{Money::of(duration_ms, second).pico / 1'000};
}

generate::Infrastructure InfrastructureMeter::take(std::int64_t ahead_ms) {
  generate::Infrastructure out;
  const std::int64_t until_ms = std::max(paid_until_ms_, clock_.monotonic_ms() + ahead_ms);
  if (parts_.task) out.compute_ms = until_ms - paid_until_ms_;
  out.compute = compute_cost(out.compute_ms);
  paid_until_ms_ = until_ms;
  const Requests now = requests();
  out.s3 =
      Money::of(now.puts - paid_.puts, parts_.prices.s3_put) + Money::of(now.gets - paid_.gets, parts_.prices.s3_get);
  out.s3_operations = now.puts - paid_.puts + now.gets - paid_.gets;
  out.dynamodb = Money::of((now.dynamodb - paid_.dynamodb) * kUnitsOfRequest, parts_.prices.dynamodb_write_unit);
  paid_ = now;
  return out;
}

}  // namespace palette::worker
