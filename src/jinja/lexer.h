// Cuts a template's source into tokens: text between tags, and what stands inside tags. Whitespace control
// ({%-, trim_blocks, lstrip_blocks, line statements, raw blocks) is settled here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/environment.h"
#include "jinja/value.h"

namespace palette::jinja {

enum class TokenKind : std::uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  floating,
  add,
  sub,
  mul,
  div,
  floordiv,
  mod,
  pow,
  tilde,
  lbracket,
  rbracket,
  lparen,
  rparen,
  lbrace,
  rbrace,
  eq,
  ne,
  gt,
  gteq,
  lt,
  lteq,
  assign,
  dot,
  colon,
  pipe,
  comma,
  semicolon,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::string_view text;  // of the source; of data: what is left of it
  Value value;            // of strings (decoded) and numbers
};

// `source` has "\n" line ends only (see normalized_source) and outlives the tokens. Fails with a Fault.
std::vector<Token> tokenize(std::string_view source, const Settings& settings);

// The source with "\n" for every line end, and without one newline at the end unless it is kept.
std::string normalized_source(std::string_view source, const Settings& settings);

// "name 'x'", "'}}'", "end of template", …: for messages.
std::string describe(const Token& token);
std::string_view describe(TokenKind kind);

// The text of a string literal between its quotes, with its escapes resolved; sets `problem` when it has a wrong one.
std::string unescape_literal(std::string_view body, std::string& problem);

}  // namespace palette::jinja
