#include <cmath>
#include <limits>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/text.h"

namespace palette::jinja {
namespace {

const char* sign_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
      return "+";
    case BinaryOp::sub:
      return "-";
    case BinaryOp::mul:
      return "*";
    case BinaryOp::div:
      return "/";
    case BinaryOp::floordiv:
      return "//";
    case BinaryOp::mod:
      return "%";
    case BinaryOp::pow:
      return "** or pow()";
  }
  return "?";
}

[[noreturn]] void fail_operands(BinaryOp op, const Value& left, const Value& right) {
  if (left.is_undefined()) fail_undefined(left);
  if (right.is_undefined()) fail_undefined(right);
  if (op == BinaryOp::add && left.is_string()) {
    fault("can only concatenate str (not \"" + std::string(type_name(right)) + "\") to str");
  }
  fault(std::string("unsupported operand type(s) for ") + sign_of(op) + ": '" + std::string(type_name(left)) +
        "' and '" + std::string(type_name(right)) + "'");
}

[[noreturn]] void fail_overflow(BinaryOp op) {
  fault(std::string("the result of ") + sign_of(op) + " does not fit in a 64-bit integer");
}

std::int64_t floor_div(std::int64_t left, std::int64_t right) {
  std::int64_t quotient = left / right;
  return (left % right != 0 && (left < 0) != (right < 0)) ? quotient - 1 : quotient;
}

Value power_int(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fault("0.0 cannot be raised to a negative power");
    return Value::of(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow(BinaryOp::pow);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
      fail_overflow(BinaryOp::pow);
    }
  }
  return Value::of(result);
}

Value int_operation(BinaryOp op, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  switch (op) {
    case BinaryOp::add:
      if (__builtin_add_overflow(left, right, &result)) fail_overflow(op);
      return Value::of(result);
    case BinaryOp::sub:
      if (__builtin_sub_overflow(left, right, &result)) fail_overflow(op);
      return Value::of(result);
    case BinaryOp::mul:
      if (__builtin_mul_overflow(left, right, &result)) fail_overflow(op);
      return Value::of(result);
    case BinaryOp::div:
      if (right == 0) fault("division by zero");
      // Correctly rounded also beyond 2^53, as Python's true division of integers.
      return Value::of(static_cast<double>(static_cast<long double>(left) / static_cast<long double>(right)));
    case BinaryOp::floordiv:
      if (right == 0) fault("integer division or modulo by zero");
      if (right == -1) {
        if (left == std::numeric_limits<std::int64_t>::min()) fail_overflow(op);
        return Value::of(-left);
      }
      return Value::of(floor_div(left, right));
    case BinaryOp::mod:
      if (right == 0) fault("integer division or modulo by zero");
      if (right == -1) return Value::of(0);
      return Value::of(left - floor_div(left, right) * right);
    case BinaryOp::pow:
      return power_int(left, right);
  }
  return {};
}

double float_mod(double left, double right) {
  double rest = std::fmod(left, right);
  if (rest != 0) return (rest < 0) != (right < 0) ? rest + right : rest;
  return std::copysign(0.0, right);
}

