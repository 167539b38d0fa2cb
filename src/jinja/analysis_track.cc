#include "jinja/analysis.h"
#include "jinja/ast_walk.h"

namespace palette::jinja {

void Analysis::track(Symbols& symbols, Body body) {
  for (Statement* statement : body) track(symbols, statement);
}

void Analysis::track(Symbols& symbols, Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == ExprKind::name) return symbols.load(static_cast<NameExpr*>(expr)->id);
  for_each_child(expr, [&](Expr* child) { track(symbols, child); });
}

void Analysis::track_target(Symbols& symbols, Expr* target, bool as_parameter) {
  if (target->kind == ExprKind::name) {
    std::uint32_t id = static_cast<NameExpr*>(target)->id;
    if (as_parameter) {
      symbols.declare_parameter(id);
    } else {
      symbols.store(id);
    }
  } else if (target->kind == ExprKind::namespace_target) {
    symbols.load(static_cast<NamespaceTarget*>(target)->target->id);
  } else {
    for (Expr* item : static_cast<SequenceExpr*>(target)->items) track_target(symbols, item, as_parameter);
  }
}

// An `if` and what follows of its branches: each branch works on a copy, as in Jinja.
void Analysis::track_if(Symbols& symbols, IfStatement* node) {
  const IfBranch& branch = node->branches[0];
  track(symbols, branch.test);
  std::vector<Symbols> copies(1, symbols);
  track(copies[0], branch.body);
  std::size_t next = 1;
  if (next < node->branches.size() && node->branches[next].test != nullptr) {
    Symbols elifs = symbols;  // all of them share one copy
    for (; next < node->branches.size() && node->branches[next].test != nullptr; ++next) {
      track(elifs, node->branches[next].test);
      std::vector<Symbols> inner(1, elifs);
      track(inner[0], node->branches[next].body);
      elifs.branch_update(inner);
    }
    copies.push_back(std::move(elifs));
  }
  if (next < node->branches.size()) {
    copies.push_back(symbols);
    track(copies.back(), node->branches[next].body);
  }
  symbols.branch_update(copies);
}

void Analysis::track(Symbols& symbols, Statement* statement) {
  switch (statement->kind) {
    case StatementKind::output:
      for (Expr* part : static_cast<OutputStatement*>(statement)->parts) track(symbols, part);
      return;
    case StatementKind::if_:
      return track_if(symbols, static_cast<IfStatement*>(statement));
    case StatementKind::for_:
      return track(symbols, static_cast<ForStatement*>(statement)->iterable);
    case StatementKind::set:
      track(symbols, static_cast<SetStatement*>(statement)->value);
      return track_target(symbols, static_cast<SetStatement*>(statement)->target, false);
    case StatementKind::set_block:
      return track_target(symbols, static_cast<SetBlockStatement*>(statement)->target, false);
    case StatementKind::macro:
      return symbols.store(static_cast<MacroStatement*>(statement)->name->id);
    case StatementKind::call_block:
      return track(symbols, static_cast<CallBlockStatement*>(statement)->call);
    case StatementKind::filter_block:
      return track(symbols, static_cast<FilterBlockStatement*>(statement)->filter);
    case StatementKind::with:
      for (Expr* value : static_cast<WithStatement*>(statement)->values) track(symbols, value);
      return;
    case StatementKind::include:
      return track(symbols, static_cast<IncludeStatement*>(statement)->source);
    case StatementKind::import:
      track(symbols, static_cast<ImportStatement*>(statement)->source);
      return symbols.store(static_cast<ImportStatement*>(statement)->target->id);
    case StatementKind::from_import:
      track(symbols, static_cast<FromImportStatement*>(statement)->source);
      for (const ImportedName& name : static_cast<FromImportStatement*>(statement)->names) {
        symbols.store(name.target->id);
      }
      return;
    case StatementKind::extends:
      return track(symbols, static_cast<ExtendsStatement*>(statement)->source);
    case StatementKind::do_:
      return track(symbols, static_cast<DoStatement*>(statement)->value);
    case StatementKind::block:
    case StatementKind::autoescape:
    case StatementKind::scope:
    case StatementKind::break_:
    case StatementKind::continue_:
      return;
  }
}

namespace {

// Looks for a read of one name; a store seen first ends the search.
struct NameSearch {
  std::string_view wanted;
  bool found = false;
  bool stored = false;

