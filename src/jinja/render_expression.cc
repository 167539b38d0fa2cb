#include <cmath>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/methods.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

// An expression that calls nothing: what ref() gives for it stays as it is while another such one is looked at.
bool is_plain(const Expr* expr) {
  switch (expr->kind) {
    case ExprKind::constant:
    case ExprKind::name:
      return true;
    case ExprKind::attribute:
      return is_plain(static_cast<const AttributeExpr*>(expr)->object);
    case ExprKind::item:
      return static_cast<const ItemExpr*>(expr)->index->kind == ExprKind::constant &&
             is_plain(static_cast<const ItemExpr*>(expr)->object);
    default:
      return false;
  }
}

bool is_sum(const Expr* expr) {
  return expr->kind == ExprKind::binary && static_cast<const BinaryExpr*>(expr)->op == BinaryOp::add;
}

// Where an error of the operation stands: at an operand that is undefined, else at the operator.
const Node& blamed(const BinaryExpr& node, const Value& left, const Value& right) {
  if (left.is_undefined()) return *node.left;
  if (right.is_undefined()) return *node.right;
  return node;
}

const char* sign_of(CompareOp op) {
  switch (op) {
    case CompareOp::lt:
      return "<";
    case CompareOp::lteq:
      return "<=";
    case CompareOp::gt:
      return ">";
    case CompareOp::gteq:
      return ">=";
    case CompareOp::eq:
    case CompareOp::ne:
    case CompareOp::in:
    case CompareOp::notin:
      return "==";
  }
  return "==";
}

}  // namespace

const Value& Run::ref(Frame& frame, const Expr* expr, Value& scratch) {
  switch (expr->kind) {
    case ExprKind::constant:
      return *static_cast<const ConstantExpr*>(expr)->value;
    case ExprKind::name: {
      const auto* name = static_cast<const NameExpr*>(expr);
      const Value& value = slot(frame, name->place);
      if (!is_unset(value)) return value;
      scratch = undefined_name(*name->name);
      return scratch;
    }
    case ExprKind::attribute:
      return attribute_ref(frame, *static_cast<const AttributeExpr*>(expr), scratch);
    case ExprKind::item: {
      const auto* node = static_cast<const ItemExpr*>(expr);
      if (node->index->kind == ExprKind::constant) {
        const Value& key = *static_cast<const ConstantExpr*>(node->index)->value;
        Value temporary;
        const Value& object = ref(frame, node->object, temporary);
        if (object.is_map() && key.is_string()) {
          const StringObject& text = string_of(key);
          DictEntry* entry = dict_of(object).find_text(text.view(), hash_of(text));
          if (entry != nullptr) {
            if (&object != &temporary) return entry->value;
            scratch = Value(entry->value);
            return scratch;
          }
        }
        at(object.is_undefined() ? static_cast<const Node&>(*node->object) : *node);
        scratch = object.is_undefined() ? undefined_access(object, node->object) : get_item(*this, object, key);
        return scratch;
      }
      scratch = eval_item(frame, *node);
      return scratch;
    }
    default:
      scratch = eval(frame, expr);
      return scratch;
  }
}

// object.name where the object is undefined: an error that names the variable, unless undefined may be chained.
Value Run::undefined_access(const Value& object, const Expr* where) {
  if (chainable_undefined()) return object;
  at(*where);
  fail_undefined(object);
}

const Value& Run::attribute_ref(Frame& frame, const AttributeExpr& node, Value& scratch) {
  Value temporary;
  const Value& object = ref(frame, node.object, temporary);
  if (object.is_map() && !(node.method != MethodId::none && has_method(object, node.method))) {
    const StringObject& name = string_of(*node.name);
    DictEntry* entry = dict_of(object).find_text(name.view(), hash_of(name));
    if (entry != nullptr) {
      if (&object != &temporary) return entry->value;
      scratch = Value(entry->value);
      return scratch;
    }
  }
  if (object.is_undefined()) {
    scratch = undefined_access(object, node.object);
    if (node.name->as_string() == "_undefined_name") scratch = Value::of(undefined_subject(object));
    return scratch;
  }
  at(node);
  scratch = get_attribute(*this, object, *node.name, node.method);
  return scratch;
}

bool Run::test_truth(Frame& frame, const Expr* expr) {
  switch (expr->kind) {
    case ExprKind::logical_not:
      return !test_truth(frame, static_cast<const UnaryExpr*>(expr)->operand);
    case ExprKind::logical_and:
      return test_truth(frame, static_cast<const BinaryExpr*>(expr)->left) &&
             test_truth(frame, static_cast<const BinaryExpr*>(expr)->right);
    case ExprKind::logical_or:
      return test_truth(frame, static_cast<const BinaryExpr*>(expr)->left) ||
             test_truth(frame, static_cast<const BinaryExpr*>(expr)->right);
    case ExprKind::test:
      return eval_test(frame, *static_cast<const TestExpr*>(expr));
    default: {
      Value scratch;
      const Value& value = ref(frame, expr, scratch);
      if (value.is_undefined()) at(*expr);
      return truth(value);
    }
  }
}

