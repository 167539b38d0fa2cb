// How numbers, names and strings look inside a tag.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "jinja/value.h"

namespace palette::jinja {

// How many bytes of `rest` are one such token; 0 when it does not begin with one.
std::size_t float_length(std::string_view rest);
std::size_t integer_length(std::string_view rest);
std::size_t name_length(std::string_view rest);
std::size_t string_length(std::string_view rest);  // with its quotes

Value float_value(std::string_view token);
std::optional<Value> integer_value(std::string_view token);  // nullopt: more than 64 bits
bool is_identifier(std::string_view name);

}  // namespace palette::jinja
