#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "jinja/fault.h"
#include "jinja/lexer_literals.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

enum class Tag : std::uint8_t { comment, block, variable, line_statement, line_comment };

struct Rule {
  Tag tag;
  std::string_view start;
  std::string_view name;  // Jinja's, for its order among rules of one length
};

struct Operator {
  std::string_view text;
  TokenKind kind;
};

constexpr std::array kOperators = {
    Operator{"//", TokenKind::floordiv}, Operator{"**", TokenKind::pow},      Operator{"==", TokenKind::eq},
    Operator{"!=", TokenKind::ne},       Operator{">=", TokenKind::gteq},     Operator{"<=", TokenKind::lteq},
    Operator{"+", TokenKind::add},       Operator{"-", TokenKind::sub},       Operator{"/", TokenKind::div},
    Operator{"*", TokenKind::mul},       Operator{"%", TokenKind::mod},       Operator{"~", TokenKind::tilde},
    Operator{"[", TokenKind::lbracket},  Operator{"]", TokenKind::rbracket},  Operator{"(", TokenKind::lparen},
    Operator{")", TokenKind::rparen},    Operator{"{", TokenKind::lbrace},    Operator{"}", TokenKind::rbrace},
    Operator{">", TokenKind::gt},        Operator{"<", TokenKind::lt},        Operator{"=", TokenKind::assign},
    Operator{".", TokenKind::dot},       Operator{":", TokenKind::colon},     Operator{"|", TokenKind::pipe},
    Operator{",", TokenKind::comma},     Operator{";", TokenKind::semicolon},
};

class Lexer {
 public:
  Lexer(std::string_view source, const Settings& settings) : source_(source), settings_(settings) {
    rules_ = {Rule{Tag::comment, settings.comment_start, "comment_begin"},
              Rule{Tag::block, settings.block_start, "block_begin"},
              Rule{Tag::variable, settings.variable_start, "variable_begin"}};
    if (!settings.line_statement_prefix.empty()) {
      rules_.push_back({Tag::line_statement, settings.line_statement_prefix, "linestatement_begin"});
    }
    if (!settings.line_comment_prefix.empty()) {
      rules_.push_back({Tag::line_comment, settings.line_comment_prefix, "linecomment_begin"});
    }
    std::ranges::sort(rules_, [](const Rule& a, const Rule& b) {
      return a.start.size() != b.start.size() ? a.start.size() > b.start.size() : a.name > b.name;
    });
    only_tags_ = settings.line_statement_prefix.empty() && settings.line_comment_prefix.empty();
    for (const Rule& rule : rules_) first_[static_cast<unsigned char>(rule.start[0])] = true;
  }

  std::vector<Token> run() {
    tokens_.reserve(source_.size() / 8 + 8);
    while (at_ < source_.size()) lex_root();
    add(TokenKind::end, at_, {});
    return std::move(tokens_);
  }

 private:
  struct Match {
    const Rule* rule = nullptr;
    bool raw = false;
    std::size_t begin = 0;  // where the tag (with a line statement's indent) starts
    std::size_t end = 0;    // after start string and sign
    char sign = 0;
  };

  [[noreturn]] void fail(std::size_t offset, std::string message) {
    move_to(offset);
    Fault error(ErrorKind::bad_input, std::move(message));
    error.line = line_;
    error.column = static_cast<std::uint32_t>(offset - line_begin_ + 1);
    throw error;
  }

  // Lines are counted forwards; the rare step back counts anew.
  void move_to(std::size_t offset) {
    if (offset < counted_) {
      counted_ = line_begin_ = 0;
      line_ = 1;
    }
    for (; counted_ < offset; ++counted_) {
      if (source_[counted_] == '\n') {
        ++line_;
        line_begin_ = counted_ + 1;
      }
    }
  }

  Token& add(TokenKind kind, std::size_t offset, std::string_view text) {
    move_to(offset);
    Token token;
    token.kind = kind;
    token.line = line_;
    token.column = static_cast<std::uint32_t>(offset - line_begin_ + 1);
    token.text = text;
    return tokens_.emplace_back(std::move(token));
  }

