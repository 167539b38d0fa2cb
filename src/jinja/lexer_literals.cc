#include "jinja/lexer_literals.h"

#include <charconv>
#include <string>

#include "jinja/lexer.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int digit_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// (\d+_)*\d+
std::size_t digits_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) {
    ++at;
    if (at + 1 < text.size() && text[at] == '_' && is_digit(text[at + 1])) ++at;
  }
  return at;
}

std::string without_underscores(std::string_view token) {
  std::string text;
  for (char c : token) {
    if (c != '_') text.push_back(c);
  }
  return text;
}

std::size_t prefixed_length(std::string_view rest, int base) {
  std::size_t at = 2;
  while (at < rest.size()) {
    std::size_t digit = rest[at] == '_' ? at + 1 : at;
    if (digit >= rest.size() || digit_of(rest[digit]) >= base) break;
    at = digit + 1;
  }
  return at > 2 ? at : 0;
}

}  // namespace

std::size_t float_length(std::string_view rest) {
  std::size_t whole = digits_length(rest);
  if (whole == 0) return 0;
  std::size_t at = whole;
  bool fraction = false;
  if (at + 1 < rest.size() && rest[at] == '.') {
    std::size_t digits = digits_length(rest.substr(at + 1));
    if (digits > 0) {
      fraction = true;
      at += 1 + digits;
    }
  }
  if (at < rest.size() && (rest[at] == 'e' || rest[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < rest.size() && (rest[exponent] == '+' || rest[exponent] == '-')) ++exponent;
    std::size_t digits = digits_length(rest.substr(exponent));
    if (digits > 0) return exponent + digits;
  }
  return fraction ? at : 0;
}

std::size_t integer_length(std::string_view rest) {
  if (rest.empty() || !is_digit(rest[0])) return 0;
  if (rest[0] == '0') {
    if (rest.size() > 2) {
      char mark = static_cast<char>(rest[1] | 0x20);
      std::size_t length = mark == 'b'   ? prefixed_length(rest, 2)
                           : mark == 'o' ? prefixed_length(rest, 8)
                           : mark == 'x' ? prefixed_length(rest, 16)
                                         : 0;
      if (length > 0) return length;
    }
    std::size_t at = 1;
    while (at < rest.size()) {
      std::size_t digit = rest[at] == '_' ? at + 1 : at;
      if (digit >= rest.size() || rest[digit] != '0') break;
      at = digit + 1;
    }
    return at;
  }
  return digits_length(rest);
}

std::size_t name_length(std::string_view rest) {
  std::size_t at = 0;
  while (at < rest.size()) {
    std::size_t after = at;
    char32_t point = next_point(rest, after);
    bool part = point < 0x80 ? point == '_' || is_digit(static_cast<char>(point)) || (point >= 'a' && point <= 'z') ||
                                   (point >= 'A' && point <= 'Z')
                             : is_name_part(point) || is_word_point(point);
    if (!part) break;
    at = after;
  }
  return at;
}

std::size_t string_length(std::string_view rest) {
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '\\') {
      ++at;
    } else if (rest[at] == rest[0]) {
      return at + 1;
    }
  }
  return 0;
}

Value float_value(std::string_view token) {
  std::string text = without_underscores(token);
  double value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  // from_chars leaves the value alone where strtod would give 0 or infinity.
  if (problem == std::errc::result_out_of_range) value = std::strtod(text.c_str(), nullptr);
  return Value::of(value);
}

std::optional<Value> integer_value(std::string_view token) {
  std::string text = without_underscores(token);
  int base = 10;
  std::size_t skip = 0;
  if (text.size() > 2 && text[0] == '0') {
    char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'b' ? 2 : mark == 'o' ? 8 : mark == 'x' ? 16 : 10;
    skip = base == 10 ? 0 : 2;
  }
  std::int64_t value = 0;
  auto [end, problem] = std::from_chars(text.data() + skip, text.data() + text.size(), value, base);
  if (problem != std::errc()) return std::nullopt;
  return Value::of(value);
}

bool is_identifier(std::string_view name) {
  std::size_t at = 0;
  bool first = true;
  while (at < name.size()) {
    char32_t point = next_point(name, at);
    bool good = point == '_' || (first ? is_name_start(point) : is_name_part(point));
    if (!good) return false;
    first = false;
  }
  return !first;
}

std::string unescape_literal(std::string_view body, std::string& problem) {
  std::string out;
  out.reserve(body.size());
  auto hex = [&](std::size_t& at, std::size_t digits, const char* form) {
    std::uint32_t point = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at) {
      int digit = at < body.size() ? digit_of(body[at]) : 99;
      if (digit >= 16) {
        problem = std::string("truncated ") + form + " escape in a string";
        return;
      }
      point = point * 16 + static_cast<std::uint32_t>(digit);
    }
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      problem = std::string("the ") + form + " escape in a string is not a character";
      return;
    }
    append_point(out, point);
  };
  for (std::size_t at = 0; at < body.size() && problem.empty();) {
    char c = body[at++];
    if (c != '\\' || at == body.size()) {
      out.push_back(c);
      continue;
    }
    char escape = body[at++];
    constexpr std::string_view kFrom = "\\'\"abfnrtv";
    constexpr std::string_view kTo = "\\'\"\a\b\f\n\r\t\v";
    if (std::size_t simple = kFrom.find(escape); simple != std::string_view::npos) {
      out.push_back(kTo[simple]);
    } else if (escape == 'x') {
      hex(at, 2, "\\xXX");
    } else if (escape == 'u') {
      hex(at, 4, "\\uXXXX");
    } else if (escape == 'U') {
      hex(at, 8, "\\UXXXXXXXX");
    } else if (escape == 'N') {
      problem = "\\N{…} escapes in strings are not supported; write the character or \\uXXXX";
    } else if (escape == '\n') {
      continue;
    } else if (escape >= '0' && escape <= '7') {
      std::uint32_t point = static_cast<std::uint32_t>(escape - '0');
      for (int i = 0; i < 2 && at < body.size() && body[at] >= '0' && body[at] <= '7'; ++i, ++at) {
        point = point * 8 + static_cast<std::uint32_t>(body[at] - '0');
      }
      append_point(out, point);
    } else {
      out.push_back('\\');
      out.push_back(escape);
    }
  }
  return out;
}

std::string_view describe(TokenKind kind) {
  constexpr std::string_view kNames[] = {"template text",
                                         "begin of print statement",
                                         "end of print statement",
                                         "begin of statement block",
                                         "end of statement block",
                                         "name",
                                         "string",
                                         "integer",
                                         "float",
                                         "+",
                                         "-",
                                         "*",
                                         "/",
                                         "//",
                                         "%",
                                         "**",
                                         "~",
                                         "[",
                                         "]",
                                         "(",
                                         ")",
                                         "{",
                                         "}",
                                         "==",
                                         "!=",
                                         ">",
                                         ">=",
                                         "<",
                                         "<=",
                                         "=",
                                         ".",
                                         ":",
                                         "|",
                                         ",",
                                         ";",
                                         "end of template"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string describe(const Token& token) {
  if (token.kind == TokenKind::name) return "'" + std::string(token.text) + "'";
  if (token.kind == TokenKind::string || token.kind == TokenKind::integer || token.kind == TokenKind::floating) {
    return std::string(token.text.substr(0, 40));
  }
  if (token.kind == TokenKind::end || token.kind <= TokenKind::block_end) return std::string(describe(token.kind));
  return "'" + std::string(describe(token.kind)) + "'";
}

}  // namespace palette::jinja
