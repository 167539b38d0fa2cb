// What the services answer when they fail, for each fault that has an answer of its own.
#pragma once

#include "base/random.h"
#include "call.h"
#include "faults.h"
#include "quota.h"
#include "replies.h"

namespace palette::sim {

// Of every fault but hang, cut, half, malformed and empty, which spoil an answer instead of replacing it (see
// is_spoiled_answer). `random` decides whether a throttled call is told when to come back.
http::Response fault_reply(const Call& call, Fault fault, CounterRandom& random);

// 429 because of --rpm or --tpm.
http::Response quota_reply(const Call& call, const Quota::Refusal& refusal, const Quota::Limits& limits);

// OpenAI's x-ratelimit-* headers: limits, what is left of them, and when they are whole again.
void add_rate_limits(const Quota& quota, const Quota::Limits& limits, std::int64_t now_ms, http::Headers& headers);

// Refused before anything is generated, so without any latency.
bool is_immediate(Fault fault);
bool is_spoiled_answer(Fault fault);

}  // namespace palette::sim