  void see(const NameExpr* name, bool store) {
    if (stored || name->name->as_string() != wanted) return;
    (store ? stored : found) = true;
  }
  void expr(Expr* node) {
    if (node == nullptr || found || stored) return;
    if (node->kind == ExprKind::name) return see(static_cast<NameExpr*>(node), false);
    for_each_child(node, [this](Expr* child) { expr(child); });
  }
  void target(Expr* node) {
    if (node->kind == ExprKind::name) return see(static_cast<NameExpr*>(node), true);
    if (node->kind != ExprKind::tuple) return;
    for (Expr* item : static_cast<SequenceExpr*>(node)->items) target(item);
  }
  void macro(const MacroBody& node) {
    for (const MacroParameter& parameter : node.parameters) see(parameter.name, true);
    for (const MacroParameter& parameter : node.parameters) expr(parameter.default_value);
    body(node.body);
  }
  void body(Body statements) {
    for (Statement* node : statements) {
      if (found || stored) return;
      statement(node);
    }
  }
  void loop(ForStatement* node) {
    target(node->target);
    expr(node->iterable);
    body(node->body);  // also for "loop", though an inner loop has its own: an include can tell
    body(node->otherwise);
    expr(node->test);
  }
  void statement(Statement* node);
};

void NameSearch::statement(Statement* node) {
  switch (node->kind) {
    case StatementKind::output:
      for (Expr* part : static_cast<OutputStatement*>(node)->parts) expr(part);
      return;
    case StatementKind::if_:
      for (const IfBranch& branch : static_cast<IfStatement*>(node)->branches) {
        expr(branch.test);
        body(branch.body);
      }
      return;
    case StatementKind::for_:
      return loop(static_cast<ForStatement*>(node));
    case StatementKind::set:
      target(static_cast<SetStatement*>(node)->target);
      return expr(static_cast<SetStatement*>(node)->value);
    case StatementKind::set_block:
      target(static_cast<SetBlockStatement*>(node)->target);
      expr(static_cast<SetBlockStatement*>(node)->filter);
      return body(static_cast<SetBlockStatement*>(node)->body);
    case StatementKind::macro:
      return macro(static_cast<MacroStatement*>(node)->macro);
    case StatementKind::call_block:
      expr(static_cast<CallBlockStatement*>(node)->call);
      return macro(static_cast<CallBlockStatement*>(node)->macro);
    case StatementKind::filter_block:
      body(static_cast<FilterBlockStatement*>(node)->body);
      return expr(static_cast<FilterBlockStatement*>(node)->filter);
    case StatementKind::with:
      for (Expr* name : static_cast<WithStatement*>(node)->targets) target(name);
      for (Expr* value : static_cast<WithStatement*>(node)->values) expr(value);
      return body(static_cast<WithStatement*>(node)->body);
    case StatementKind::include:
      return expr(static_cast<IncludeStatement*>(node)->source);
    case StatementKind::import:
      return expr(static_cast<ImportStatement*>(node)->source);
    case StatementKind::from_import:
      return expr(static_cast<FromImportStatement*>(node)->source);
    case StatementKind::extends:
      return expr(static_cast<ExtendsStatement*>(node)->source);
    case StatementKind::autoescape:
      expr(static_cast<AutoescapeStatement*>(node)->value);
      return body(static_cast<AutoescapeStatement*>(node)->body);
    case StatementKind::scope:
      return body(static_cast<ScopeStatement*>(node)->body);
    case StatementKind::do_:
      return expr(static_cast<DoStatement*>(node)->value);
    case StatementKind::block:
    case StatementKind::break_:
    case StatementKind::continue_:
      return;
  }
}

}  // namespace

bool reads_name(Body body, std::string_view name) {
  NameSearch search{name};
  search.body(body);
  return search.found;
}

bool holds_scoped_block(Body body) {
  for (Statement* node : body) {
    switch (node->kind) {
      case StatementKind::block:
        if (static_cast<BlockStatement*>(node)->scoped) return true;
        if (holds_scoped_block(static_cast<BlockStatement*>(node)->body)) return true;
        break;
      case StatementKind::if_:
        for (const IfBranch& branch : static_cast<IfStatement*>(node)->branches) {
          if (holds_scoped_block(branch.body)) return true;
        }
        break;
      case StatementKind::for_:
        if (holds_scoped_block(static_cast<ForStatement*>(node)->body)) return true;
        break;
      case StatementKind::with:
        if (holds_scoped_block(static_cast<WithStatement*>(node)->body)) return true;
        break;
      case StatementKind::filter_block:
        if (holds_scoped_block(static_cast<FilterBlockStatement*>(node)->body)) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

}  // namespace palette::jinja
