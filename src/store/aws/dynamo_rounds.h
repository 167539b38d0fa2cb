// What the writes have in common that start anew from what they met: how often, and what a refused transaction says.
#pragma once

#include <cstddef>
#include <string>

#include "aws/dynamodb.h"
#include "store/job_store.h"

namespace palette::store {

// How often an owner's write starts anew from what it met; each time it saw the newest state, so more than one or two
// are the work of another program in the same table.
inline constexpr int kRoundsMax = 5;

inline const aws::DynamoItem* item_of_reason(const aws::DynamoFailure& failure, std::size_t action) {
  if (action >= failure.reasons.size() || !failure.reasons[action].item) return nullptr;
  return &*failure.reasons[action].item;
}

inline bool failed_its_condition(const aws::DynamoFailure& failure, std::size_t action) {
  return action < failure.reasons.size() && failure.reasons[action].code == "ConditionalCheckFailed";
}

inline std::unexpected<Error> keeps_changing(const QueueItem& held) {
  return fail(ErrorKind::conflict, "what job '" + held.job.text + "' says about part " +
                                       std::to_string(held.part.value) +
                                       " keeps changing under its owner: does another program write to the table?");
}

}  // namespace palette::store
