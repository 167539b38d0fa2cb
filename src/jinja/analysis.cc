#include "jinja/analysis.h"

#include <algorithm>

#include "jinja/ast_walk.h"
#include "jinja/fault.h"
#include "jinja/object.h"

namespace palette::jinja {

Analysis::Analysis(ParsedTemplate& parsed, const Settings& settings, detail::CompiledTemplate& compiled)
    : parsed_(parsed), settings_(settings), compiled_(compiled) {}

void Analysis::fail(const Node& node, std::string message) {
  Fault error(ErrorKind::bad_input, std::move(message));
  error.line = node.line;
  error.column = node.column;
  throw error;
}

void Analysis::run() {
  FunctionBuilder* builder = open_function(nullptr);
  Symbols symbols(builder, nullptr);
  if (reads_name(parsed_.body, "self")) {
    builder->function->takes_self = true;
    builder->function->self_slot = symbols.declare_parameter(name_id("self")).slot;
  }
  track(symbols, parsed_.body);
  builder->function->scope = finish(symbols);
  resolve({&symbols, true, false}, parsed_.body);
  close_function(*builder, symbols);
  compiled_.root = builder->function;
}

std::uint32_t Analysis::name_id(std::string_view name) {
  for (std::uint32_t id = 0; id < parsed_.names.size(); ++id) {
    if (parsed_.names[id]->as_string() == name) return id;
  }
  parsed_.names.push_back(compiled_.arena.keep(Value::of(name)));
  return static_cast<std::uint32_t>(parsed_.names.size() - 1);
}

FunctionBuilder* Analysis::open_function(FunctionBuilder* parent) {
  FunctionBuilder& builder = functions_.emplace_back();
  builder.function = compiled_.arena.make<Function>();
  builder.parent = parent;
  builder.depth = parent == nullptr ? 0 : parent->depth + 1;
  return &builder;
}

void Analysis::close_function(FunctionBuilder& builder, Symbols& symbols) {
  static_cast<void>(symbols);
  std::vector<ResolvedName> resolved;
  for (const FunctionBuilder::Resolved& one : builder.resolved) resolved.push_back({one.slot, parsed_.names[one.name]});
  builder.function->resolved = compiled_.arena.copy(resolved);
  builder.function->slots = builder.slots;
}

Scope Analysis::finish(Symbols& symbols) { return {compiled_.arena.copy(symbols.finish())}; }

std::span<VisibleName> Analysis::visible(const Place& place) {
  std::vector<VisibleName> names;
  for (std::uint32_t id : place.symbols->visible_names()) {
    const Variable* variable = place.symbols->find(id);
    names.push_back({parsed_.names[id], slot_ref(*variable, *place.symbols->function())});
  }
  return compiled_.arena.copy(names);
}

void Analysis::resolve(const Place& place, Body body) {
  for (Statement* statement : body) resolve(place, statement);
}

void Analysis::resolve(const Place& place, Statement* statement) {
  switch (statement->kind) {
    case StatementKind::output:
      for (Expr* part : static_cast<OutputStatement*>(statement)->parts) resolve(place, part);
      return;
    case StatementKind::if_:
      return resolve_if(place, static_cast<IfStatement*>(statement));
    case StatementKind::for_:
      return resolve_for(place, static_cast<ForStatement*>(statement));
    case StatementKind::set: {
      auto* node = static_cast<SetStatement*>(statement);
      resolve(place, node->value);
      resolve_target(place, node->target);
      node->exported = place.top_level;
      return;
    }
    case StatementKind::set_block:
      return resolve_set_block(place, static_cast<SetBlockStatement*>(statement));
    case StatementKind::macro: {
      auto* node = static_cast<MacroStatement*>(statement);
      set_place(place, node->name);
      assigned_.push_back(node->name->id);
      node->exported = place.top_level;
      return resolve_macro(place, node->macro, *node);
    }
    case StatementKind::call_block: {
      auto* node = static_cast<CallBlockStatement*>(statement);
      resolve_macro(place, node->macro, *node);
      return resolve(place, node->call);
    }
    case StatementKind::filter_block: {
      auto* node = static_cast<FilterBlockStatement*>(statement);
      Symbols symbols(place.symbols->function(), place.symbols);
      track(symbols, node->body);
      track(symbols, node->filter);
      node->scope = finish(symbols);
      Place inner{&symbols, false, place.in_for};
      std::size_t assigned = assigned_.size();
      resolve(inner, node->body);
      assigned_.resize(assigned);
      return resolve(inner, node->filter);
    }
    case StatementKind::with:
      return resolve_with(place, static_cast<WithStatement*>(statement));
    case StatementKind::include: {
      auto* node = static_cast<IncludeStatement*>(statement);
      resolve(place, node->source);
      note_use(place, node->source);
      node->visible = visible(place);
      return;
    }
    case StatementKind::import: {
      auto* node = static_cast<ImportStatement*>(statement);
      resolve(place, node->source);
      note_use(place, node->source);
      node->visible = visible(place);
      node->exported = place.top_level;
      set_place(place, node->target);
      assigned_.push_back(node->target->id);
      return;
    }
    case StatementKind::from_import: {
      auto* node = static_cast<FromImportStatement*>(statement);
      resolve(place, node->source);
      note_use(place, node->source);
      node->visible = visible(place);
      node->exported = place.top_level;
      for (const ImportedName& name : node->names) {
        set_place(place, name.target);
        assigned_.push_back(name.target->id);
      }
      return;
    }
    case StatementKind::extends: {
      auto* node = static_cast<ExtendsStatement*>(statement);
      if (!place.top_level) fail(*node, "extends may stand only at the top level of a template");
      resolve(place, node->source);
      return note_use(place, node->source);
    }
    case StatementKind::block:
      return resolve_block(place, static_cast<BlockStatement*>(statement));
    case StatementKind::autoescape: {
      auto* node = static_cast<AutoescapeStatement*>(statement);
      Symbols symbols(place.symbols->function(), place.symbols);
      track(symbols, node->value);
      track(symbols, node->body);
      node->scope = finish(symbols);
      Place inner{&symbols, false, place.in_for};
      resolve(inner, node->value);
      return resolve(inner, node->body);
    }
    case StatementKind::scope: {
      auto* node = static_cast<ScopeStatement*>(statement);
      Symbols symbols(place.symbols->function(), place.symbols);
      track(symbols, node->body);
      node->scope = finish(symbols);
      std::size_t assigned = assigned_.size();
      resolve({&symbols, false, place.in_for}, node->body);
      assigned_.resize(assigned);
      return;
    }
    case StatementKind::do_:
      return resolve(place, static_cast<DoStatement*>(statement)->value);
    case StatementKind::break_:
    case StatementKind::continue_:
      return;
  }
}

void Analysis::resolve_for(const Place& place, ForStatement* node) {
  resolve(place, node->iterable);
  FunctionBuilder* function = place.symbols->function();
  if (node->recursive) {
    function = open_function(function);
    node->function = function->function;
  }
  Symbols body(function, place.symbols);
  Symbols otherwise(function, place.symbols);
  Symbols test(function, place.symbols);
  node->extended = node->recursive || reads_name(node->body, "loop") || holds_scoped_block(node->body);
  if (node->extended) node->loop_slot = body.declare_parameter(name_id("loop")).slot;
  track_target(body, node->target, true);
  track(body, node->body);
  node->body_scope = finish(body);
  track(otherwise, node->otherwise);
  node->else_scope = finish(otherwise);
  std::size_t assigned = assigned_.size();
  if (node->test != nullptr) {
    track_target(test, node->test_target, true);
    track(test, node->test);
    node->test_scope = finish(test);
    Place inside{&test, false, true};
    resolve_target(inside, node->test_target);
    resolve(inside, node->test);
  }
  Place inside{&body, false, true};
  std::size_t guards = guards_.size();
  if (node->test != nullptr) collect_guards(node->test, true, guards_);
  resolve_target(inside, node->target);
  resolve(inside, node->body);
  guards_.resize(guards);
  assigned_.resize(assigned);
  resolve({&otherwise, false, place.in_for}, node->otherwise);
  assigned_.resize(assigned);
  if (node->recursive) close_function(*function, body);
}

void Analysis::resolve_set_block(const Place& place, SetBlockStatement* node) {
  Symbols symbols(place.symbols->function(), place.symbols);
  track(symbols, node->body);
  track(symbols, node->filter);
  node->scope = finish(symbols);
  Place inner{&symbols, false, place.in_for};
  std::size_t assigned = assigned_.size();
  resolve(inner, node->body);
  if (node->filter != nullptr) resolve(inner, node->filter);
  assigned_.resize(assigned);
  resolve_target(place, node->target);
  node->exported = place.top_level;
}

void Analysis::resolve_macro(const Place& place, MacroBody& macro, const Node& at) {
  FunctionBuilder* builder = open_function(place.symbols->function());
  for (FunctionBuilder* outer = builder->parent; outer != nullptr; outer = outer->parent) {
    outer->function->closures = true;
  }
  Symbols symbols(builder, place.symbols);
  for (const MacroParameter& parameter : macro.parameters) {
    symbols.declare_parameter(parameter.name->id);
    if (parameter.name->name->as_string() == "caller") {
      macro.explicit_caller = true;
      if (parameter.default_value == nullptr && reads_name(macro.body, "caller")) {
        fail(at, "the parameter 'caller' of a macro must be left out, or have a default");
      }
    }
  }
  auto special = [&](std::string_view name, bool& takes, std::uint32_t& slot) {
    takes = reads_name(macro.body, name);
    for (const MacroParameter& parameter : macro.parameters) {
      if (parameter.name->name->as_string() == name) takes = false;
    }
    if (takes) slot = symbols.declare_parameter(name_id(name)).slot;
  };
  special("caller", macro.takes_caller, macro.caller_slot);
  special("kwargs", macro.takes_kwargs, macro.kwargs_slot);
  special("varargs", macro.takes_varargs, macro.varargs_slot);
  for (const MacroParameter& parameter : macro.parameters) track(symbols, parameter.default_value);
  track(symbols, macro.body);
  builder->function->scope = finish(symbols);
  Place inside{&symbols, false, false};
  std::size_t assigned = assigned_.size();
  for (const MacroParameter& parameter : macro.parameters) {
    set_place(inside, parameter.name);
    if (parameter.default_value != nullptr) resolve(inside, parameter.default_value);
  }
  resolve(inside, macro.body);
  assigned_.resize(assigned);
  macro.function = builder->function;
  close_function(*builder, symbols);
}

void Analysis::resolve_with(const Place& place, WithStatement* node) {
  Symbols symbols(place.symbols->function(), place.symbols);
  for (Expr* target : node->targets) track_target(symbols, target, true);
  track(symbols, node->body);
  node->scope = finish(symbols);
  for (Expr* value : node->values) resolve(place, value);
  Place inside{&symbols, false, place.in_for};
  std::size_t assigned = assigned_.size();
  for (Expr* target : node->targets) resolve_target(inside, target);
  resolve(inside, node->body);
  assigned_.resize(assigned);
}

// A block is a function of its own that knows nothing of the template around it but the context.
void Analysis::resolve_block(const Place& place, BlockStatement* node) {
  node->top_level = place.top_level;
  if (node->scoped) node->visible = visible(place);
  FunctionBuilder* builder = open_function(nullptr);
  Symbols symbols(builder, nullptr);
  if (reads_name(node->body, "self")) {
    builder->function->takes_self = true;
    builder->function->self_slot = symbols.declare_parameter(name_id("self")).slot;
  }
  if (reads_name(node->body, "super")) {
    node->takes_super = true;
    node->super_slot = symbols.declare_parameter(name_id("super")).slot;
  }
  track(symbols, node->body);
  builder->function->scope = finish(symbols);
  std::size_t assigned = assigned_.size();
  if (node->scoped) {
    for (std::uint32_t id : place.symbols->visible_names()) assigned_.push_back(id);
  }
  resolve({&symbols, false, false}, node->body);
  assigned_.resize(assigned);
  close_function(*builder, symbols);
  node->function = builder->function;
}

void Analysis::set_place(const Place& place, NameExpr* name) {
  const Variable* variable = place.symbols->find(name->id);
  if (variable == nullptr) fail(*name, "the name '" + std::string(name->name->as_string()) + "' has no variable");
  name->place = slot_ref(*variable, *place.symbols->function());
}

void Analysis::resolve_target(const Place& place, Expr* target) {
  if (target->kind == ExprKind::name) {
    auto* name = static_cast<NameExpr*>(target);
    if (place.in_for && name->name->as_string() == "loop") fail(*name, "a loop may not assign to its own 'loop'");
    set_place(place, name);
    assigned_.push_back(name->id);
  } else if (target->kind == ExprKind::namespace_target) {
    set_place(place, static_cast<NamespaceTarget*>(target)->target);
  } else {
    for (Expr* item : static_cast<SequenceExpr*>(target)->items) resolve_target(place, item);
  }
}

void analyze(ParsedTemplate& parsed, const Settings& settings, detail::CompiledTemplate& compiled) {
  Analysis(parsed, settings, compiled).run();
}

}  // namespace palette::jinja
