// The tree of a template: what the parser makes, the analysis completes (slots of names) and the renderer walks.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "jinja/value.h"

namespace palette::jinja {

struct FilterEntry;
struct TestEntry;
enum class MethodId : std::uint16_t;

struct Node {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// ---- Expressions ----

enum class ExprKind : std::uint8_t {
  constant,
  text,  // template text between tags
  name,
  attribute,
  item,
  slice,
  call,
  filter,
  test,
  conditional,
  logical_and,
  logical_or,
  logical_not,
  negate,
  plus,
  binary,
  compare,
  concat,
  list,
  tuple,
  dict,
  namespace_target,
};

struct Expr : Node {
  ExprKind kind;
  std::uint16_t depth = 1;  // of the tree below, itself included
  explicit Expr(ExprKind of_kind) : kind(of_kind) {}
};

struct ConstantExpr : Expr {
  ConstantExpr() : Expr(ExprKind::constant) {}
  const Value* value = nullptr;
};

struct TextExpr : Expr {
  TextExpr() : Expr(ExprKind::text) {}
  std::string_view text;
};

// Where a variable lives: `hops` functions out, in that function's slots.
struct SlotRef {
  std::uint32_t slot = 0;
  std::uint32_t hops = 0;
};

struct NameExpr : Expr {
  NameExpr() : Expr(ExprKind::name) {}
  std::uint32_t id = 0;  // of the name in this template
  const Value* name = nullptr;
  SlotRef place;
};

// ns.attribute as the target of a set.
struct NamespaceTarget : Expr {
  NamespaceTarget() : Expr(ExprKind::namespace_target) {}
  NameExpr* target = nullptr;
  const Value* attribute = nullptr;
};

struct AttributeExpr : Expr {
  AttributeExpr() : Expr(ExprKind::attribute) {}
  Expr* object = nullptr;
  const Value* name = nullptr;
  MethodId method{};  // the method of that name, or none
};

struct ItemExpr : Expr {
  ItemExpr() : Expr(ExprKind::item) {}
  Expr* object = nullptr;
  Expr* index = nullptr;
};

struct SliceExpr : Expr {  // only as the index of an ItemExpr; absent bounds are null
  SliceExpr() : Expr(ExprKind::slice) {}
  Expr* start = nullptr;
  Expr* stop = nullptr;
  Expr* step = nullptr;
};

struct KeywordNode {
  const Value* name = nullptr;
  Expr* value = nullptr;
};

struct ArgumentNodes {
  std::span<Expr*> positional;
  std::span<KeywordNode> keywords;
  Expr* star = nullptr;       // *args
  Expr* star_star = nullptr;  // **kwargs
};

struct CallExpr : Expr {
  CallExpr() : Expr(ExprKind::call) {}
  Expr* callee = nullptr;
  ArgumentNodes arguments;
};

struct FilterExpr : Expr {
  FilterExpr() : Expr(ExprKind::filter) {}
  Expr* subject = nullptr;  // null: the text that a filter block captured
  const Value* name = nullptr;
  const FilterEntry* entry = nullptr;  // null: unknown, fails when reached
  ArgumentNodes arguments;
};

struct TestExpr : Expr {
  TestExpr() : Expr(ExprKind::test) {}
  Expr* subject = nullptr;
  const Value* name = nullptr;
  const TestEntry* entry = nullptr;
  ArgumentNodes arguments;
};

struct ConditionalExpr : Expr {
  ConditionalExpr() : Expr(ExprKind::conditional) {}
  Expr* test = nullptr;
  Expr* yes = nullptr;
  Expr* no = nullptr;  // null: undefined
};

struct UnaryExpr : Expr {  // logical_not, negate, plus
  using Expr::Expr;
  Expr* operand = nullptr;
};

enum class BinaryOp : std::uint8_t { add, sub, mul, div, floordiv, mod, pow };

struct BinaryExpr : Expr {  // binary, logical_and, logical_or
  using Expr::Expr;
  BinaryOp op = BinaryOp::add;
  bool sign_last = false;  // a power whose constant base keeps its minus sign outside: -5 ** n is -(5 ** n)
  Expr* left = nullptr;
  Expr* right = nullptr;
};

enum class CompareOp : std::uint8_t { eq, ne, lt, lteq, gt, gteq, in, notin };

struct Operand {
  CompareOp op = CompareOp::eq;
  Expr* value = nullptr;
};

struct CompareExpr : Expr {
  CompareExpr() : Expr(ExprKind::compare) {}
  Expr* first = nullptr;
  std::span<Operand> rest;
};

struct SequenceExpr : Expr {  // list, tuple, concat
  using Expr::Expr;
  std::span<Expr*> items;
  const Value* constant = nullptr;  // of a list or tuple of constants that nothing can change
};

struct PairNode {
  Expr* key = nullptr;
  Expr* value = nullptr;
};

struct DictExpr : Expr {
  DictExpr() : Expr(ExprKind::dict) {}
  std::span<PairNode> pairs;
};

// ---- Statements ----

enum class StatementKind : std::uint8_t {
  output,
  if_,
  for_,
  set,
  set_block,
  macro,
  call_block,
  filter_block,
  with,
  include,
  import,
  from_import,
  extends,
  block,
  autoescape,
  scope,  // {% generation %}
  do_,
  break_,
  continue_,
};

struct Statement : Node {
  StatementKind kind;
  explicit Statement(StatementKind of_kind) : kind(of_kind) {}
};

using Body = std::span<Statement*>;

// What a scope does with a slot when it is entered.
enum class SlotInit : std::uint8_t { clear, copy };
struct ScopeSlot {
  std::uint32_t slot = 0;
  SlotInit init = SlotInit::clear;
  SlotRef from;  // for copy
};

struct Scope {
  std::span<ScopeSlot> slots;
};

// A name that is looked up in the context when a function starts.
struct ResolvedName {
  std::uint32_t slot = 0;
  const Value* name = nullptr;
};

// A variable that an include, an import with context or a scoped block can see.
struct VisibleName {
  const Value* name = nullptr;
  SlotRef place;
};

// The root of a template, a block, a macro, a call block's body, or the body of a recursive loop: what has
// slots of its own.
struct Function {
  std::uint32_t slots = 0;
  std::span<ResolvedName> resolved;
  Scope scope;            // what its own names start as
  bool closures = false;  // macros or call blocks inside look at its slots
  bool takes_self = false;
  std::uint32_t self_slot = 0;
};

struct OutputStatement : Statement {
  OutputStatement() : Statement(StatementKind::output) {}
  std::span<Expr*> parts;
};

struct IfBranch {
  Expr* test = nullptr;  // null: else
  Body body;
};

struct IfStatement : Statement {
  IfStatement() : Statement(StatementKind::if_) {}
  std::span<IfBranch> branches;  // if, elif…, else
};

struct ForStatement : Statement {
  ForStatement() : Statement(StatementKind::for_) {}
  Expr* target = nullptr;
  Expr* iterable = nullptr;
  Expr* test = nullptr;
  Expr* test_target = nullptr;  // the target once more, for the scope of the test
  bool recursive = false;
  Body body;
  Body otherwise;
  bool extended = false;  // the body looks at `loop`
  std::uint32_t loop_slot = 0;
  Scope body_scope, test_scope, else_scope;
  Function* function = nullptr;  // of a recursive loop
};

struct SetStatement : Statement {
  SetStatement() : Statement(StatementKind::set) {}
  Expr* target = nullptr;
  Expr* value = nullptr;
  bool exported = false;  // at the template's top level: others can see it
};

struct SetBlockStatement : Statement {
  SetBlockStatement() : Statement(StatementKind::set_block) {}
  Expr* target = nullptr;
  Expr* filter = nullptr;
  Body body;
  Scope scope;
  bool exported = false;
};

struct MacroParameter {
  NameExpr* name = nullptr;
  Expr* default_value = nullptr;  // null: required (undefined when absent)
};

struct MacroBody {
  const Value* name = nullptr;  // null: a call block's
  std::span<MacroParameter> parameters;
  Body body;
  Function* function = nullptr;
  bool takes_caller = false, takes_kwargs = false, takes_varargs = false, explicit_caller = false;
  std::uint32_t caller_slot = 0, kwargs_slot = 0, varargs_slot = 0;
};

struct MacroStatement : Statement {
  MacroStatement() : Statement(StatementKind::macro) {}
  NameExpr* name = nullptr;
  MacroBody macro;
  bool exported = false;
};

struct CallBlockStatement : Statement {
  CallBlockStatement() : Statement(StatementKind::call_block) {}
  CallExpr* call = nullptr;
  MacroBody macro;
};

struct FilterBlockStatement : Statement {
  FilterBlockStatement() : Statement(StatementKind::filter_block) {}
  Expr* filter = nullptr;
  Body body;
  Scope scope;
};

struct WithStatement : Statement {
  WithStatement() : Statement(StatementKind::with) {}
  std::span<Expr*> targets;
  std::span<Expr*> values;
  Body body;
  Scope scope;
};

struct IncludeStatement : Statement {
  IncludeStatement() : Statement(StatementKind::include) {}
  Expr* source = nullptr;
  bool ignore_missing = false;
  bool with_context = true;
  std::span<VisibleName> visible;
};

struct ImportStatement : Statement {
  ImportStatement() : Statement(StatementKind::import) {}
  Expr* source = nullptr;
  NameExpr* target = nullptr;
  bool with_context = false;
  bool exported = false;
  std::span<VisibleName> visible;
};

struct ImportedName {
  const Value* name = nullptr;
  NameExpr* target = nullptr;
};

struct FromImportStatement : Statement {
  FromImportStatement() : Statement(StatementKind::from_import) {}
  Expr* source = nullptr;
  std::span<ImportedName> names;
  bool with_context = false;
  bool exported = false;
  std::span<VisibleName> visible;
};

struct ExtendsStatement : Statement {
  ExtendsStatement() : Statement(StatementKind::extends) {}
  Expr* source = nullptr;
};

struct BlockStatement : Statement {
  BlockStatement() : Statement(StatementKind::block) {}
  const Value* name = nullptr;
  bool scoped = false;
  bool required = false;
  bool top_level = false;
  Body body;
  Function* function = nullptr;
  bool takes_super = false;
  std::uint32_t super_slot = 0;
  std::span<VisibleName> visible;
};

struct AutoescapeStatement : Statement {
  AutoescapeStatement() : Statement(StatementKind::autoescape) {}
  Expr* value = nullptr;
  Body body;
  Scope scope;
};

struct ScopeStatement : Statement {
  ScopeStatement() : Statement(StatementKind::scope) {}
  Body body;
  Scope scope;
};

struct DoStatement : Statement {
  DoStatement() : Statement(StatementKind::do_) {}
  Expr* value = nullptr;
};

struct JumpStatement : Statement {  // break_, continue_
  using Statement::Statement;
};

}  // namespace palette::jinja
