#include "jinja/parser.h"

#include <algorithm>

#include "jinja/fault.h"
#include "jinja/limits.h"
#include "jinja/parser_depth.h"
#include "jinja/text.h"

namespace palette::jinja {

Parser::Parser(std::vector<Token> tokens, const Settings& settings, const Registry& registry, Arena& arena)
    : tokens_(std::move(tokens)), settings_(settings), registry_(registry), arena_(arena) {}

ParsedTemplate Parser::parse() {
  parsed_.body = parse_body({});
  if (!unknown_names_.empty()) fail(*unknown_names_[0].token, unknown_names_[0].message);
  return std::move(parsed_);
}

bool Parser::skip(TokenKind kind) {
  if (!is(kind)) return false;
  take();
  return true;
}

bool Parser::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  take();
  return true;
}

void Parser::fail(const Token& token, std::string message) const {
  Fault error(ErrorKind::bad_input, std::move(message));
  error.line = token.line;
  error.column = token.column;
  throw error;
}

void Parser::fail_expected(std::string_view what) const {
  fail(now(), "expected " + std::string(what) + ", found " + describe(now()));
}

const Token& Parser::expect(TokenKind kind) {
  if (!is(kind)) {
    bool word = kind <= TokenKind::floating || kind == TokenKind::end;
    std::string what(describe(kind));
    fail_expected(word ? what : "'" + what + "'");
  }
  return take();
}

void Parser::expect_name(std::string_view name) {
  if (!is_name(name)) fail_expected("'" + std::string(name) + "'");
  take();
}

const Value* Parser::keep_text(std::string_view text) { return parsed_.names[name_id(text)]; }

std::uint32_t Parser::name_id(std::string_view name) {
  auto [entry, added] = name_ids_.try_emplace(name, static_cast<std::uint32_t>(parsed_.names.size()));
  if (!added) return entry->second;
  if (parsed_.names.size() >= kNamesMax) {
    fail(now(), "the template uses more than the limit of " + std::to_string(kNamesMax) + " different names");
  }
  const Value* kept = arena_.keep(Value::of(name));
  hash_of(*static_cast<StringObject*>(kept->object()));
  parsed_.names.push_back(kept);
  return entry->second;
}

NameExpr* Parser::make_name(const Token& token) {
  auto* name = make<NameExpr>(token);
  name->id = name_id(token.text);
  name->name = parsed_.names[name->id];
  return name;
}

void Parser::deepen(Expr& node, const Expr* child) const {
  if (child == nullptr || child->depth < node.depth) return;
  if (child->depth >= kExpressionDepthMax) {
    fail(now(), "this expression nests deeper than the limit of " + std::to_string(kExpressionDepthMax) + " levels");
  }
  node.depth = static_cast<std::uint16_t>(child->depth + 1);
}

void Parser::deepen(Expr& node, const ArgumentNodes& arguments) const {
  for (const Expr* argument : arguments.positional) deepen(node, argument);
  for (const KeywordNode& keyword : arguments.keywords) deepen(node, keyword.value);
  deepen(node, arguments.star);
  deepen(node, arguments.star_star);
}