  bool starts(std::size_t offset, std::string_view text) const { return source_.substr(offset).starts_with(text); }

  std::size_t skip_space(std::size_t offset) const {
    while (offset < source_.size()) {
      std::size_t after = offset;
      if (!is_space_point(next_point(source_, after))) break;
      offset = after;
    }
    return offset;
  }

  bool at_line_start(std::size_t offset) const { return offset == 0 || source_[offset - 1] == '\n'; }

  // The end of a tag at `offset` ("%}", "-%}" with the space after it, "+%}", "%}" with its newline), or npos.
  std::size_t block_end(std::size_t offset, std::string_view end) const {
    if (offset < source_.size() && source_[offset] == '-' && starts(offset + 1, end)) {
      return skip_space(offset + 1 + end.size());
    }
    if (offset < source_.size() && source_[offset] == '+' && starts(offset + 1, end)) return offset + 1 + end.size();
    if (!starts(offset, end)) return std::string_view::npos;
    std::size_t after = offset + end.size();
    if (settings_.trim_blocks && after < source_.size() && source_[after] == '\n') ++after;
    return after;
  }

  // {% raw %}: the offset after it, or npos.
  std::size_t raw_begin(std::size_t offset) const {
    if (!starts(offset, settings_.block_start)) return std::string_view::npos;
    std::size_t at = offset + settings_.block_start.size();
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    at = skip_space(at);
    if (!starts(at, "raw")) return std::string_view::npos;
    at = skip_space(at + 3);
    if (at < source_.size() && source_[at] == '-' && starts(at + 1, settings_.block_end)) {
      return skip_space(at + 1 + settings_.block_end.size());
    }
    return starts(at, settings_.block_end) ? at + settings_.block_end.size() : std::string_view::npos;
  }

  bool match_rule(const Rule& rule, std::size_t offset, Match& match) const {
    std::size_t at = offset;
    if (rule.tag == Tag::line_statement) {
      if (!at_line_start(offset)) return false;
      while (at < source_.size() && (source_[at] == ' ' || source_[at] == '\t' || source_[at] == '\v')) ++at;
    } else if (rule.tag == Tag::line_comment) {
      // (?:^|(?<=\S))[^\S\r\n]*prefix
      bool after_text = offset > 0 && !is_space_point(static_cast<unsigned char>(source_[offset - 1]));
      if (!at_line_start(offset) && !after_text) return false;
      while (at < source_.size() && source_[at] != '\n' && is_space_point(static_cast<unsigned char>(source_[at]))) {
        ++at;
      }
    }
    if (!starts(at, rule.start)) return false;
    match.rule = &rule;
    match.begin = offset;
    match.end = at + rule.start.size();
    if (match.end < source_.size() && (source_[match.end] == '-' || source_[match.end] == '+')) {
      match.sign = source_[match.end++];
    }
    return true;
  }

  // The first tag at or after `at_`.
  std::optional<Match> find_tag() const {
    for (std::size_t offset = at_; offset < source_.size(); ++offset) {
      if (only_tags_ && !first_[static_cast<unsigned char>(source_[offset])]) continue;
      Match match;
      if (std::size_t raw = raw_begin(offset); raw != std::string_view::npos) {
        match.raw = true;
        match.begin = offset;
        match.end = raw;
        std::size_t sign = offset + settings_.block_start.size();
        if (source_[sign] == '-' || source_[sign] == '+') match.sign = source_[sign];
        return match;
      }
      for (const Rule& rule : rules_) {
        if (match_rule(rule, offset, match)) return match;
      }
    }
    return std::nullopt;
  }

