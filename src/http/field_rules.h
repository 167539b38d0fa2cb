// What a header field may be, and how it goes on the wire (RFC 9110 section 5).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace palette::http {

// A name of token characters, and a value without line breaks or other control characters: anything else would let
// a value become a field, or a message, of its own.
bool sound_field(std::string_view name, std::string_view value);
bool sound_method(std::string_view method);

// Without case.
bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names);

void append_field(std::string& head, std::string_view name, std::string_view value);

}  // namespace palette::http
