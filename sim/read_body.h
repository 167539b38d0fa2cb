// What the readers of request bodies share: members of JSON objects, with errors in the services' manner.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call.h"

namespace palette::sim {

// A member; null when it is absent or JSON null.
const Json* member(const JsonObject& object, std::string_view key);

// Absent: nothing. Of another kind, or out of its range: bad_input that names `where`.
Result<std::optional<std::int64_t>> read_count(const JsonObject& object, std::string_view key, std::string_view where);
Result<std::optional<double>> read_share(const JsonObject& object, std::string_view key, std::string_view where,
                                         double most);
Result<std::vector<std::string>> read_stop(const Json* value, std::string_view where);

// Where the sampling parameters stand; empty: this body has no such parameter.
struct SamplingNames {
  std::string_view max_tokens, temperature, top_p, stop;
  std::string_view where;  // "inferenceConfig."
};
// Fills in max_tokens, stop and has_…; the parameters become part of the prompt's hash.
Status read_sampling(const JsonObject& object, const SamplingNames& names, Call& call, PromptMeter& meter);

// {"text": …} and cache points of a list; every other block counts as its JSON text.
Status read_blocks(const Json& blocks, std::string_view where, PromptMeter& meter);

// Roles alternate and begin with the user's; system messages stand outside.
Status check_roles(const std::vector<std::string_view>& roles);

// The call of what was metered.
Call metered(Shape shape, std::string model, const PromptMeter& meter, Call call);

}  // namespace palette::sim
