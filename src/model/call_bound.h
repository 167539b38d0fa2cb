// The most that one call can cost, before it is made (DESIGN.md promise 3).
//
// Input: every token of a byte-level tokenizer covers at least one byte, so the UTF-8 bytes of all texts, and 16 tokens
// a message and 64 a request for what the provider puts around them, bound it from above; at the price of the dearest
// kind of input. Output: max_tokens, or the most that the model can say.
#pragma once

#include <cstdint>
#include <optional>

#include "base/money.h"
#include "job/catalogue.h"
#include "model/model.h"

namespace palette::model {

inline constexpr std::int64_t kTokensAroundMessage = 16;
inline constexpr std::int64_t kTokensAroundRequest = 64;

struct CallBound {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  Money cost;  // zero when the model has no price
};

// Of max_tokens and the model: nothing when neither says how long an answer can be.
std::optional<std::int64_t> output_tokens_max(const job::CallOptions& options, const job::ResolvedModel& model);

// `output_tokens`: of output_tokens_max, or zero.
CallBound bound_of(const ModelRequest& request, std::int64_t output_tokens, const job::TokenPrices& prices);

// What a call of so many tokens cost.
Money cost_of(const Usage& usage, const job::TokenPrices& prices);

}  // namespace palette::model
