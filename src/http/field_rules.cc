#include "http/field_rules.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace palette::http {
namespace {

constexpr bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

bool is_value_character(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

// Names are short, and each of them is looked at with every request.
constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = is_token_character(static_cast<char>(i));
  return out;
}();

// Whether any of the eight bytes is below 0x20 or is 0x7f. Subtracting n (at most 128) from a byte borrows into its
// highest bit, which it did not have, if the byte is below n; a borrow may make the next byte look so too, but then
// that first one was.
bool any_control(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighest = 0x8080808080808080;
  const std::uint64_t deleted = word ^ (kOnes * 0x7f);  // zero where it stands
  return ((((word - kOnes * 0x20) & ~word) | ((deleted - kOnes) & ~deleted)) & kHighest) != 0;
}

// A signature has 300 bytes, a session token a thousand: eight at a time.
bool sound_value(std::string_view value) {
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= value.size(); i += sizeof word) {
    std::memcpy(&word, value.data() + i, sizeof word);
    if (any_control(word) && !std::ranges::all_of(value.substr(i, sizeof word), is_value_character)) return false;
  }
  return std::ranges::all_of(value.substr(i), is_value_character);
}

}  // namespace

bool sound_method(std::string_view method) {
  return !method.empty() &&
         std::ranges::all_of(method, [](char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; });
}

bool sound_field(std::string_view name, std::string_view value) { return sound_method(name) && sound_value(value); }

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [name](std::string_view one) {
    return one.size() == name.size() && strncasecmp(one.data(), name.data(), name.size()) == 0;
  });
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace palette::http
