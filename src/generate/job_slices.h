// Slices of a job's budget, for the part that is held: taken from the Jobs item.
#pragma once

#include <memory>
#include <optional>

#include "base/money.h"
#include "generate/ledger.h"
#include "store/job_store.h"

namespace palette::generate {

// `jobs` must outlive it.
std::shared_ptr<SliceSource> slices_of(store::JobStore& jobs, store::QueueItem held);

// A job without a budget has the largest there can be, so that its slices are counted all the same.
Money budget_or_largest(const std::optional<Money>& limit);

// What was given to slices so far, by all attempts of all parts, less what came back.
Money given_to_slices(const store::JobItem& job);

}  // namespace palette::generate
