// Strings by code points, with fast ways for ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

std::size_t code_points(const Value& string);
std::size_t count_points(std::string_view text);
// The byte offset of the code point number `position` (text.size() when there are fewer).
std::size_t point_offset(std::string_view text, std::size_t position);
// Code points [start, stop).
std::string_view point_range(std::string_view text, std::size_t start, std::size_t stop);

// Without whitespace (of Python's kind), or without any of `chars`, at the ends.
enum class Side : std::uint8_t { both, left, right };
std::string_view strip_space(std::string_view text, Side side);
std::string_view strip_chars(std::string_view text, std::string_view chars, Side side);
bool is_space_text(std::string_view text);  // not empty, whitespace only

// Python's str.split() without a separator: at runs of whitespace, at most `most` times (-1: no limit).
std::vector<std::string_view> split_space(std::string_view text, std::int64_t most);
std::vector<std::string_view> split_space_right(std::string_view text, std::int64_t most);
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most);
std::vector<std::string_view> split_at_right(std::string_view text, std::string_view separator, std::int64_t most);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

// text.find(what), in linear time whatever the texts are; npos when it is not there.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from = 0);
// Every `from` becomes `to`, at most `most` times (-1: all). An empty `from` stands between code points.
std::string replace_text(std::string_view text, std::string_view from, std::string_view to, std::int64_t most);

// & < > ' " as markupsafe escapes them.
void append_escaped(std::string& out, std::string_view text);

}  // namespace palette::jinja
