#include "jinja/fault.h"
#include "jinja/methods.h"
#include "jinja/parser.h"
#include "jinja/parser_depth.h"
#include "jinja/registry.h"

namespace palette::jinja {

Expr* Parser::parse_postfix(Expr* node) {
  while (true) {
    if (is(TokenKind::dot) || is(TokenKind::lbracket)) {
      node = parse_subscript(node);
    } else if (is(TokenKind::lparen)) {
      node = parse_call(node);
    } else {
      return node;
    }
  }
}

Expr* Parser::parse_filter_chain(Expr* node) {
  while (true) {
    if (is(TokenKind::pipe)) {
      node = parse_filter(node, false);
    } else if (is_name("is")) {
      node = parse_test(node);
    } else if (is(TokenKind::lparen)) {
      node = parse_call(node);
    } else {
      return node;
    }
  }
}

Expr* Parser::parse_subscript(Expr* node) {
  const Token& token = take();
  if (token.kind == TokenKind::dot) {
    const Token& attribute = now();
    if (attribute.kind == TokenKind::name) {
      take();
      auto* access = make<AttributeExpr>(attribute);
      access->object = node;
      access->name = keep_text(attribute.text);
      access->method = method_named(attribute.text);
      parsed_.mutates |= is_mutating(access->method);
      return over(access, {node});
    }
    if (attribute.kind != TokenKind::integer) fail_expected("a name or a number after '.'");
    take();
    auto* index = make<ConstantExpr>(attribute);
    index->value = arena_.keep(attribute.value);
    auto* access = make<ItemExpr>(attribute);
    access->object = node;
    access->index = index;
    return over(access, {node});
  }
  Depth depth(*this);
  std::vector<Expr*> indexes;
  while (!is(TokenKind::rbracket)) {
    if (!indexes.empty()) expect(TokenKind::comma);
    indexes.push_back(parse_subscribed());
  }
  expect(TokenKind::rbracket);
  auto* access = make<ItemExpr>(token);
  access->object = node;
  if (indexes.size() == 1) {
    access->index = indexes[0];
  } else {
    for (const Expr* index : indexes) {
      if (index->kind == ExprKind::slice) fail(token, "a slice among several subscripts is not supported");
    }
    auto* tuple = make_kind<SequenceExpr>(token, ExprKind::tuple);
    for (const Expr* index : indexes) deepen(*tuple, index);
    tuple->items = arena_.copy(indexes);
    access->index = tuple;
  }
  if (access->index->kind == ExprKind::constant) {
    const Value& key = *static_cast<ConstantExpr*>(access->index)->value;
    parsed_.mutates |= key.is_string() && is_mutating(method_named(key.as_string()));
  }
  return over(access, {node, access->index});
}

Expr* Parser::parse_subscribed() {
  const Token& token = now();
  Expr* start = nullptr;
  if (!is(TokenKind::colon)) {
    start = parse_expression();
    if (!is(TokenKind::colon)) return start;
  }
  take();
  auto* slice = make<SliceExpr>(token);
  slice->start = start;
  auto bound_follows = [&] { return !is(TokenKind::rbracket) && !is(TokenKind::comma) && !is(TokenKind::colon); };
  if (bound_follows()) slice->stop = parse_expression();
  if (skip(TokenKind::colon) && bound_follows()) slice->step = parse_expression();
  return over(slice, {slice->start, slice->stop, slice->step});
}

Expr* Parser::parse_call(Expr* callee) {
  auto* call = make<CallExpr>(now());
  call->callee = callee;
  call->arguments = parse_arguments();
  deepen(*call, callee);
  deepen(*call, call->arguments);
  return call;
}

ArgumentNodes Parser::parse_arguments() {
  const Token& begin = expect(TokenKind::lparen);
  Depth depth(*this);
  ArgumentNodes arguments;
  std::vector<Expr*> positional;
  std::vector<KeywordNode> keywords;
  auto ensure = [&](bool good) {
    if (!good) fail(now(), "this argument may not stand here: the order is positional, keyword, *args, **kwargs");
  };
  bool comma = false;
  while (!is(TokenKind::rparen)) {
    if (comma) {
      expect(TokenKind::comma);
      if (is(TokenKind::rparen)) break;
    }
    comma = true;
    if (is(TokenKind::mul)) {
      ensure(arguments.star == nullptr && arguments.star_star == nullptr);
      take();
      arguments.star = parse_expression();
    } else if (is(TokenKind::pow)) {
      ensure(arguments.star_star == nullptr);
      take();
      arguments.star_star = parse_expression();
    } else if (is(TokenKind::name) && ahead().kind == TokenKind::assign) {
      ensure(arguments.star_star == nullptr);
      const Token& name = take();
      for (const KeywordNode& keyword : keywords) {
        if (keyword.name->as_string() == name.text) {
          fail(name, "the keyword argument '" + std::string(name.text) + "' is given twice");
        }
      }
      take();
      const Value* key = keep_text(name.text);
      keywords.push_back({key, parse_expression()});
    } else {
      ensure(arguments.star == nullptr && arguments.star_star == nullptr && keywords.empty());
      positional.push_back(parse_expression());
    }
  }
  if (!is(TokenKind::rparen)) fail(begin, "this bracket is not closed");
  take();
  arguments.positional = arena_.copy(positional);
  arguments.keywords = arena_.copy(keywords);
  return arguments;
}

std::string Parser::parse_dotted_name() {
  std::string name(expect(TokenKind::name).text);
  while (skip(TokenKind::dot)) name += "." + std::string(expect(TokenKind::name).text);
  return name;
}

// With late_unknown_names one in a branch fails when it is reached; whether it stands in one may show only later
// (x|f if y), so the others are kept until the end.
void Parser::unknown_name(const Token& token, std::string message) {
  if (!settings_.late_unknown_names) fail(token, std::move(message));
  if (soft_ == 0) unknown_names_.push_back({&token, std::move(message)});
}

Expr* Parser::parse_filter(Expr* subject, bool start_inline) {
  while (is(TokenKind::pipe) || start_inline) {
    if (!start_inline) take();
    start_inline = false;
    const Token& token = now();
    std::string name = parse_dotted_name();
    auto* node = make<FilterExpr>(token);
    node->subject = subject;
    node->entry = registry_.filter(name);
    node->name = arena_.keep(Value::of(name));
    if (node->entry == nullptr) unknown_name(token, "unknown filter '" + name + "'" + registry_.filter_hint(name));
    if (is(TokenKind::lparen)) node->arguments = parse_arguments();
    parsed_.mutates |= name == "attr";
    deepen(*node, subject);
    deepen(*node, node->arguments);
    subject = node;
  }
  return subject;
}

Expr* Parser::parse_test(Expr* subject) {
  take();
  const Token& after_is = now();
  bool negated = skip_name("not");
  const Token& token = now();
  std::string name = parse_dotted_name();
  auto* node = make<TestExpr>(token);
  node->subject = subject;
  node->name = arena_.keep(Value::of(name));
  node->entry = registry_.test(name);
  if (node->entry == nullptr) unknown_name(token, "unknown test '" + name + "'" + registry_.test_hint(name));
  if (is(TokenKind::lparen)) {
    node->arguments = parse_arguments();
  } else {
    bool operand = is(TokenKind::name) || is(TokenKind::string) || is(TokenKind::integer) || is(TokenKind::floating) ||
                   is(TokenKind::lbracket) || is(TokenKind::lbrace);
    if (operand && !is_name("else") && !is_name("or") && !is_name("and")) {
      if (is_name("is")) fail(now(), "tests cannot be chained with 'is'; write (x is a) and (x is b)");
      std::vector<Expr*> one = {parse_postfix(parse_primary())};
      node->arguments.positional = arena_.copy(one);
    }
  }
  deepen(*node, subject);
  deepen(*node, node->arguments);
  if (!negated) return node;
  auto* inverted = make_kind<UnaryExpr>(after_is, ExprKind::logical_not);
  inverted->operand = node;
  return over(inverted, {node});
}

}  // namespace palette::jinja
