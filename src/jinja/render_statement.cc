#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {

void Run::check_output() const {
  if (out.size() <= meter.limits.output_bytes) return;
  fault_limit("the text grows beyond the limit of " + std::to_string(meter.limits.output_bytes) +
              " bytes (output_bytes)");
}

Value Run::take_output(std::size_t mark) {
  std::string_view text = std::string_view(out).substr(mark);
  Value value = autoescape ? Value::safe(text) : Value::of(text);
  out.resize(mark);
  return value;
}

void Run::enter(Frame& frame, const Scope& scope) {
  for (const ScopeSlot& entry : scope.slots) {
    frame.slots[entry.slot] = entry.init == SlotInit::copy ? slot(frame, entry.from) : unset();
  }
}

void Run::export_name(Frame& frame, const Value* name, const Value& value, bool is_private) {
  Context& context = *frame.context;
  if (!context.tracks_exports) return;
  if (context.exports.is_undefined()) context.exports = make_dict();
  dict_of(context.exports).set(*name, hash_of(string_of(*name)), value);
  std::erase(context.private_names, name);
  if (is_private) context.private_names.push_back(name);
}

Flow Run::exec(Frame& frame, Body body) {
  for (const Statement* statement : body) {
    Flow flow = exec(frame, statement);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Flow Run::exec(Frame& frame, const Statement* statement) {
  count_steps();
  check_stack();
  switch (statement->kind) {
    case StatementKind::output:
      output(frame, static_cast<const OutputStatement&>(*statement));
      return Flow::normal;
    case StatementKind::if_:
      return exec_if(frame, static_cast<const IfStatement&>(*statement));
    case StatementKind::for_:
      return exec_for(frame, static_cast<const ForStatement&>(*statement));
    case StatementKind::set: {
      const auto& node = static_cast<const SetStatement&>(*statement);
      assign(frame, node.target, eval(frame, node.value), node.exported);
      return Flow::normal;
    }
    case StatementKind::set_block:
      set_block(frame, static_cast<const SetBlockStatement&>(*statement));
      return Flow::normal;
    case StatementKind::macro: {
      const auto& node = static_cast<const MacroStatement&>(*statement);
      Value macro = make_macro(frame, node.macro);
      if (node.exported) export_name(frame, node.name->name, macro, node.name->name->as_string()[0] == '_');
      slot(frame, node.name->place) = std::move(macro);
      return Flow::normal;
    }
    case StatementKind::call_block:
      call_block(frame, static_cast<const CallBlockStatement&>(*statement));
      return Flow::normal;
    case StatementKind::filter_block:
      filter_block(frame, static_cast<const FilterBlockStatement&>(*statement));
      return Flow::normal;
    case StatementKind::with:
      return exec_with(frame, static_cast<const WithStatement&>(*statement));
    case StatementKind::include:
      include(frame, static_cast<const IncludeStatement&>(*statement));
      return Flow::normal;
    case StatementKind::import:
      import(frame, static_cast<const ImportStatement&>(*statement));
      return Flow::normal;
    case StatementKind::from_import:
      import_from(frame, static_cast<const FromImportStatement&>(*statement));
      return Flow::normal;
    case StatementKind::extends:
      extend(frame, static_cast<const ExtendsStatement&>(*statement));
      return Flow::normal;
    case StatementKind::block:
      exec_block(frame, static_cast<const BlockStatement&>(*statement));
      return Flow::normal;
    case StatementKind::autoescape:
      return exec_autoescape(frame, static_cast<const AutoescapeStatement&>(*statement));
    case StatementKind::scope:
      enter(frame, static_cast<const ScopeStatement&>(*statement).scope);
      return exec(frame, static_cast<const ScopeStatement&>(*statement).body);
    case StatementKind::do_:
      static_cast<void>(eval(frame, static_cast<const DoStatement&>(*statement).value));
      return Flow::normal;
    case StatementKind::break_:
      return Flow::break_loop;
    case StatementKind::continue_:
      return Flow::continue_loop;
  }
  return Flow::normal;
}

void Run::output_value(const Value& value) {
  if (autoescape) {
    append_escaped_value(out, value);
  } else {
    append_text(out, value);
  }
}

void Run::output(Frame& frame, const OutputStatement& node) {
  if (frame.root != nullptr && frame.root->parent != nullptr) return;  // a child's text outside of blocks
  for (const Expr* part : node.parts) {
    switch (part->kind) {
      case ExprKind::text:
        out += static_cast<const TextExpr*>(part)->text;
        break;
      case ExprKind::call:
        output_call(frame, static_cast<const CallExpr&>(*part));
        break;
      case ExprKind::binary: {
        const auto& operation = static_cast<const BinaryExpr&>(*part);
        Value value;
        if (autoescape || operation.op != BinaryOp::add) {
          value = eval_binary(frame, operation);
        } else if (sum_into_output(frame, operation, value)) {
          break;
        }
        at(*part);
        output_value(value);
        break;
      }
      case ExprKind::conditional: {
        // The branch's own node, so that a macro called there writes straight to the output.
        const auto& choice = static_cast<const ConditionalExpr&>(*part);
        const Expr* chosen = test_truth(frame, choice.test) ? choice.yes : choice.no;
        if (chosen == nullptr) break;
        Value scratch;
        const Value& value = ref(frame, chosen, scratch);
        at(*chosen);
        output_value(value);
        break;
      }
      default: {
        Value scratch;
        const Value& value = ref(frame, part, scratch);
        at(*part);
        output_value(value);
      }
    }
  }
  check_output();
}

Flow Run::exec_if(Frame& frame, const IfStatement& node) {
  for (const IfBranch& branch : node.branches) {
    if (branch.test == nullptr || test_truth(frame, branch.test)) return exec(frame, branch.body);
  }
  return Flow::normal;
}

namespace {

class LoopTest final : public ItemFilter {
 public:
  LoopTest(Run& run, Frame& frame, const ForStatement& node) : run_(run), frame_(frame), node_(node) {}

  bool passes(const Value& item) override {
    run_.enter(frame_, node_.test_scope);
    run_.assign(frame_, node_.test_target, item, false);
    return run_.test_truth(frame_, node_.test);
  }

 private:
  Run& run_;
  Frame& frame_;
  const ForStatement& node_;
};

}  // namespace

Flow Run::exec_for(Frame& frame, const ForStatement& node) {
  Value iterable = eval(frame, node.iterable);
  at(*node.iterable);
  if (!node.extended) return exec_plain_for(frame, node, std::move(iterable));
  if (!node.recursive) {
    exec_extended_for(frame, node, std::move(iterable), 0);
    return Flow::normal;
  }
  FunctionScope scope(*this, *node.function, &frame, *frame.context, *frame.compiled);
  scope.frame.root = frame.root;
  exec_extended_for(scope.frame, node, std::move(iterable), 0);
  scope.leave();
  return Flow::normal;
}

Flow Run::exec_plain_for(Frame& frame, const ForStatement& node, Value iterable) {
  ItemSource source(std::move(iterable));
  LoopTest filter(*this, frame, node);
  Value item;
  bool any = false;
  while (source.next(item)) {
    if (node.test != nullptr && !filter.passes(item)) continue;
    enter(frame, node.body_scope);
    any = true;
    at(*node.target);
    assign(frame, node.target, std::move(item), false);
    if (exec(frame, node.body) == Flow::break_loop) break;
  }
  if (!any && !node.otherwise.empty()) {
    enter(frame, node.else_scope);
    return exec(frame, node.otherwise);
  }
  return Flow::normal;
}

void Run::exec_extended_for(Frame& frame, const ForStatement& node, Value iterable, std::int64_t depth0) {
  meter_take(sizeof(LoopObject));
  auto* loop = new LoopObject;
  Value holder = Value::adopt(Kind::loop, loop);
  loop->source = ItemSource(std::move(iterable));
  LoopTest filter(*this, frame, node);
  if (node.test != nullptr) loop->filter = &filter;
  loop->depth0 = depth0;
  if (node.recursive) {
    loop->statement = &node;
    loop->frame = frame.parent;
  }
  // However the loop ends, what it lent to `loop` is taken back.
  struct Return {
    LoopObject* loop;
    ~Return() {
      loop->filter = nullptr;
      loop->statement = nullptr;
      loop->frame = nullptr;
      meter_give(sizeof(LoopObject));
    }
  } give_back{loop};
  bool any = false;
  while (loop->advance()) {
    enter(frame, node.body_scope);
    any = true;
    frame.slots[node.loop_slot] = holder;
    at(*node.target);
    assign(frame, node.target, loop->current, false);
    if (exec(frame, node.body) == Flow::break_loop) return;
  }
  if (!any && !node.otherwise.empty()) {
    enter(frame, node.else_scope);
    exec(frame, node.otherwise);
  }
}

// loop(items) of a recursive loop: the loop's text for those items.
Value Run::recurse(const Value& value, const Value& iterable) {
  LoopObject& loop = loop_of(value);
  if (loop.statement == nullptr) fault("loop() needs a loop that is marked 'recursive' and still runs");
  const ForStatement& node = *loop.statement;
  std::size_t mark = out.size();
  FunctionScope scope(*this, *node.function, loop.frame, *loop.frame->context, *loop.frame->compiled);
  exec_extended_for(scope.frame, node, iterable, loop.depth0 + 1);
  scope.leave();
  return take_output(mark);
}

void Run::assign(Frame& frame, const Expr* target, Value value, bool exported) {
  switch (target->kind) {
    case ExprKind::name: {
      const auto& name = static_cast<const NameExpr&>(*target);
      if (exported) export_name(frame, name.name, value, name.name->as_string()[0] == '_');
      slot(frame, name.place) = std::move(value);
      return;
    }
    case ExprKind::namespace_target: {
      const auto& node = static_cast<const NamespaceTarget&>(*target);
      Value& holder = slot(frame, node.target->place);
      at(node);
      if (holder.kind() != Kind::name_space) {
        fault("cannot assign to an attribute of " + std::string(kind_name(holder)) + "; only namespace(…) allows it");
      }
      if (value.kind() >= Kind::list) changed.push_back(namespace_of(holder).attributes);
      dict_of(namespace_of(holder).attributes)
          .set(*node.attribute, hash_of(string_of(*node.attribute)), std::move(value));
      return;
    }
    default:
      return unpack(frame, static_cast<const SequenceExpr&>(*target), value, exported);
  }
}

void Run::unpack(Frame& frame, const SequenceExpr& target, const Value& value, bool exported) {
  at(target);
  if (!is_iterable(value)) fault("cannot unpack non-iterable " + std::string(type_name(value)) + " object");
  ItemSource source(value);
  std::vector<Value> items;
  Value item;
  while (items.size() <= target.items.size() && source.next(item)) items.push_back(std::move(item));
  if (items.size() > target.items.size()) {
    fault("too many values to unpack (expected " + std::to_string(target.items.size()) + ")");
  }
  if (items.size() < target.items.size()) {
    fault("not enough values to unpack (expected " + std::to_string(target.items.size()) + ", got " +
          std::to_string(items.size()) + ")");
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(frame, target.items[i], std::move(items[i]), exported);
}

void Run::set_block(Frame& frame, const SetBlockStatement& node) {
  enter(frame, node.scope);
  std::size_t mark = out.size();
  RootState* root = std::exchange(frame.root, nullptr);  // what is captured is no output of the child
  exec(frame, node.body);
  frame.root = root;
  Value text = take_output(mark);
  if (node.filter != nullptr) {
    text = eval_filter(frame, static_cast<const FilterExpr&>(*node.filter), &text);
    if (autoescape && !text.is_safe()) text = Value::safe(text_of(text));
  }
  assign(frame, node.target, std::move(text), node.exported);
}

void Run::filter_block(Frame& frame, const FilterBlockStatement& node) {
  enter(frame, node.scope);
  std::size_t mark = out.size();
  exec(frame, node.body);
  Value text = take_output(mark);
  Value filtered = eval_filter(frame, static_cast<const FilterExpr&>(*node.filter), &text);
  output_value(filtered);
  check_output();
}

Flow Run::exec_with(Frame& frame, const WithStatement& node) {
  enter(frame, node.scope);
  for (std::size_t i = 0; i < node.targets.size(); ++i) {
    assign(frame, node.targets[i], eval(frame, node.values[i]), false);
  }
  return exec(frame, node.body);
}

void Run::call_block(Frame& frame, const CallBlockStatement& node) {
  Value caller = make_macro(frame, node.macro);
  output_call(frame, *node.call, &caller);
  check_output();
  bool last = frame.macros.back().object() == caller.object();
  if (last && caller.object()->references.load() == 2) frame.macros.pop_back();
}

Flow Run::exec_autoescape(Frame& frame, const AutoescapeStatement& node) {
  enter(frame, node.scope);
  bool before = autoescape;
  autoescape = test_truth(frame, node.value);
  Flow flow = exec(frame, node.body);
  autoescape = before;
  return flow;
}

}  // namespace palette::jinja