  // Text before a tag, with what its sign and lstrip_blocks take away.
  std::string_view stripped(std::string_view text, char sign, bool variable) const {
    if (sign == '-') return strip_space(text, Side::right);
    if (sign == '+' || !settings_.lstrip_blocks || variable) return text;
    std::size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos && !line_starting_) return text;
    std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    return is_space_text(text.substr(begin)) ? text.substr(0, begin) : text;
  }

  void add_data(std::string_view text, std::size_t offset) {
    if (!text.empty()) add(TokenKind::data, offset, text);
  }

  void advance(std::size_t end) {
    line_starting_ = end > at_ ? source_[end - 1] == '\n' : line_starting_;
    at_ = end;
  }

  void lex_root() {
    std::optional<Match> match = find_tag();
    if (!match) {
      add_data(source_.substr(at_), at_);
      at_ = source_.size();
      return;
    }
    bool variable = !match->raw && match->rule->tag == Tag::variable;
    add_data(stripped(source_.substr(at_, match->begin - at_), match->sign, variable), at_);
    std::size_t begin = match->begin;
    advance(match->end);
    if (match->raw) return lex_raw(begin);
    switch (match->rule->tag) {
      case Tag::comment:
        return lex_comment(begin);
      case Tag::block:
        add(TokenKind::block_begin, begin, settings_.block_start);
        return lex_code(begin, TokenKind::block_end);
      case Tag::variable:
        add(TokenKind::variable_begin, begin, settings_.variable_start);
        return lex_code(begin, TokenKind::variable_end);
      case Tag::line_statement:
        add(TokenKind::block_begin, begin, settings_.line_statement_prefix);
        return lex_code(begin, TokenKind::end);
      case Tag::line_comment:
        advance(std::min(source_.find('\n', at_), source_.size()));
    }
  }

  void lex_comment(std::size_t begin) {
    for (std::size_t offset = at_; offset < source_.size(); ++offset) {
      std::size_t end = block_end(offset, settings_.comment_end);
      if (end != std::string_view::npos) return advance(end);
    }
    fail(begin, "this comment is not closed: expected '" + settings_.comment_end + "'");
  }

  void lex_raw(std::size_t begin) {
    for (std::size_t offset = at_; offset < source_.size(); ++offset) {
      if (!starts(offset, settings_.block_start)) continue;
      std::size_t inside = offset + settings_.block_start.size();
      char sign = 0;
      if (inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+')) sign = source_[inside++];
      inside = skip_space(inside);
      if (!starts(inside, "endraw")) continue;
      std::size_t end = block_end(skip_space(inside + 6), settings_.block_end);
      if (end == std::string_view::npos) continue;
      add_data(stripped(source_.substr(at_, offset - at_), sign, false), at_);
      return advance(end);
    }
    fail(begin,
         "this raw block is not closed: expected '" + settings_.block_start + " endraw " + settings_.block_end + "'");
  }

  // The end of a line statement: through the last newline of the whitespace here, or the end of the source.
  std::size_t line_end(std::size_t offset) const {
    std::size_t after = skip_space(offset);
    if (after == source_.size()) return after;
    std::size_t newline = source_.substr(offset, after - offset).rfind('\n');
    return newline == std::string_view::npos ? newline : offset + newline + 1;
  }

  std::size_t code_end(std::size_t offset, TokenKind end) const {
    if (end == TokenKind::block_end) return block_end(offset, settings_.block_end);
    if (end == TokenKind::end) return line_end(offset);
    if (source_[offset] == '-' && starts(offset + 1, settings_.variable_end)) {
      return skip_space(offset + 1 + settings_.variable_end.size());
    }
    return starts(offset, settings_.variable_end) ? offset + settings_.variable_end.size() : std::string_view::npos;
  }

  // What stands inside a tag; `end` is the token that closes it (TokenKind::end: a line statement).
  void lex_code(std::size_t begin, TokenKind end) {
    std::string open;  // the closing brackets that are due
    while (true) {
      if (at_ >= source_.size()) {
        if (end != TokenKind::end) {
          fail(begin, "this tag is not closed: expected '" +
                          (end == TokenKind::block_end ? settings_.block_end : settings_.variable_end) + "'");
        }
        if (!open.empty())
          fail(begin, "this line statement ends inside a bracket: expected '" + open.substr(open.size() - 1) + "'");
        add(TokenKind::block_end, at_, {});
        return;
      }
      if (open.empty()) {
        std::size_t after = code_end(at_, end);
        if (after != std::string_view::npos) {
          add(end == TokenKind::end ? TokenKind::block_end : end, at_, source_.substr(at_, after - at_));
          return advance(after);
        }
      }
      std::size_t space = skip_space(at_);
      if (space != at_) {
        advance(space);
        continue;
      }
      lex_token(open);
    }
  }

  void lex_token(std::string& open) {
    std::string_view rest = source_.substr(at_);
    bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    if (std::size_t length = after_dot ? 0 : float_length(rest); length > 0) {
      Token& token = add(TokenKind::floating, at_, rest.substr(0, length));
      token.value = float_value(token.text);
      return advance(at_ + length);
    }
    if (std::size_t length = integer_length(rest); length > 0) {
      Token& token = add(TokenKind::integer, at_, rest.substr(0, length));
      std::optional<Value> value = integer_value(token.text);
      if (!value) fail(at_, "the integer " + std::string(token.text) + " does not fit in 64 bits");
      token.value = std::move(*value);
      return advance(at_ + length);
    }
    if (std::size_t length = name_length(rest); length > 0) {
      if (!is_identifier(rest.substr(0, length)))
        fail(at_, "invalid character in the name '" + std::string(rest.substr(0, length)) + "'");
      add(TokenKind::name, at_, rest.substr(0, length));
      return advance(at_ + length);
    }
    if (rest[0] == '\'' || rest[0] == '"') return lex_string(rest);
    lex_operator(rest, open);
  }

  void lex_string(std::string_view rest) {
    std::size_t length = string_length(rest);
    if (length == 0) fail(at_, std::string("this string is not closed: expected ") + rest[0]);
    Token& token = add(TokenKind::string, at_, rest.substr(0, length));
    std::string problem;
    std::string_view body = rest.substr(1, length - 2);
    if (settings_.newline_sequence != "\n") {
      std::string replaced = replace_text(body, "\n", settings_.newline_sequence, -1);
      token.value = Value::of(unescape_literal(replaced, problem));
    } else {
      token.value = Value::of(unescape_literal(body, problem));
    }
    if (!problem.empty()) fail(at_, problem);
    advance(at_ + length);
  }

  void lex_operator(std::string_view rest, std::string& open) {
    for (const Operator& candidate : kOperators) {
      if (!rest.starts_with(candidate.text)) continue;
      char c = candidate.text[0];
      if (c == '(') open.push_back(')');
      if (c == '[') open.push_back(']');
      if (c == '{') open.push_back('}');
      if (c == ')' || c == ']' || c == '}') {
        if (open.empty()) fail(at_, std::string("unexpected '") + c + "'");
        if (open.back() != c) fail(at_, std::string("unexpected '") + c + "', expected '" + open.back() + "'");
        open.pop_back();
      }
      add(candidate.kind, at_, candidate.text);
      return advance(at_ + candidate.text.size());
    }
    std::size_t after = 0;
    next_point(rest, after);
    fail(at_, "unexpected character '" + std::string(rest.substr(0, after)) + "'");
  }

  std::string_view source_;
  const Settings& settings_;
  std::vector<Rule> rules_;
  std::array<bool, 256> first_{};
  bool only_tags_ = true;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  bool line_starting_ = true;
  std::size_t counted_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const Settings& settings) { return Lexer(source, settings).run(); }

std::string normalized_source(std::string_view source, const Settings& settings) {
  std::string text;
  text.reserve(source.size());
  std::size_t at = 0;
  while (at < source.size()) {
    std::size_t end = std::min(source.find('\r', at), source.size());
    text += source.substr(at, end - at);
    at = end;
    if (at == source.size()) break;
    text.push_back('\n');
    at += at + 1 < source.size() && source[at + 1] == '\n' ? 2 : 1;
  }
  if (!settings.keep_trailing_newline && text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace palette::jinja
