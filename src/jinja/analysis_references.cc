#include <algorithm>

#include "jinja/analysis.h"
#include "jinja/ast_walk.h"
#include "jinja/object.h"

namespace palette::jinja {
namespace {

const Value* constant_text(const Expr* expr) {
  if (expr->kind != ExprKind::constant) return nullptr;
  const Value* value = static_cast<const ConstantExpr*>(expr)->value;
  return value->is_string() ? value : nullptr;
}

bool is_prefix(const std::vector<std::string>& shorter, const std::vector<std::string>& longer) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

std::string_view test_name(const Expr* expr) {
  return expr->kind == ExprKind::test ? static_cast<const TestExpr*>(expr)->name->as_string() : std::string_view();
}

}  // namespace

// steps.question['output'] as {"steps", "question", "output"}: as far as the accesses are constant strings.
std::optional<Analysis::Path> Analysis::path_of(const Expr* expr) const {
  if (expr->kind == ExprKind::name) {
    return Path{std::string(static_cast<const NameExpr*>(expr)->name->as_string())};
  }
  const Expr* object = nullptr;
  const Value* key = nullptr;
  if (expr->kind == ExprKind::attribute) {
    object = static_cast<const AttributeExpr*>(expr)->object;
    key = static_cast<const AttributeExpr*>(expr)->name;
  } else if (expr->kind == ExprKind::item) {
    object = static_cast<const ItemExpr*>(expr)->object;
    key = constant_text(static_cast<const ItemExpr*>(expr)->index);
  }
  if (object == nullptr || key == nullptr) return std::nullopt;
  std::optional<Path> path = path_of(object);
  if (path) path->emplace_back(key->as_string());
  return path;
}

// What is known to be there when `test` comes out as `outcome`.
void Analysis::collect_guards(const Expr* test, bool outcome, std::vector<Path>& guards) const {
  if (test->kind == ExprKind::logical_not) {
    return collect_guards(static_cast<const UnaryExpr*>(test)->operand, !outcome, guards);
  }
  if (test->kind == (outcome ? ExprKind::logical_and : ExprKind::logical_or)) {
    collect_guards(static_cast<const BinaryExpr*>(test)->left, outcome, guards);
    return collect_guards(static_cast<const BinaryExpr*>(test)->right, outcome, guards);
  }
  const Expr* subject = test;
  if (test->kind == ExprKind::test) {
    bool absent = test_name(test) == "undefined" || test_name(test) == "none";
    if (absent == outcome) return;
    if (!outcome && test_name(test) != "undefined") return;
    subject = static_cast<const TestExpr*>(test)->subject;
  } else if (!outcome) {
    return;
  }
  if (std::optional<Path> path = path_of(subject); path) guards.push_back(std::move(*path));
}

bool Analysis::is_guarded(const Path& path) const {
  return std::ranges::any_of(guards_,
                             [&](const Path& guard) { return is_prefix(guard, path) || is_prefix(path, guard); });
}

void Analysis::note_reference(const Place& place, NameExpr* root, const Expr* whole, bool absence_is_fine) {
  std::string_view name = root->name->as_string();
  if (!place.symbols->is_free(root->id) || name == "loop") return;
  if (std::ranges::find(assigned_, root->id) != assigned_.end()) return;
  if (compiled_.environment->registry.globals.find(name) != nullptr) return;
  Reference reference;
  reference.path = *path_of(whole);
  // d.items() and the like are methods, not members.
  reference.line = root->line;
  reference.column = root->column;
  reference.guarded = absence_is_fine || is_guarded(reference.path);
  reference.template_name = compiled_.name;
  compiled_.own_references.push_back(std::move(reference));
}

void Analysis::note_use(const Place& place, const Expr* source) {
  auto add = [&](const Expr* one) {
    const Value* name = constant_text(one);
    if (name == nullptr) return;
    detail::StaticUse use{std::string(name->as_string()), {}};
    for (std::uint32_t id : place.symbols->visible_names()) use.hidden.emplace_back(parsed_.names[id]->as_string());
    compiled_.uses.push_back(std::move(use));
  };
  add(source);
  if (source->kind == ExprKind::list || source->kind == ExprKind::tuple) {
    for (const Expr* item : static_cast<const SequenceExpr*>(source)->items) add(item);
  }
}

// The test of an `if`: a bare variable in it may be absent.
void Analysis::resolve_condition(const Place& place, Expr* test) {
  if (test->kind == ExprKind::logical_not) {
    return resolve_condition(place, static_cast<UnaryExpr*>(test)->operand);
  }
  if (test->kind == ExprKind::logical_and || test->kind == ExprKind::logical_or) {
    auto* both = static_cast<BinaryExpr*>(test);
    resolve_condition(place, both->left);
    std::size_t guards = guards_.size();
    collect_guards(both->left, test->kind == ExprKind::logical_and, guards_);
    resolve_condition(place, both->right);
    guards_.resize(guards);
    return;
  }
  resolve(place, test, path_of(test).has_value());
}

void Analysis::resolve_if(const Place& place, IfStatement* node) {
  std::size_t guards = guards_.size();
  std::size_t assigned = assigned_.size();
  std::vector<std::uint32_t> settled;
  for (IfBranch& branch : node->branches) {
    std::size_t before = guards_.size();
    if (branch.test != nullptr) {
      resolve_condition(place, branch.test);
      collect_guards(branch.test, true, guards_);
    }
    resolve(place, branch.body);
    // {% if x is not defined %}{% set x = 1 %}{% endif %}: x is there afterwards.
    if (branch.test != nullptr && node->branches.size() == 1) {
      std::vector<Path> otherwise;
      collect_guards(branch.test, false, otherwise);
      for (std::size_t i = assigned; i < assigned_.size(); ++i) {
        std::string name(parsed_.names[assigned_[i]]->as_string());
        for (const Path& path : otherwise) {
          if (path.size() == 1 && path[0] == name) settled.push_back(assigned_[i]);
        }
      }
    }
    assigned_.resize(assigned);
    guards_.resize(before);
    if (branch.test != nullptr) collect_guards(branch.test, false, guards_);
  }
  guards_.resize(guards);
  assigned_.insert(assigned_.end(), settled.begin(), settled.end());
}

void Analysis::resolve(const Place& place, Expr* expr, bool absence_is_fine) {
  switch (expr->kind) {
    case ExprKind::name:
      set_place(place, static_cast<NameExpr*>(expr));
      return note_reference(place, static_cast<NameExpr*>(expr), expr, absence_is_fine);
    case ExprKind::attribute:
    case ExprKind::item: {
      // One reference for the whole chain of constant accesses.
      if (path_of(expr)) {
        Expr* root = expr;
        while (root->kind != ExprKind::name) {
          root = root->kind == ExprKind::attribute ? static_cast<AttributeExpr*>(root)->object
                                                   : static_cast<ItemExpr*>(root)->object;
        }
        set_place(place, static_cast<NameExpr*>(root));
        return note_reference(place, static_cast<NameExpr*>(root), expr, absence_is_fine);
      }
      return for_each_child(expr, [&](Expr* child) { resolve(place, child); });
    }
    case ExprKind::call: {
      auto* call = static_cast<CallExpr*>(expr);
      // The method of a call is no member: steps.items() reads steps.
      if (call->callee->kind == ExprKind::attribute &&
          static_cast<AttributeExpr*>(call->callee)->method != MethodId{}) {
        resolve(place, static_cast<AttributeExpr*>(call->callee)->object);
      } else {
        resolve(place, call->callee);
      }
      return for_each_argument(call->arguments, [&](Expr* argument) { resolve(place, argument); });
    }
    case ExprKind::filter: {
      auto* filter = static_cast<FilterExpr*>(expr);
      std::string_view name = filter->name->as_string();
      if (filter->subject != nullptr) resolve(place, filter->subject, name == "default" || name == "d");
      return for_each_argument(filter->arguments, [&](Expr* argument) { resolve(place, argument); });
    }
    case ExprKind::test: {
      std::string_view name = test_name(expr);
      resolve(place, static_cast<TestExpr*>(expr)->subject, name == "defined" || name == "undefined");
      return for_each_argument(static_cast<TestExpr*>(expr)->arguments,
                               [&](Expr* argument) { resolve(place, argument); });
    }
    case ExprKind::conditional: {
      auto* node = static_cast<ConditionalExpr*>(expr);
      resolve_condition(place, node->test);
      std::size_t guards = guards_.size();
      collect_guards(node->test, true, guards_);
      resolve(place, node->yes);
      guards_.resize(guards);
      collect_guards(node->test, false, guards_);
      if (node->no != nullptr) resolve(place, node->no);
      guards_.resize(guards);
      return;
    }
    case ExprKind::logical_and:
    case ExprKind::logical_or:
    case ExprKind::logical_not:
      return resolve_condition(place, expr);
    case ExprKind::list:
    case ExprKind::tuple:
      for (Expr* item : static_cast<SequenceExpr*>(expr)->items) resolve(place, item);
      return fold(static_cast<SequenceExpr*>(expr));
    default:
      return for_each_child(expr, [&](Expr* child) { resolve(place, child); });
  }
}

// A list or tuple of constants is made once, where nothing can change it.
void Analysis::fold(SequenceExpr* sequence) {
  if (sequence->kind == ExprKind::list && parsed_.mutates) return;
  std::vector<Value> items;
  for (const Expr* item : sequence->items) {
    bool constant_sequence = (item->kind == ExprKind::list || item->kind == ExprKind::tuple) &&
                             static_cast<const SequenceExpr*>(item)->constant != nullptr;
    if (constant_sequence) {
      items.push_back(*static_cast<const SequenceExpr*>(item)->constant);
    } else if (item->kind == ExprKind::constant) {
      items.push_back(*static_cast<const ConstantExpr*>(item)->value);
    } else {
      return;
    }
  }
  Kind kind = sequence->kind == ExprKind::list ? Kind::list : Kind::tuple;
  sequence->constant = compiled_.arena.keep(make_list(std::move(items), kind, true));
}

}  // namespace palette::jinja
