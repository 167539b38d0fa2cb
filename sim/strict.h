// What Bedrock refuses of a call that is well formed, because of the model it names.
#pragma once

#include "call.h"
#include "model_table.h"

namespace palette::sim {

// bad_input in the service's words: a base id that only a profile may call, a parameter that the model does not take,
// more max_tokens than it has. Models that the catalogue does not know are let through.
Status check_model_rules(const Call& call, const Model& model);

// CountTokens takes ids of foundation models only.
Status check_counts_tokens(const Model& model, bool strict);

// An inference profile: us.anthropic.…, or an ARN of one.
bool is_profile(std::string_view model_id);

}  // namespace palette::sim
