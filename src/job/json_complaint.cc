#include "job/json_complaint.h"

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "base/utf8.h"

namespace palette::job {
namespace {

// The offset of a position; lines end with a line feed.
std::size_t offset_of(std::string_view text, std::uint32_t line, std::uint32_t column) {
  std::size_t offset = 0;
  for (std::uint32_t i = 1; i < line; ++i) offset = std::min(text.find('\n', offset), text.size() - 1) + 1;
  return std::min(offset + column - 1, text.size());
}

std::string syntax_error(std::string_view text, std::size_t at) {
  const std::string_view character = utf8_prefix(text.substr(at), 4);
  const std::string_view first = character.substr(0, 1);
  const std::size_t last = at == 0 ? std::string_view::npos : text.find_last_not_of(" \t\r\n", at - 1);
  const char before = last == std::string_view::npos ? '\0' : text[last];
  if (static_cast<unsigned char>(text[at]) < 0x20)
    return "found a control character inside a string; write it as \\n, \\t or \\u00XX";
  if ((first == "}" || first == "]") && before == ',')
    return "found '" + std::string(first) + "' after a comma; remove the comma";
  if (first == "'") return "found '; JSON puts strings and keys in double quotes";
  if (first == "/" || first == "#") return "found '" + std::string(first) + "'; JSON has no comments, YAML does";
  const bool begins_value = first == "\"" || first == "{" || first == "[";
  const bool after_value = before == '"' || before == '}' || before == ']' || (before >= '0' && before <= '9');
  if (begins_value && after_value) return "found '" + std::string(first) + "' where a comma is expected";
  // One whole character.
  std::size_t bytes = 1;
  while (bytes < character.size() && (static_cast<unsigned char>(character[bytes]) & 0xC0) == 0x80) ++bytes;
  std::string found = "found '" + std::string(character.substr(0, bytes)) + "'";
  if (before == '"' || before == '}' || before == ']' || before == ',' || before == '{' || before == '[' ||
      before == ':') {
    found += " after '" + std::string(1, before) + "'";
  }
  return found + ", which cannot stand there";
}

}  // namespace

Error json_complaint(std::string_view text, Error error) {
  const std::size_t at = offset_of(text, error.line, error.column);
  const bool is_over = text.find_first_not_of(" \t\r\n", at) == std::string_view::npos;
  const std::string prefix = "this is not valid JSON: ";
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    error.message = prefix + "there is nothing in it";
  } else if (error.message.ends_with("incomplete JSON")) {
    error.message = prefix + "it ends too early; a bracket or a quote is not closed";
  } else if (error.message.ends_with("extra data")) {
    error.message = prefix + "it goes on after its value";
  } else if (error.message.ends_with("too deep")) {
    error.message = prefix + "it nests deeper than " + std::to_string(limits::kJsonDepth) + " levels, the limit";
  } else if (error.message.ends_with("syntax error") && !is_over) {
    error.message = prefix + syntax_error(text, at);
  }
  return error;
}

}  // namespace palette::job
