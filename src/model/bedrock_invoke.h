// Amazon Bedrock's InvokeModel: every family of models has a body and an answer of its own (user guide, "Inference
// request parameters and response fields for foundation models"). For models without Converse. Pure functions.
//
//   std::string body = invoke_body(request, model);                      // POST /model/{id}/invoke
//   ProviderResult result = parse_invoke(answer.body, counts, model);    // of a 2xx
#pragma once

#include <string>
#include <string_view>

#include "model/provider.h"

namespace palette::model {

// Only what the user set is sent (but for Anthropic's max_tokens, which must be there: the model's limit, or
// kAnthropicMaxTokens). `additional_fields` are merged in at the top, and win over ours except where the program owns
// the field. The model has a family other than `other`.
std::string invoke_body(const ModelRequest& request, const job::ResolvedModel& model);

inline constexpr std::int64_t kAnthropicMaxTokens = 4096;

// Of the answer's headers X-Amzn-Bedrock-<…>-Token-Count; empty where there is none.
struct TokenHeaders {
  std::string_view input, output, cache_read, cache_write;
};

// Usage is the body's; where that has none, the headers'.
ProviderResult parse_invoke(std::string_view body, const TokenHeaders& headers, const job::ResolvedModel& model);

}  // namespace palette::model
