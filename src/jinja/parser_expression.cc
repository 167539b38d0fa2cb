#include "jinja/ast_walk.h"
#include "jinja/fault.h"
#include "jinja/methods.h"
#include "jinja/parser.h"
#include "jinja/parser_depth.h"
#include "jinja/registry.h"

namespace palette::jinja {
namespace {

// Whether jinja2 would work the expression out when it compiles.
bool is_constant(Expr* expr) {
  if (expr->kind == ExprKind::name || expr->kind == ExprKind::call) return false;
  bool constant = true;
  for_each_child(expr, [&](Expr* child) { constant = constant && is_constant(child); });
  return constant;
}

}  // namespace

Expr* Parser::parse_expression(bool with_conditional) {
  Depth depth(*this);
  return with_conditional ? parse_conditional() : parse_or();
}

Expr* Parser::parse_conditional() {
  std::size_t unknown_before = unknown_names_.size();
  Expr* first = parse_or();
  while (is_name("if")) {
    const Token& token = take();
    auto* node = make<ConditionalExpr>(token);
    unknown_names_.resize(unknown_before);  // they stand in a branch
    ++soft_;
    node->yes = first;
    node->test = parse_or();
    if (skip_name("else")) node->no = parse_expression();
    --soft_;
    first = over(node, {node->yes, node->test, node->no});
  }
  return first;
}

Expr* Parser::parse_or() {
  Expr* left = parse_and();
  while (is_name("or")) {
    auto* node = make_kind<BinaryExpr>(take(), ExprKind::logical_or);
    node->left = left;
    node->right = parse_and();
    left = over(node, {node->left, node->right});
  }
  return left;
}

Expr* Parser::parse_and() {
  Expr* left = parse_not();
  while (is_name("and")) {
    auto* node = make_kind<BinaryExpr>(take(), ExprKind::logical_and);
    node->left = left;
    node->right = parse_not();
    left = over(node, {node->left, node->right});
  }
  return left;
}

Expr* Parser::parse_not() {
  if (!is_name("not")) return parse_compare();
  Depth depth(*this);
  auto* node = make_kind<UnaryExpr>(take(), ExprKind::logical_not);
  node->operand = parse_not();
  return over(node, {node->operand});
}

Expr* Parser::parse_compare() {
  Expr* first = parse_sum();
  std::vector<Operand> rest;
  const Token* sign = nullptr;
  while (true) {
    const Token& token = now();
    CompareOp op{};
    if (token.kind >= TokenKind::eq && token.kind <= TokenKind::lteq) {
      constexpr CompareOp kOps[] = {CompareOp::eq,   CompareOp::ne, CompareOp::gt,
                                    CompareOp::gteq, CompareOp::lt, CompareOp::lteq};
      op = kOps[static_cast<int>(token.kind) - static_cast<int>(TokenKind::eq)];
      take();
    } else if (is_name("in")) {
      op = CompareOp::in;
      take();
    } else if (is_name("not") && ahead().kind == TokenKind::name && ahead().text == "in") {
      op = CompareOp::notin;
      take();
      take();
    } else {
      break;
    }
    if (sign == nullptr) sign = &token;
    rest.push_back({op, parse_sum()});
  }
  if (sign == nullptr) return first;  // no operator, no operand
  auto* node = make<CompareExpr>(*sign);
  node->first = first;
  deepen(*node, first);
  for (const Operand& operand : rest) deepen(*node, operand.value);
  node->rest = arena_.copy(rest);
  return node;
}

Expr* Parser::parse_sum() {
  Expr* left = parse_concat();
  while (is(TokenKind::add) || is(TokenKind::sub)) {
    const Token& token = take();
    auto* node = make_kind<BinaryExpr>(token, ExprKind::binary);
    node->op = token.kind == TokenKind::add ? BinaryOp::add : BinaryOp::sub;
    node->left = left;
    node->right = parse_concat();
    left = over(node, {node->left, node->right});
  }
  return left;
}

Expr* Parser::parse_concat() {
  Expr* first = parse_product();
  if (!is(TokenKind::tilde)) return first;
  auto* node = make_kind<SequenceExpr>(now(), ExprKind::concat);
  std::vector<Expr*> items = {first};
  while (skip(TokenKind::tilde)) items.push_back(parse_product());
  for (const Expr* item : items) deepen(*node, item);
  node->items = arena_.copy(items);
  return node;
}

Expr* Parser::parse_product() {
  Expr* left = parse_power();
  while (true) {
    BinaryOp op{};
    if (is(TokenKind::mul)) {
      op = BinaryOp::mul;
    } else if (is(TokenKind::div)) {
      op = BinaryOp::div;
    } else if (is(TokenKind::floordiv)) {
      op = BinaryOp::floordiv;
    } else if (is(TokenKind::mod)) {
      op = BinaryOp::mod;
    } else {
      return left;
    }
    auto* node = make_kind<BinaryExpr>(take(), ExprKind::binary);
    node->op = op;
    node->left = left;
    node->right = parse_power();
    left = over(node, {node->left, node->right});
  }
}

// Unlike Python's, this power binds to the left: 2 ** 3 ** 2 is (2 ** 3) ** 2. And as jinja2 writes a constant base
// into Python source, a negative one there loses its sign to the result when the exponent is no constant.
Expr* Parser::parse_power() {
  Expr* left = parse_unary();
  while (is(TokenKind::pow)) {
    auto* node = make_kind<BinaryExpr>(take(), ExprKind::binary);
    node->op = BinaryOp::pow;
    node->left = left;
    node->right = parse_unary();
    node->sign_last = is_constant(node->left) && !is_constant(node->right);
    left = over(node, {node->left, node->right});
  }
  return left;
}

Expr* Parser::parse_unary(bool with_filter) {
  Expr* node = nullptr;
  if (is(TokenKind::sub) || is(TokenKind::add)) {
    Depth depth(*this);
    const Token& token = take();
    auto* unary = make_kind<UnaryExpr>(token, token.kind == TokenKind::sub ? ExprKind::negate : ExprKind::plus);
    unary->operand = parse_unary(false);
    node = over(unary, {unary->operand});
  } else {
    node = parse_primary();
  }
  node = parse_postfix(node);
  return with_filter ? parse_filter_chain(node) : node;
}

Expr* Parser::parse_primary(bool with_namespace) {
  const Token& token = now();
  auto constant = [&](Value value) {
    auto* node = make<ConstantExpr>(token);
    node->value = arena_.keep(std::move(value));
    return node;
  };
  switch (token.kind) {
    case TokenKind::name: {
      take();
      if (token.text == "true" || token.text == "True") return constant(Value::of(true));
      if (token.text == "false" || token.text == "False") return constant(Value::of(false));
      if (token.text == "none" || token.text == "None") return constant(Value::none());
      NameExpr* name = make_name(token);
      if (!with_namespace || !is(TokenKind::dot)) return name;
      take();
      auto* target = make<NamespaceTarget>(token);
      target->target = name;
      target->attribute = keep_text(expect(TokenKind::name).text);
      return target;
    }
    case TokenKind::string:
      return parse_string(token);
    case TokenKind::integer:
    case TokenKind::floating:
      take();
      return constant(token.value);
    case TokenKind::lparen: {
      take();
      Depth depth(*this);
      Expr* node = parse_tuple({.explicit_parentheses = true});
      expect(TokenKind::rparen);
      return node;
    }
    case TokenKind::lbracket:
      return parse_list();
    case TokenKind::lbrace:
      return parse_dict();
    default:
      fail_expected("an expression");
  }
}

// Strings that stand side by side are one, as in Python.
Expr* Parser::parse_string(const Token& token) {
  auto* node = make<ConstantExpr>(token);
  take();
  if (!is(TokenKind::string)) {
    node->value = arena_.keep(token.value);
  } else {
    std::string text(token.value.as_string());
    while (is(TokenKind::string)) text += take().value.as_string();
    node->value = arena_.keep(Value::of(text));
  }
  hash_of(string_of(*node->value));
  return node;
}

Expr* Parser::parse_list() {
  auto* node = make_kind<SequenceExpr>(expect(TokenKind::lbracket), ExprKind::list);
  std::vector<Expr*> items;
  while (!is(TokenKind::rbracket)) {
    if (!items.empty()) expect(TokenKind::comma);
    if (is(TokenKind::rbracket)) break;
    items.push_back(parse_expression());
    deepen(*node, items.back());
  }
  expect(TokenKind::rbracket);
  node->items = arena_.copy(items);
  return node;
}

Expr* Parser::parse_dict() {
  auto* node = make<DictExpr>(expect(TokenKind::lbrace));
  std::vector<PairNode> pairs;
  while (!is(TokenKind::rbrace)) {
    if (!pairs.empty()) expect(TokenKind::comma);
    if (is(TokenKind::rbrace)) break;
    Expr* key = parse_expression();
    expect(TokenKind::colon);
    Expr* value = parse_expression();
    pairs.push_back({key, value});
    over(node, {key, value});
  }
  expect(TokenKind::rbrace);
  node->pairs = arena_.copy(pairs);
  return node;
}

// Several expressions with commas between are a tuple; one alone is itself.
Expr* Parser::parse_tuple(TupleRules rules) {
  const Token& begin = now();
  std::vector<Expr*> items;
  bool is_tuple = false;
  auto ends = [&] {
    return is(TokenKind::variable_end) || is(TokenKind::block_end) || is(TokenKind::rparen) ||
           (!rules.end_name.empty() && is_name(rules.end_name));
  };
  while (true) {
    if (!items.empty()) expect(TokenKind::comma);
    if (ends()) break;
    items.push_back(rules.simplified ? parse_primary(rules.with_namespace) : parse_expression(rules.with_conditional));
    if (!is(TokenKind::comma)) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return items[0];
    if (!rules.explicit_parentheses) fail_expected("an expression");
  }
  auto* node = make_kind<SequenceExpr>(begin, ExprKind::tuple);
  for (const Expr* item : items) deepen(*node, item);
  node->items = arena_.copy(items);
  return node;
}

}  // namespace palette::jinja
