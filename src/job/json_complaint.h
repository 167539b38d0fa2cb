// What the JSON parser says, in words that tell a user what to do.
#pragma once

#include <string_view>

#include "base/result.h"

namespace palette::job {

// `error` of parse_json(text), with a message that says what was found: "this is not valid JSON: found '}' after a
// comma; …".
Error json_complaint(std::string_view text, Error error);

}  // namespace palette::job
