// Models that take one prompt text instead of messages, each with marks of its own around the turns. A mark that stands
// in a user's text is taken apart with a space, so that no text can end its turn and speak as another.
#pragma once

#include <string>
#include <string_view>

#include "model/provider.h"

namespace palette::model {

// Meta Llama 3 (model card, "Llama 3 instruct"): header tokens around the role, <|eot_id|> at a turn's end. A last
// message of the assistant's is left open.
std::string llama_prompt(const ModelRequest& request, const job::ResolvedModel& model);

// Mistral instruct: <s>[INST] … [/INST]; the system text stands in the first turn.
std::string mistral_prompt(const ModelRequest& request);

// Amazon Titan Text: lines of "User: " and "Bot: "; the system text stands in front.
std::string titan_prompt(const ModelRequest& request);

// "<|eot_id|>" becomes "< |eot_id|>": any name of letters, digits and _ between <| and |>.
std::string without_llama_marks(std::string_view text);
// "[INST]" becomes "[ INST]": the control tokens of Mistral's tokenizers, and <s> and </s>.
std::string without_mistral_marks(std::string_view text);

}  // namespace palette::model
