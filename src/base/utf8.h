// UTF-8 helpers shared by readers and messages.
#pragma once

#include <cstddef>
#include <string_view>

namespace palette {

// The byte offset of the first invalid sequence (RFC 3629: no surrogates, no overlong forms), or npos.
std::size_t find_invalid_utf8(std::string_view text);

// How many code points valid UTF-8 holds.
std::size_t count_code_points(std::string_view text);

// The longest prefix of at most `bytes` that does not cut a code point.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace palette