// float.__floordiv__ of CPython.
double float_floor_div(double left, double right) {
  double rest = std::fmod(left, right);
  double quotient = (left - rest) / right;
  if (rest != 0 && (right < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, left / right);
  double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value float_operation(BinaryOp op, double left, double right) {
  switch (op) {
    case BinaryOp::add:
      return Value::of(left + right);
    case BinaryOp::sub:
      return Value::of(left - right);
    case BinaryOp::mul:
      return Value::of(left * right);
    case BinaryOp::div:
      if (right == 0) fault("float division by zero");
      return Value::of(left / right);
    case BinaryOp::floordiv:
      if (right == 0) fault("float floor division by zero");
      return Value::of(float_floor_div(left, right));
    case BinaryOp::mod:
      if (right == 0) fault("float modulo");
      return Value::of(float_mod(left, right));
    case BinaryOp::pow: {
      if (left == 0 && right < 0) fault("0.0 cannot be raised to a negative power");
      if (left < 0 && right != std::floor(right) && std::isfinite(left) && std::isfinite(right)) {
        fault("a negative number to a fractional power is complex, which is not supported");
      }
      double result = std::pow(left, right);
      if (std::isinf(result) && std::isfinite(left) && std::isfinite(right)) fault("the result of ** is too large");
      return Value::of(result);
    }
  }
  return {};
}

Value joined(const Value& left, const Value& right) {
  std::string_view a = left.as_string();
  std::string_view b = right.as_string();
  check_operation(a.size() + b.size(), "+");
  count_steps((a.size() + b.size()) / 32);
  if (left.is_safe() != right.is_safe()) {
    std::string text;
    append_escaped_value(text, left);
    append_escaped_value(text, right);
    return Value::safe(text);
  }
  StringObject* text = StringObject::allocate(a.size() + b.size());
  a.copy(text->data(), a.size());
  b.copy(text->data() + a.size(), b.size());
  return Value::adopt(Kind::string, text, left.is_safe() ? Value::kSafe : std::uint8_t{0});
}

Value repeated(const Value& what, std::int64_t times) {
  if (times < 0) times = 0;
  auto count = static_cast<std::uint64_t>(times);
  if (what.is_string()) {
    std::string_view text = what.as_string();
    __int128 bytes = static_cast<__int128>(text.size()) * count;
    check_operation(bytes > INT64_MAX ? INT64_MAX : static_cast<std::uint64_t>(bytes), "a repeated string");
    std::string out;
    out.reserve(text.size() * count);
    for (std::uint64_t i = 0; i < count && !text.empty(); ++i) out += text;
    return what.is_safe() ? Value::safe(out) : Value::of(out);
  }
  const auto& items = list_of(what).items;
  __int128 bytes = static_cast<__int128>(items.size()) * count * sizeof(Value);
  check_operation(bytes > INT64_MAX ? INT64_MAX : static_cast<std::uint64_t>(bytes), "a repeated list");
  std::vector<Value> out;
  out.reserve(items.size() * count);
  for (std::uint64_t i = 0; i < count && !items.empty(); ++i) out.insert(out.end(), items.begin(), items.end());
  return make_list(std::move(out), what.kind());
}

bool repeats(const Value& what, const Value& times) {
  bool sequence = what.is_string() || what.kind() == Kind::list || what.kind() == Kind::tuple;
  return sequence && (times.is_int() || times.is_bool());
}

}  // namespace

Value binary(BinaryOp op, const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    if (left.is_double() || right.is_double()) return float_operation(op, left.as_double(), right.as_double());
    return int_operation(op, left.as_int(), right.as_int());
  }
  if (op == BinaryOp::mod && left.is_string()) {
    if (right.is_undefined() && strict_undefined()) fail_undefined(right);
    if (right.is_undefined()) fail_undefined(right);
    return format_percent(left, right);
  }
  if (op == BinaryOp::add) {
    if (left.is_string() && right.is_string()) return joined(left, right);
    if (left.kind() == right.kind() && (left.kind() == Kind::list || left.kind() == Kind::tuple)) {
      check_operation((left.size() + right.size()) * sizeof(Value), "+");
      count_steps(left.size() + right.size());
      std::vector<Value> items = list_of(left).items;
      items.insert(items.end(), list_of(right).items.begin(), list_of(right).items.end());
      return make_list(std::move(items), left.kind());
    }
  }
  if (op == BinaryOp::mul && repeats(left, right)) return repeated(left, right.as_int());
  if (op == BinaryOp::mul && repeats(right, left)) return repeated(right, left.as_int());
  fail_operands(op, left, right);
}

Value negated(const Value& value) {
  if (value.is_double()) return Value::of(-value.as_double());
  if (value.is_number()) return int_operation(BinaryOp::sub, 0, value.as_int());
  if (value.is_undefined()) fail_undefined(value);
  fault("bad operand type for unary -: '" + std::string(type_name(value)) + "'");
}

Value positive(const Value& value) {
  if (value.is_double()) return value;
  if (value.is_number()) return Value::of(value.as_int());
  if (value.is_undefined()) fail_undefined(value);
  fault("bad operand type for unary +: '" + std::string(type_name(value)) + "'");
}

}  // namespace palette::jinja
