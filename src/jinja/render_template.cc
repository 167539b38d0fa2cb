#include <algorithm>
#include <atomic>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

std::shared_ptr<BlockTable> blocks_of_template(const detail::CompiledTemplate& compiled) {
  auto table = std::make_shared<BlockTable>();
  for (const BlockStatement* block : compiled.blocks) table->push_back({block->name, {{&compiled, block}}});
  return table;
}

BlockStack* find_stack(BlockTable& table, std::string_view name) {
  auto found = std::ranges::find_if(table, [&](const BlockStack& stack) { return stack.name->as_string() == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

Context& Run::new_context(const detail::CompiledTemplate& compiled) {
  meter_take(sizeof(Context));
  Context& context = contexts.emplace_back();
  context.compiled = &compiled;
  if (!compiled.blocks.empty() || compiled.has_extends) context.blocks = blocks_of_template(compiled);
  context.tracks_exports = compiled.looks_at_context;
  return context;
}

Value Run::resolve(const Context& context, const Value& name) {
  const StringObject& text = string_of(name);
  std::uint32_t hash = hash_of(text);
  auto find = [&](const Value& dict) -> const Value* {
    if (!dict.is_map()) return nullptr;
    const DictEntry* entry = dict_of(dict).find_text(text.view(), hash);
    return entry == nullptr ? nullptr : &entry->value;
  };
  for (const Context* at_context = &context; at_context != nullptr; at_context = at_context->outer) {
    if (const Value* value = find(at_context->exports); value != nullptr) return *value;
    if (const Value* value = find(at_context->locals); value != nullptr) return *value;
    if (at_context->variables == nullptr) continue;
    if (const Value* value = find(*at_context->variables); value != nullptr) return thaw ? thawed(*value) : *value;
  }
  if (const Value* value = find(environment.registry.globals); value != nullptr) return thaw ? thawed(*value) : *value;
  return unset();
}

Value Run::thawed(const Value& value, std::uint32_t depth) {
  check_value_depth(depth);
  bool list = value.kind() == Kind::list && list_of(value).frozen;
  bool tuple = value.kind() == Kind::tuple && list_of(value).frozen;
  bool dict = value.kind() == Kind::dict && dict_of(value).frozen;
  if (!list && !tuple && !dict) return value;
  if (auto known = thawed_values.find(value.object()); known != thawed_values.end()) return known->second;
  Value copy;
  if (dict) {
    copy = make_dict();
    for (const DictEntry& entry : dict_of(value).entries) {
      dict_of(copy).set(entry.key, entry.hash, thawed(entry.value, depth + 1));
    }
  } else {
    std::vector<Value> items;
    for (const Value& item : list_of(value).items) items.push_back(thawed(item, depth + 1));
    copy = make_list(std::move(items), value.kind());
  }
  count_steps(copy.size());
  thawed_values.emplace(value.object(), copy);
  return copy;
}

void Run::render() {
  Context& context = new_context(main);
  context.variables = &variables;
  run_root(main, context);
}

Value Run::evaluate(const Expr* expr) {
  Context& context = new_context(main);
  context.variables = &variables;
  FunctionScope scope(*this, *main.root, nullptr, context, main);
  Value value = eval(scope.frame, expr);
  scope.leave();
  return value;
}

void Run::run_root(const detail::CompiledTemplate& compiled, Context& context) {
  RootState state;
  {
    FunctionScope scope(*this, *compiled.root, nullptr, context, compiled);
    if (compiled.has_extends) scope.frame.root = &state;
    exec(scope.frame, compiled.body);
    scope.frame.root = nullptr;
    scope.leave();
  }
  if (state.parent != nullptr) run_root(*state.parent, context);
}

const detail::CompiledTemplate& Run::load(const Value& name, bool& missing) {
  missing = false;
  if (name.is_undefined()) fail_undefined(name);
  if (!name.is_string()) fault("the name of a template must be a string, not " + std::string(kind_name(name)));
  std::string key(name.as_string());
  auto known = loaded.find(key);
  if (known == loaded.end()) known = loaded.emplace(key, load_template(environment, key)).first;
  if (known->second != nullptr) return *known->second;
  missing = true;
  return main;
}

namespace {

// The names that an include may try, in order.
std::vector<Value> candidates(const Value& source) {
  if (source.is_undefined()) fail_undefined(source);
  if (source.kind() != Kind::list && source.kind() != Kind::tuple) return {source};
  std::vector<Value> names = items_of(source);
  std::erase_if(names, [](const Value& name) { return name.is_undefined(); });
  return names;
}

std::string not_found(const Value& source) {
  if (source.is_string()) return "there is no template " + repr_of(source);
  if (!source.truthy()) return "there is no template to take: the list of names is empty";
  return "there is none of the templates " + repr_of(source);
}

}  // namespace

Value Run::visible_locals(Frame& frame, std::span<VisibleName> visible) {
  Value locals = make_dict();
  for (const VisibleName& name : visible) {
    const Value& value = slot(frame, name.place);
    if (!is_unset(value)) dict_of(locals).set(*name.name, hash_of(string_of(*name.name)), value);
  }
  return locals;
}

void Run::include(Frame& frame, const IncludeStatement& node) {
  Value source = eval(frame, node.source);
  at(*node.source);
  for (const Value& name : candidates(source)) {
    bool missing = false;
    const detail::CompiledTemplate& compiled = load(name, missing);
    if (missing) continue;
    if (!node.with_context) {
      out += module_of(module_for(compiled, nullptr, {})).body.as_string();
    } else {
      Context& context = new_context(compiled);
      context.outer = frame.context;
      context.locals = visible_locals(frame, node.visible);
      run_root(compiled, context);
      if (&context == &contexts.back() && !compiled.has_macros) contexts.pop_back();
    }
    check_output();
    return;
  }
  at(*node.source);
  if (!node.ignore_missing) fault(not_found(source));
}

// An imported template: rendered for what its top level sets. One without context is the same each time.
Value Run::module_for(const detail::CompiledTemplate& compiled, Context* with_context, Value locals) {
  if (with_context == nullptr) {
    if (auto known = modules.find(&compiled); known != modules.end()) return known->second;
  }
  Context& context = new_context(compiled);
  context.outer = with_context;
  context.locals = std::move(locals);
  context.tracks_exports = true;
  std::size_t mark = out.size();
  bool escaping = std::exchange(autoescape, settings.autoescape);
  run_root(compiled, context);
  autoescape = escaping;
  auto* module = new ModuleObject;
  Value value = Value::adopt(Kind::module, module);
  module->name = compiled.name;
  module->body = Value::safe(std::string_view(out).substr(mark));
  out.resize(mark);
  module->exported = make_dict();
  if (context.exports.is_map()) {
    for (const DictEntry& entry : dict_of(context.exports).entries) {
      bool is_private = std::ranges::any_of(
          context.private_names, [&](const Value* name) { return name->as_string() == entry.key.as_string(); });
      if (!is_private) dict_of(module->exported).set(entry.key, entry.hash, entry.value);
    }
  }
  if (with_context == nullptr) modules.emplace(&compiled, value);
  return value;
}

Value Run::import_source(Frame& frame, const Expr* source_node, bool with_context, std::span<VisibleName> visible) {
  Value source = eval(frame, source_node);
  at(*source_node);
  bool missing = false;
  const detail::CompiledTemplate& compiled = load(source, missing);
  if (missing) fault(not_found(source));
  if (!with_context) return module_for(compiled, nullptr, {});
  // What the importer's context holds now: a later set there does not reach the module.
  Value locals = visible_locals(frame, visible);
  if (frame.context->exports.is_map()) {
    for (const DictEntry& entry : dict_of(frame.context->exports).entries) {
      if (dict_of(locals).find(entry.key, entry.hash) == nullptr)
        dict_of(locals).set(entry.key, entry.hash, entry.value);
    }
  }
  Context& then = contexts.emplace_back();
  then.compiled = frame.context->compiled;
  then.outer = frame.context->outer;
  then.variables = frame.context->variables;
  then.locals = frame.context->locals;
  return module_for(compiled, &then, std::move(locals));
}

void Run::import(Frame& frame, const ImportStatement& node) {
  Value module = import_source(frame, node.source, node.with_context, node.visible);
  if (node.exported) export_name(frame, node.target->name, module, true);
  slot(frame, node.target->place) = std::move(module);
}

void Run::import_from(Frame& frame, const FromImportStatement& node) {
  Value module = import_source(frame, node.source, node.with_context, node.visible);
  for (const ImportedName& imported : node.names) {
    const Value* found = module_of(module).exported.find(imported.name->as_string());
    Value value = found != nullptr ? *found
                                   : undefined_hint("the template " + repr_text(module_of(module).name) +
                                                    " (imported on line " + std::to_string(node.line) +
                                                    ") does not export the requested name " + repr_of(*imported.name));
    if (node.exported) export_name(frame, imported.target->name, value, true);
    slot(frame, imported.target->place) = std::move(value);
  }
}

void Run::extend(Frame& frame, const ExtendsStatement& node) {
  at(node);
  if (frame.root == nullptr) fault("extends may stand only at the top level of a template");
  if (frame.root->parent != nullptr) fault("this template extends two others; it may extend one");
  Value source = eval(frame, node.source);
  at(*node.source);
  bool missing = false;
  const detail::CompiledTemplate& parent = load(source, missing);
  if (missing) fault(not_found(source));
  for (const BlockStatement* block : parent.blocks) {
    BlockStack* stack = find_stack(*frame.context->blocks, block->name->as_string());
    if (stack != nullptr) {
      stack->functions.push_back({&parent, block});
    } else {
      frame.context->blocks->push_back({block->name, {{&parent, block}}});
    }
  }
  std::size_t levels = 0;
  for (const BlockStack& stack : *frame.context->blocks) levels = std::max(levels, stack.functions.size());
  if (levels > meter.limits.call_depth) fault_limit("templates extend each other without end (call_depth)");
  count_steps(16);
  if (++extends_seen > meter.limits.call_depth) {
    fault_limit("templates extend each other more than the limit of " + std::to_string(meter.limits.call_depth) +
                " times (call_depth)");
  }
  frame.root->parent = &parent;
}

void Run::exec_block(Frame& frame, const BlockStatement& node) {
  if (node.top_level && frame.root != nullptr && frame.root->parent != nullptr) return;
  at(node);
  if (frame.context->blocks == nullptr) fault("there is no block " + repr_of(*node.name));
  BlockStack* stack = find_stack(*frame.context->blocks, node.name->as_string());
  if (stack == nullptr) fault("there is no block " + repr_of(*node.name));
  if (node.required && stack->functions.size() <= 1)
    fault("the required block " + repr_of(*node.name) + " is not there");
  BlockFunction function = stack->functions[0];
  if (!node.scoped) return run_block(function, *frame.context, 0);
  Context& derived = contexts.emplace_back();
  derived.compiled = frame.context->compiled;
  derived.outer = frame.context;
  derived.locals = visible_locals(frame, node.visible);
  derived.tracks_exports = frame.context->tracks_exports;
  derived.blocks = frame.context->blocks;
  run_block(function, derived, 0);
}

void Run::run_block(const BlockFunction& function, Context& context, std::size_t depth) {
  const BlockStatement& block = *function.block;
  FunctionScope scope(*this, *block.function, nullptr, context, *function.compiled);
  if (block.takes_super) scope.frame.slots[block.super_slot] = super_of(block, context, depth);
  exec(scope.frame, block.body);
  scope.leave();
  check_output();
}

Value Run::super_of(const BlockStatement& block, Context& context, std::size_t depth) {
  BlockStack* stack = find_stack(*context.blocks, block.name->as_string());
  if (stack == nullptr || depth + 1 >= stack->functions.size()) {
    return undefined_hint("there is no parent block called " + repr_of(*block.name) + ".");
  }
  auto* reference = new BlocksObject;
  reference->context = &context;
  reference->run_number = number;
  reference->block = *block.name;
  reference->depth = depth + 1;
  return Value::adopt(Kind::blocks, reference);
}

Value Run::block_text(const Value& value) {
  const BlocksObject& reference = blocks_of(value);
  if (reference.run_number != number) fault("this block belongs to a render that is over");
  BlockStack* stack = find_stack(*reference.context->blocks, reference.block.as_string());
  if (stack == nullptr || reference.depth >= stack->functions.size()) fault("there is no such block");
  BlockFunction function = stack->functions[reference.depth];
  std::size_t mark = out.size();
  run_block(function, *reference.context, reference.depth);
  return take_output(mark);
}

}  // namespace palette::jinja
