// int(text) and float(text) of Python.
#pragma once

#include <optional>
#include <string_view>

#include "jinja/value.h"

namespace palette::jinja {

// nullopt when the text is no integer of that base (0: by its prefix). Fails beyond 64 bits.
std::optional<Value> parse_int(std::string_view text, int base);
std::optional<double> parse_float(std::string_view text);

}  // namespace palette::jinja
