// Bytes as base64 (RFC 4648 section 4, with padding), as DynamoDB's B and BS have them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::aws {

void append_base64(std::string& out, std::string_view bytes);
// corrupt for what is no base64: other characters, wrong padding or length.
Result<std::string> bytes_from_base64(std::string_view text);

}  // namespace palette::aws