Value Run::eval(Frame& frame, const Expr* expr) {
  check_stack();
  switch (expr->kind) {
    case ExprKind::constant:
    case ExprKind::name:
    case ExprKind::attribute: {
      Value scratch;
      const Value& value = ref(frame, expr, scratch);
      if (&value == &scratch) return scratch;
      return value;
    }
    case ExprKind::text:
      return Value::of(static_cast<const TextExpr*>(expr)->text);
    case ExprKind::item:
      return eval_item(frame, *static_cast<const ItemExpr*>(expr));
    case ExprKind::call:
      return eval_call(frame, *static_cast<const CallExpr*>(expr));
    case ExprKind::filter:
      return eval_filter(frame, *static_cast<const FilterExpr*>(expr), nullptr);
    case ExprKind::test:
      return Value::of(eval_test(frame, *static_cast<const TestExpr*>(expr)));
    case ExprKind::conditional: {
      const auto* node = static_cast<const ConditionalExpr*>(expr);
      if (test_truth(frame, node->test)) return eval(frame, node->yes);
      if (node->no != nullptr) return eval(frame, node->no);
      return undefined_hint("the inline if on line " + std::to_string(node->line) + " was false and has no else", true);
    }
    case ExprKind::logical_and:
    case ExprKind::logical_or: {
      const auto* node = static_cast<const BinaryExpr*>(expr);
      Value left = eval(frame, node->left);
      if (left.is_undefined()) at(*node->left);
      if (truth(left) == (expr->kind == ExprKind::logical_or)) return left;
      return eval(frame, node->right);
    }
    case ExprKind::logical_not:
      return Value::of(!test_truth(frame, static_cast<const UnaryExpr*>(expr)->operand));
    case ExprKind::negate:
    case ExprKind::plus: {
      Value value = eval(frame, static_cast<const UnaryExpr*>(expr)->operand);
      at(*expr);
      return expr->kind == ExprKind::negate ? negated(value) : positive(value);
    }
    case ExprKind::binary:
      return eval_binary(frame, *static_cast<const BinaryExpr*>(expr));
    case ExprKind::compare:
      return eval_compare(frame, *static_cast<const CompareExpr*>(expr));
    case ExprKind::concat:
      return eval_concat(frame, *static_cast<const SequenceExpr*>(expr));
    case ExprKind::list:
    case ExprKind::tuple:
      return eval_sequence(frame, *static_cast<const SequenceExpr*>(expr));
    case ExprKind::dict:
      return eval_dict(frame, *static_cast<const DictExpr*>(expr));
    case ExprKind::slice:
    case ExprKind::namespace_target:
      break;
  }
  fault("this expression has no value");
}

// 'a' + b + 'c': the texts go one after the other to the end of the output, without a string for each sum. True when
// all were plain strings; else the value so far is in `result` and nothing was written.
bool Run::sum_into_output(Frame& frame, const BinaryExpr& node, Value& result) {
  count_steps();
  std::size_t mark = out.size();
  bool text = false;
  Value left_scratch;
  const Value* left = &left_scratch;
  if (is_sum(node.left)) {
    text = sum_into_output(frame, static_cast<const BinaryExpr&>(*node.left), left_scratch);
  } else {
    left = &ref(frame, node.left, left_scratch);
    if (left->is_string() && !left->is_safe()) {
      out += left->as_string();
      text = true;
    } else if (left != &left_scratch) {
      left_scratch = Value(*left);
      left = &left_scratch;
    }
  }
  Value right_scratch;
  const Value& right = ref(frame, node.right, right_scratch);
  if (text && right.is_string() && !right.is_safe()) {
    out += right.as_string();
    at(node);
    check_operation(out.size() - mark, "+");
    return true;
  }
  if (text) {
    left_scratch = Value::of(std::string_view(out).substr(mark));
    out.resize(mark);
  }
  at(blamed(node, left_scratch, right));
  result = binary(node.op, left_scratch, right);
  return false;
}

Value Run::eval_binary(Frame& frame, const BinaryExpr& node) {
  if (is_sum(node.left) && node.op == BinaryOp::add) {
    Value result;
    std::size_t mark = out.size();
    if (sum_into_output(frame, node, result)) {
      result = Value::of(std::string_view(out).substr(mark));
      out.resize(mark);
    }
    return result;
  }
  count_steps();
  if (node.sign_last) {
    Value base = eval(frame, node.left);
    Value exponent = eval(frame, node.right);
    at(blamed(node, base, exponent));
    bool negative = base.is_number() && !base.is_bool() && std::signbit(base.as_double());
    return negative ? negated(binary(node.op, negated(base), exponent)) : binary(node.op, base, exponent);
  }
  if (is_plain(node.right)) {
    Value left_scratch;
    Value right_scratch;
    if (is_plain(node.left)) {
      const Value& left = ref(frame, node.left, left_scratch);
      const Value& right = ref(frame, node.right, right_scratch);
      at(blamed(node, left, right));
      return binary(node.op, left, right);
    }
    Value left = eval(frame, node.left);
    const Value& right = ref(frame, node.right, right_scratch);
    at(blamed(node, left, right));
    return binary(node.op, left, right);
  }
  Value left = eval(frame, node.left);
  Value right = eval(frame, node.right);
  at(blamed(node, left, right));
  return binary(node.op, left, right);
}

