#include <algorithm>

#include "jinja/fault.h"
#include "jinja/parser.h"
#include "jinja/text.h"

namespace palette::jinja {

Statement* Parser::parse_for() {
  auto* node = make<ForStatement>(take());
  node->target = parse_target("in", false);
  expect_name("in");
  node->iterable = parse_tuple({.with_conditional = false, .end_name = "recursive"});
  if (skip_name("if")) {
    node->test = parse_expression();
    node->test_target = copy_target(node->target);
  }
  node->recursive = skip_name("recursive");
  ++loops_;
  node->body = parse_block_body({"endfor", "else"});
  --loops_;
  if (take().text == "else") {
    node->otherwise = parse_block_body({"endfor"});
    take();
  }
  return node;
}

Statement* Parser::parse_if() {
  auto* node = make<IfStatement>(take());
  std::vector<IfBranch> branches;
  ++soft_;
  while (true) {
    IfBranch branch;
    branch.test = parse_tuple({.with_conditional = false});
    branch.body = parse_block_body({"elif", "else", "endif"});
    branches.push_back(branch);
    std::string_view end = take().text;
    if (end == "elif") continue;
    if (end == "else") {
      branches.push_back({nullptr, parse_block_body({"endif"})});
      take();
    }
    break;
  }
  --soft_;
  node->branches = arena_.copy(branches);
  return node;
}

Statement* Parser::parse_set() {
  const Token& token = take();
  Expr* target = parse_target({}, true);
  if (skip(TokenKind::assign)) {
    auto* node = make<SetStatement>(token);
    node->target = target;
    node->value = parse_tuple({});
    return node;
  }
  auto* node = make<SetBlockStatement>(token);
  node->target = target;
  node->filter = parse_filter(nullptr, false);
  node->body = parse_block_body({"endset"});
  take();
  return node;
}

Statement* Parser::parse_with() {
  auto* node = make<WithStatement>(take());
  std::vector<Expr*> targets;
  std::vector<Expr*> values;
  while (!is(TokenKind::block_end)) {
    if (!targets.empty()) expect(TokenKind::comma);
    targets.push_back(parse_target({}, false));
    expect(TokenKind::assign);
    values.push_back(parse_expression());
  }
  node->targets = arena_.copy(targets);
  node->values = arena_.copy(values);
  node->body = parse_block_body({"endwith"});
  take();
  return node;
}

Statement* Parser::parse_autoescape() {
  auto* node = make<AutoescapeStatement>(take());
  node->value = parse_expression();
  node->body = parse_block_body({"endautoescape"});
  take();
  return node;
}

Statement* Parser::parse_generation() {
  auto* node = make<ScopeStatement>(take());
  std::uint32_t loops = std::exchange(loops_, 0);  // Hugging Face makes its body a function
  node->body = parse_block_body({"endgeneration"});
  loops_ = loops;
  take();
  return node;
}

Statement* Parser::parse_block() {
  auto* node = make<BlockStatement>(take());
  const Token& token = expect(TokenKind::name);
  node->name = keep_text(token.text);
  node->scoped = skip_name("scoped");
  node->required = skip_name("required");
  if (is(TokenKind::sub)) fail(now(), "the name of a block may not contain '-'; use '_'");
  for (const BlockStatement* other : parsed_.blocks) {
    if (other->name == node->name) fail(token, "the block '" + std::string(token.text) + "' is defined twice");
  }
  parsed_.blocks.push_back(node);
  parsed_.looks_at_context = true;
  std::uint32_t loops = std::exchange(loops_, 0);
  std::uint32_t soft = std::exchange(soft_, 0);
  node->body = parse_block_body({"endblock"});
  loops_ = loops;
  soft_ = soft;
  take();
  if (node->required) check_required_block(*node, token);
  skip_name(token.text);
  return node;
}

void Parser::check_required_block(const BlockStatement& block, const Token& token) const {
  for (const Statement* statement : block.body) {
    bool blank = statement->kind == StatementKind::output;
    if (blank) {
      for (const Expr* part : static_cast<const OutputStatement*>(statement)->parts) {
        blank &= part->kind == ExprKind::text && is_space_text(static_cast<const TextExpr*>(part)->text);
      }
    }
    if (!blank) fail(token, "a required block may hold only comments and whitespace");
  }
}

Statement* Parser::parse_extends() {
  auto* node = make<ExtendsStatement>(take());
  node->source = parse_expression();
  parsed_.has_extends = true;
  parsed_.looks_at_context = true;
  return node;
}

bool Parser::parse_context_mark(bool& with_context) {
  bool mark = is_name("with") || is_name("without");
  if (!mark || ahead().kind != TokenKind::name || ahead().text != "context") return false;
  with_context = take().text == "with";
  take();
  return true;
}

Statement* Parser::parse_include() {
  auto* node = make<IncludeStatement>(take());
  node->source = parse_expression();
  if (is_name("ignore") && ahead().kind == TokenKind::name && ahead().text == "missing") {
    node->ignore_missing = true;
    take();
    take();
  }
  parse_context_mark(node->with_context);
  parsed_.looks_at_context = true;
  return node;
}

Statement* Parser::parse_import() {
  auto* node = make<ImportStatement>(take());
  node->source = parse_expression();
  expect_name("as");
  node->target = parse_target_name();
  parse_context_mark(node->with_context);
  parsed_.looks_at_context = true;
  return node;
}

Statement* Parser::parse_from() {
  auto* node = make<FromImportStatement>(take());
  node->source = parse_expression();
  expect_name("import");
  std::vector<ImportedName> names;
  while (true) {
    if (!names.empty()) expect(TokenKind::comma);
    if (!is(TokenKind::name)) fail_expected("a name to import");
    if (parse_context_mark(node->with_context)) break;
    ImportedName imported;
    const Token& token = now();
    imported.target = parse_target_name();
    imported.name = imported.target->name;
    if (token.text.starts_with('_')) fail(token, "names that start with an underline cannot be imported");
    if (skip_name("as")) imported.target = parse_target_name();
    names.push_back(imported);
    if (parse_context_mark(node->with_context) || !is(TokenKind::comma)) break;
  }
  node->names = arena_.copy(names);
  parsed_.looks_at_context = true;
  return node;
}

std::span<MacroParameter> Parser::parse_signature() {
  expect(TokenKind::lparen);
  std::vector<MacroParameter> parameters;
  while (!is(TokenKind::rparen)) {
    if (!parameters.empty()) expect(TokenKind::comma);
    MacroParameter parameter;
    const Token& token = now();
    parameter.name = parse_target_name();
    for (const MacroParameter& other : parameters) {
      if (other.name->id == parameter.name->id) {
        fail(token, "the parameter '" + std::string(token.text) + "' is there twice");
      }
    }
    if (skip(TokenKind::assign)) {
      parameter.default_value = parse_expression();
    } else if (!parameters.empty() && parameters.back().default_value != nullptr) {
      fail(token, "a parameter without a default follows one with a default");
    }
    parameters.push_back(parameter);
  }
  take();
  return arena_.copy(parameters);
}

Statement* Parser::parse_macro() {
  auto* node = make<MacroStatement>(take());
  node->name = parse_target_name();
  node->macro.name = node->name->name;
  node->macro.parameters = parse_signature();
  std::uint32_t loops = std::exchange(loops_, 0);
  node->macro.body = parse_block_body({"endmacro"});
  loops_ = loops;
  take();
  parsed_.has_macros = true;
  return node;
}

Statement* Parser::parse_call_block() {
  auto* node = make<CallBlockStatement>(take());
  if (is(TokenKind::lparen)) node->macro.parameters = parse_signature();
  const Token& token = now();
  Expr* call = parse_expression();
  if (call->kind != ExprKind::call) fail(token, "expected a call of a macro");
  node->call = static_cast<CallExpr*>(call);
  std::uint32_t loops = std::exchange(loops_, 0);
  node->macro.body = parse_block_body({"endcall"});
  loops_ = loops;
  take();
  parsed_.has_macros = true;
  return node;
}

Statement* Parser::parse_filter_block() {
  auto* node = make<FilterBlockStatement>(take());
  node->filter = parse_filter(nullptr, true);
  node->body = parse_block_body({"endfilter"});
  take();
  return node;
}

Statement* Parser::parse_print() {
  auto* node = make<OutputStatement>(take());
  std::vector<Expr*> parts;
  while (!is(TokenKind::block_end)) {
    if (!parts.empty()) expect(TokenKind::comma);
    parts.push_back(parse_expression());
  }
  node->parts = arena_.copy(parts);
  return node;
}

NameExpr* Parser::parse_target_name() {
  const Token& token = expect(TokenKind::name);
  NameExpr* name = make_name(token);
  check_target(name, token);
  return name;
}

Expr* Parser::parse_target(std::string_view end_name, bool with_namespace) {
  const Token& token = now();
  Expr* target = parse_tuple({.simplified = true, .with_namespace = with_namespace, .end_name = end_name});
  check_target(target, token);
  return target;
}

void Parser::check_target(const Expr* target, const Token& token) const {
  if (target->kind == ExprKind::namespace_target) return;
  if (target->kind == ExprKind::name) {
    std::string_view name = static_cast<const NameExpr*>(target)->name->as_string();
    constexpr std::string_view kConstants[] = {"true", "false", "none", "True", "False", "None"};
    if (std::ranges::find(kConstants, name) == std::end(kConstants)) return;
    fail(token, "cannot assign to '" + std::string(name) + "'");
  }
  if (target->kind != ExprKind::tuple) fail(token, "expected a name to assign to, found " + describe(token));
  for (const Expr* item : static_cast<const SequenceExpr*>(target)->items) check_target(item, token);
}

Expr* Parser::copy_target(Expr* target) {
  if (target->kind == ExprKind::name) return arena_.make<NameExpr>(*static_cast<NameExpr*>(target));
  auto* copy = arena_.make<SequenceExpr>(*static_cast<SequenceExpr*>(target));
  std::vector<Expr*> items;
  for (Expr* item : copy->items) items.push_back(copy_target(item));
  copy->items = arena_.copy(items);
  return copy;
}

}  // namespace palette::jinja
