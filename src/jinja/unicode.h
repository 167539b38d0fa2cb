// What Python's str knows of code points: classes and full case mappings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace palette::jinja {

bool is_space_point(char32_t point);
bool is_printable_point(char32_t point);
bool is_alpha_point(char32_t point);
bool is_decimal_point(char32_t point);
bool is_digit_point(char32_t point);
bool is_numeric_point(char32_t point);
bool is_lower_point(char32_t point);
bool is_upper_point(char32_t point);
bool is_title_point(char32_t point);
bool is_word_point(char32_t point);  // \w of Python's re
bool is_name_start(char32_t point);  // may begin an identifier
bool is_name_part(char32_t point);
int decimal_value(char32_t point);  // 0-9, or -1

// Python's str.lower(), upper(), title(), capitalize(), swapcase(), casefold().
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string to_title(std::string_view text);
std::string to_capitalized(std::string_view text);
std::string to_swapped(std::string_view text);

// The code point at `at`, which moves past it. Bytes that are no UTF-8 count as one code point each.
char32_t next_point(std::string_view text, std::size_t& at);
void append_point(std::string& out, char32_t point);

}  // namespace palette::jinja
