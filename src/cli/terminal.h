// The terminal, if there is one: colours, width, figures for people.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace palette::cli {

bool is_terminal(std::FILE* stream);

// Columns of the terminal at stderr; 80 when it does not say.
std::size_t terminal_width();

enum class Style : std::uint8_t { plain, bold, dim, good, warning, error };

// The text in that style, or as it is: colours only on a terminal, and not under NO_COLOR.
std::string styled(std::FILE* stream, Style style, std::string_view text);

std::string grouped(std::int64_t number);                         // 12,345
std::string duration_text(std::int64_t ms);                       // 850 ms, 12.3 s, 4 min 05 s, 2 h 03 min
std::string dollars(std::string_view decimal);                    // $0.0125, $0.50, $3.00
std::string counted(std::int64_t number, std::string_view noun);  // 1 record, 12,345 records

// How many columns a text takes: two for a wide character (Chinese, an emoji), none for a combining one.
std::size_t columns_of(std::string_view text);

// Cut to `columns` with an ellipsis, never inside a character; control characters become blanks.
std::string one_line(std::string_view text, std::size_t columns);

}  // namespace palette::cli
