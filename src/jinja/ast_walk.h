// Walks over the children of a node, in Jinja's order.
#pragma once

#include "jinja/ast.h"

namespace palette::jinja {

template <class Visit>
void for_each_argument(const ArgumentNodes& arguments, const Visit& visit) {
  for (Expr* argument : arguments.positional) visit(argument);
  for (const KeywordNode& keyword : arguments.keywords) visit(keyword.value);
  if (arguments.star != nullptr) visit(arguments.star);
  if (arguments.star_star != nullptr) visit(arguments.star_star);
}

template <class Visit>
void for_each_child(Expr* expr, const Visit& visit) {
  auto maybe = [&](Expr* child) {
    if (child != nullptr) visit(child);
  };
  switch (expr->kind) {
    case ExprKind::constant:
    case ExprKind::text:
    case ExprKind::name:
      return;
    case ExprKind::namespace_target:
      return visit(static_cast<NamespaceTarget*>(expr)->target);
    case ExprKind::attribute:
      return visit(static_cast<AttributeExpr*>(expr)->object);
    case ExprKind::item:
      visit(static_cast<ItemExpr*>(expr)->object);
      return visit(static_cast<ItemExpr*>(expr)->index);
    case ExprKind::slice: {
      auto* slice = static_cast<SliceExpr*>(expr);
      maybe(slice->start);
      maybe(slice->stop);
      return maybe(slice->step);
    }
    case ExprKind::call:
      visit(static_cast<CallExpr*>(expr)->callee);
      return for_each_argument(static_cast<CallExpr*>(expr)->arguments, visit);
    case ExprKind::filter:
      maybe(static_cast<FilterExpr*>(expr)->subject);
      return for_each_argument(static_cast<FilterExpr*>(expr)->arguments, visit);
    case ExprKind::test:
      visit(static_cast<TestExpr*>(expr)->subject);
      return for_each_argument(static_cast<TestExpr*>(expr)->arguments, visit);
    case ExprKind::conditional: {
      auto* conditional = static_cast<ConditionalExpr*>(expr);
      visit(conditional->test);
      visit(conditional->yes);
      return maybe(conditional->no);
    }
    case ExprKind::logical_not:
    case ExprKind::negate:
    case ExprKind::plus:
      return visit(static_cast<UnaryExpr*>(expr)->operand);
    case ExprKind::logical_and:
    case ExprKind::logical_or:
    case ExprKind::binary:
      visit(static_cast<BinaryExpr*>(expr)->left);
      return visit(static_cast<BinaryExpr*>(expr)->right);
    case ExprKind::compare:
      visit(static_cast<CompareExpr*>(expr)->first);
      for (const Operand& operand : static_cast<CompareExpr*>(expr)->rest) visit(operand.value);
      return;
    case ExprKind::concat:
    case ExprKind::list:
    case ExprKind::tuple:
      for (Expr* item : static_cast<SequenceExpr*>(expr)->items) visit(item);
      return;
    case ExprKind::dict:
      for (const PairNode& pair : static_cast<DictExpr*>(expr)->pairs) {
        visit(pair.key);
        visit(pair.value);
      }
  }
}

}  // namespace palette::jinja