// Statements up to one of `ends`; the end tag's name is the current token then. Without ends: up to the end of the
// template.
Body Parser::parse_body(Ends ends) {
  Depth depth(*this);
  std::vector<Statement*> body;
  std::vector<Expr*> parts;
  auto flush = [&](const Token& token) {
    if (parts.empty()) return;
    auto* output = make<OutputStatement>(token);
    output->line = parts[0]->line;
    output->column = parts[0]->column;
    output->parts = arena_.copy(parts);
    parts.clear();
    body.push_back(output);
  };
  wanted_ends_.emplace_back(ends);
  while (!is(TokenKind::end)) {
    const Token& token = now();
    if (token.kind == TokenKind::data) {
      auto* text = make<TextExpr>(token);
      text->text =
          settings_.newline_sequence == "\n"
              ? token.text
              : arena_.keep(Value::of(replace_text(token.text, "\n", settings_.newline_sequence, -1)))->as_string();
      parts.push_back(text);
      take();
    } else if (token.kind == TokenKind::variable_begin) {
      take();
      parts.push_back(parse_tuple({}));
      expect(TokenKind::variable_end);
    } else {
      flush(token);
      expect(TokenKind::block_begin);
      if (is(TokenKind::name) && std::ranges::find(ends, now().text) != ends.end()) {
        wanted_ends_.pop_back();
        return arena_.copy(body);
      }
      body.push_back(parse_statement());
      expect(TokenKind::block_end);
    }
  }
  flush(now());
  if (ends.size() > 0) fail_end();
  wanted_ends_.pop_back();
  return arena_.copy(body);
}

Body Parser::parse_block_body(Ends ends) {
  skip(TokenKind::colon);  // {% if x: %}, for people who come from Python
  expect(TokenKind::block_end);
  return parse_body(ends);
}

Statement* Parser::parse_statement() {
  const Token& token = now();
  if (token.kind != TokenKind::name) fail(token, "expected the name of a tag, found " + describe(token));
  struct Tag {
    std::string_view name;
    Statement* (Parser::*parse)();
  };
  static constexpr Tag kTags[] = {
      {"for", &Parser::parse_for},
      {"if", &Parser::parse_if},
      {"set", &Parser::parse_set},
      {"macro", &Parser::parse_macro},
      {"call", &Parser::parse_call_block},
      {"filter", &Parser::parse_filter_block},
      {"include", &Parser::parse_include},
      {"import", &Parser::parse_import},
      {"from", &Parser::parse_from},
      {"block", &Parser::parse_block},
      {"extends", &Parser::parse_extends},
      {"with", &Parser::parse_with},
      {"autoescape", &Parser::parse_autoescape},
      {"print", &Parser::parse_print},
  };
  open_tags_.push_back(token.text);
  Statement* statement = nullptr;
  for (const Tag& tag : kTags) {
    if (tag.name == token.text) statement = (this->*tag.parse)();
    if (statement != nullptr) break;
  }
  if (statement == nullptr && settings_.chat_template && token.text == "generation") statement = parse_generation();
  if (statement == nullptr && settings_.do_extension && token.text == "do") {
    take();
    auto* node = make<DoStatement>(token);
    node->value = parse_tuple({});
    statement = node;
  }
  if (statement == nullptr && settings_.loop_controls && (token.text == "break" || token.text == "continue")) {
    if (loops_ == 0) fail(token, "'" + std::string(token.text) + "' stands outside of a loop");
    auto* node = arena_.make<JumpStatement>(token.text == "break" ? StatementKind::break_ : StatementKind::continue_);
    statement = placed(node, token);
    take();
  }
  open_tags_.pop_back();
  if (statement == nullptr) fail_unknown_tag(token);
  return statement;
}

namespace {

std::string tag_list(const std::vector<std::string_view>& tags) {
  std::string list;
  for (std::string_view tag : tags) list += (list.empty() ? "'" : " or '") + std::string(tag) + "'";
  return list;
}

}  // namespace

void Parser::fail_unknown_tag(const Token& token) const {
  std::string message = "unknown tag '" + std::string(token.text) + "'";
  const std::vector<std::string_view>& wanted = wanted_ends_.back();
  if (!wanted.empty()) message += "; expected " + tag_list(wanted);
  if (!open_tags_.empty()) message += " for the open '" + std::string(open_tags_.back()) + "'";
  fail(token, std::move(message));
}

void Parser::fail_end() const {
  std::string message = "the template ends where " + tag_list(wanted_ends_.back()) + " is expected";
  if (!open_tags_.empty()) message += " for the open '" + std::string(open_tags_.back()) + "'";
  fail(now(), std::move(message));
}

}  // namespace palette::jinja
