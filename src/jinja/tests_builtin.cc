#include <cmath>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"

namespace palette::jinja {
namespace {

using Test = bool (*)(Arguments& arguments);

const Value& subject(const Arguments& arguments) { return *bind(arguments, {"value"}, 1)[0]; }

bool remainder_is(const Value& value, std::int64_t divisor, std::int64_t wanted) {
  // "%d is odd" of a string is string formatting in Python, whose result never equals a number.
  Value rest = binary(BinaryOp::mod, value, Value::of(divisor));
  return equal(rest, Value::of(wanted));
}

bool is_sequence(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return !strict_undefined();  // has len(), and an answer to every attribute
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
      return true;
    default:
      return false;
  }
}

bool is_callable(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::loop:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::joiner:
      return true;
    case Kind::blocks:
      return !blocks_of(value).block.is_undefined();
    default:
      return false;
  }
}

// value.islower() of its text.
bool has_case(const Arguments& arguments, MethodId method) {
  Value text = Value::of(text_of(subject(arguments)));
  Arguments inner{arguments.run, name_of(method), {}, {}};
  return call_method(text, method, inner).as_bool();
}

template <CompareOp op>
bool compares(Arguments& arguments) {
  auto given = bind(arguments, {"a", "b"}, 2);
  return arguments.run.compare_values(op, *given[0], *given[1]);
}

std::string text_argument(const Arguments& arguments) {
  const Value& value = subject(arguments);
  if (value.is_string()) return std::string(value.as_string());
  hash_value(value);  // fails for what could be no name at all
  return {};
}

}  // namespace

void add_tests(Registry& registry) {
  auto add = [&](const char* name, Test test) { registry.tests[name].builtin = test; };
  add("defined", [](Arguments& a) { return !subject(a).is_undefined(); });
  add("undefined", [](Arguments& a) { return subject(a).is_undefined(); });
  add("none", [](Arguments& a) { return subject(a).is_none(); });
  add("boolean", [](Arguments& a) { return subject(a).is_bool(); });
  add("true", [](Arguments& a) { return subject(a).is_bool() && subject(a).as_bool(); });
  add("false", [](Arguments& a) { return subject(a).is_bool() && !subject(a).as_bool(); });
  add("integer", [](Arguments& a) { return subject(a).is_int(); });
  add("float", [](Arguments& a) { return subject(a).is_double(); });
  add("number", [](Arguments& a) { return subject(a).is_number(); });
  add("string", [](Arguments& a) { return subject(a).is_string(); });
  add("mapping", [](Arguments& a) { return subject(a).is_map(); });
  add("sequence", [](Arguments& a) { return is_sequence(subject(a)); });
  add("iterable", [](Arguments& a) { return is_iterable(subject(a)); });
  add("callable", [](Arguments& a) { return is_callable(subject(a)); });
  add("escaped", [](Arguments& a) { return subject(a).is_safe() || subject(a).kind() == Kind::module; });
  add("lower", [](Arguments& a) { return has_case(a, MethodId::islower); });
  add("upper", [](Arguments& a) { return has_case(a, MethodId::isupper); });
  add("odd", [](Arguments& a) { return remainder_is(subject(a), 2, 1); });
  add("even", [](Arguments& a) { return remainder_is(subject(a), 2, 0); });
  add("divisibleby", [](Arguments& a) {
    auto given = bind(a, {"value", "num"}, 2);
    return equal(binary(BinaryOp::mod, *given[0], *given[1]), Value::of(0));
  });
  add("filter", [](Arguments& a) { return a.run.environment.registry.filter(text_argument(a)) != nullptr; });
  add("test", [](Arguments& a) { return a.run.environment.registry.test(text_argument(a)) != nullptr; });
  add("sameas", [](Arguments& a) {
    auto given = bind(a, {"value", "other"}, 2);
    return same_object(*given[0], *given[1]);
  });
  add("in", [](Arguments& a) {
    auto given = bind(a, {"value", "seq"}, 2);
    return contains(*given[1], *given[0]);
  });
  for (const char* name : {"==", "eq", "equalto"}) add(name, compares<CompareOp::eq>);
  for (const char* name : {"!=", "ne"}) add(name, compares<CompareOp::ne>);
  for (const char* name : {">", "gt", "greaterthan"}) add(name, compares<CompareOp::gt>);
  for (const char* name : {">=", "ge"}) add(name, compares<CompareOp::gteq>);
  for (const char* name : {"<", "lt", "lessthan"}) add(name, compares<CompareOp::lt>);
  for (const char* name : {"<=", "le"}) add(name, compares<CompareOp::lteq>);
}

}  // namespace palette::jinja
