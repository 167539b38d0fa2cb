#include "generate/job_slices.h"

#include <utility>

#include "base/limits.h"

namespace palette::generate {
namespace {

class JobSlices final : public SliceSource {
 public:
  JobSlices(store::JobStore& jobs, store::QueueItem held) : jobs_(jobs), held_(std::move(held)) {}

  async::Task<Result<Answer>> take(std::int64_t slice_no, Money amount) override {
    const Result<store::SliceAnswer> answer = co_await jobs_.take_slice(held_, slice_no, amount);
    if (!answer) co_return std::unexpected(answer.error());
    co_return Answer{answer->granted, answer->unallocated};
  }

 private:
  store::JobStore& jobs_;
  store::QueueItem held_;
};

}  // namespace

std::shared_ptr<SliceSource> slices_of(store::JobStore& jobs, store::QueueItem held) {
  return std::make_shared<JobSlices>(jobs, std::move(held));
}

Money budget_or_largest(const std::optional<Money>& limit) {
  return limit.value_or(Money::of(limits::kBudgetUsdMax, 1'000'000'000'000));
}

Money given_to_slices(const store::JobItem& job) { return budget_or_largest(job.budget_limit) - job.unallocated; }

}  // namespace palette::generate