bool Run::compare_values(CompareOp op, const Value& left, const Value& right) {
  switch (op) {
    case CompareOp::eq:
      return equal(left, right);
    case CompareOp::ne:
      return !equal(left, right);
    case CompareOp::lt:
      return compare(left, right, sign_of(op)) == -1;
    case CompareOp::lteq: {
      int order = compare(left, right, sign_of(op));
      return order == -1 || order == 0;
    }
    case CompareOp::gt:
      return compare(left, right, sign_of(op)) == 1;
    case CompareOp::gteq: {
      int order = compare(left, right, sign_of(op));
      return order == 1 || order == 0;
    }
    case CompareOp::in:
      return contains(right, left);
    case CompareOp::notin:
      return !contains(right, left);
  }
  return false;
}

Value Run::eval_compare(Frame& frame, const CompareExpr& node) {
  count_steps();
  if (node.rest.size() == 1) {
    const Operand& operand = node.rest[0];
    Value left_scratch;
    Value right_scratch;
    if (is_plain(node.first) && is_plain(operand.value)) {
      const Value& left = ref(frame, node.first, left_scratch);
      const Value& right = ref(frame, operand.value, right_scratch);
      at(node);
      return Value::of(compare_values(operand.op, left, right));
    }
    Value left = eval(frame, node.first);
    const Value& right = ref(frame, operand.value, right_scratch);
    at(node);
    return Value::of(compare_values(operand.op, left, right));
  }
  // a < b < c: each is evaluated once, and only as far as needed.
  Value left = eval(frame, node.first);
  for (const Operand& operand : node.rest) {
    Value right = eval(frame, operand.value);
    at(node);
    if (!compare_values(operand.op, left, right)) return Value::of(false);
    left = std::move(right);
  }
  return Value::of(true);
}

Value Run::eval_concat(Frame& frame, const SequenceExpr& node) {
  count_steps();
  std::string text;
  bool safe = false;
  if (!autoescape) {
    for (const Expr* item : node.items) {
      Value scratch;
      const Value& value = ref(frame, item, scratch);
      at(*item);
      append_text(text, value);
      check_operation(text.size(), "~");
    }
    count_steps(text.size() / 32);
    return Value::of(text);
  }
  std::vector<Value> values;
  for (const Expr* item : node.items) {
    values.push_back(eval(frame, item));
    safe |= values.back().is_safe();
  }
  for (const Value& value : values) {
    if (safe && !value.is_safe()) {
      append_escaped_value(text, value);
    } else {
      append_text(text, value);
    }
    check_operation(text.size(), "~");
  }
  return safe ? Value::safe(text) : Value::of(text);
}

Value Run::eval_sequence(Frame& frame, const SequenceExpr& node) {
  if (node.constant != nullptr && !thaw) return *node.constant;
  count_steps();
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const Expr* item : node.items) items.push_back(eval(frame, item));
  return make_list(std::move(items), node.kind == ExprKind::list ? Kind::list : Kind::tuple);
}

Value Run::eval_dict(Frame& frame, const DictExpr& node) {
  count_steps();
  Value dict = make_dict();
  dict_of(dict).entries.reserve(node.pairs.size());
  for (const PairNode& pair : node.pairs) {
    Value key = eval(frame, pair.key);
    Value value = eval(frame, pair.value);
    at(*pair.key);
    std::uint32_t hash = hash_value(key);
    dict_of(dict).set(std::move(key), hash, std::move(value));
  }
  return dict;
}

Value Run::eval_item(Frame& frame, const ItemExpr& node) {
  count_steps();
  Value object = eval(frame, node.object);
  if (node.index->kind == ExprKind::slice) return eval_slice(frame, object, static_cast<const SliceExpr&>(*node.index));
  Value scratch;
  const Value& key = ref(frame, node.index, scratch);
  if (object.is_undefined()) return undefined_access(object, node.object);
  at(node);
  return get_item(*this, object, key);
}

Value Run::eval_slice(Frame& frame, const Value& object, const SliceExpr& node) {
  Value start;
  Value stop;
  Value step;
  if (node.start != nullptr) start = eval(frame, node.start);
  if (node.stop != nullptr) stop = eval(frame, node.stop);
  if (node.step != nullptr) step = eval(frame, node.step);
  at(node);
  if (object.is_undefined()) {
    if (chainable_undefined()) return object;
    fail_undefined(object);
  }
  return get_slice(object, node.start == nullptr ? nullptr : &start, node.stop == nullptr ? nullptr : &stop,
                   node.step == nullptr ? nullptr : &step);
}

}  // namespace palette::jinja
