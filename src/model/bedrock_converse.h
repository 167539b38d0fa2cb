// Amazon Bedrock's Converse: one shape for all models (API reference, Converse). Pure functions.
//
//   std::string body = converse_body(request, model);            // POST /model/{id}/converse
//   ProviderResult result = parse_converse(answer.body, model);  // of a 2xx
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/provider.h"

namespace palette::model {

// Only what the user set is sent; `additional_fields` become additionalModelRequestFields as they stand.
std::string converse_body(const ModelRequest& request, const job::ResolvedModel& model);

// Text blocks are joined, reasoning and unknown blocks skipped; without text, the inputs of tool uses are the answer,
// as JSON, each on a line. A failure says what may have been paid for.
ProviderResult parse_converse(std::string_view body, const job::ResolvedModel& model);

// The same of what was parsed: Nova's answers to InvokeModel have this shape, too. `body` is for messages, `told` the
// usage where the answer has none.
ProviderResult read_converse(const JsonObject& answer, std::string_view body, std::optional<Usage> told,
                             const job::ResolvedModel& model);

}  // namespace palette::model
