#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/update.h"

namespace palette::jinja {
namespace {

Value range(Arguments& arguments) {
  if (!arguments.keywords.empty()) fault("range() takes no keyword arguments");
  std::span<const Value> given = arguments.positional;
  if (given.empty() || given.size() > 3) fault("range() takes one to three integers");
  auto bound = [&](std::size_t position) {
    const Value& value = given[position];
    if (value.is_int() || value.is_bool()) return value.as_int();
    if (value.is_undefined()) fail_undefined(value);
    fault("'" + std::string(type_name(value)) + "' object cannot be interpreted as an integer");
  };
  auto* object = new RangeObject;
  Value value = Value::adopt(Kind::range, object);
  object->stop = bound(given.size() == 1 ? 0 : 1);
  if (given.size() > 1) object->start = bound(0);
  if (given.size() > 2) object->step = bound(2);
  if (object->step == 0) fault("range() arg 3 must not be zero");
  return value;
}

void fill(const Value& target, const Arguments& arguments) {
  if (arguments.positional.size() > 1) fault(std::string(arguments.name) + "() takes at most one dict");
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    if (source.is_undefined() && strict_undefined()) fail_undefined(source);
    update_dict(target, source);
  }
  for (const Keyword& keyword : arguments.keywords) dict_of(target).set_text(keyword.name, keyword.value);
}

Value dict(Arguments& arguments) {
  Value value = make_dict();
  fill(value, arguments);
  return value;
}

Value name_space(Arguments& arguments) {
  auto* object = new NamespaceObject;
  Value value = Value::adopt(Kind::name_space, object);
  object->attributes = make_dict();
  fill(object->attributes, arguments);
  return value;
}

Value cycler(Arguments& arguments) {
  if (!arguments.keywords.empty()) fault("cycler() takes no keyword arguments");
  if (arguments.positional.empty()) fault("at least one item has to be provided");
  auto* object = new CyclerObject;
  object->items.assign(arguments.positional.begin(), arguments.positional.end());
  return Value::adopt(Kind::cycler, object);
}

Value joiner(Arguments& arguments) {
  auto given = bind(arguments, {"sep"}, 0);
  auto* object = new JoinerObject;
  object->separator = given[0] == nullptr ? Value::of(", ") : *given[0];
  return Value::adopt(Kind::joiner, object);
}

Value raise_exception(Arguments& arguments) {
  auto given = bind(arguments, {"message"}, 1);
  fault(text_of(*given[0]));
}

}  // namespace

void add_functions(Registry& registry, const Settings& settings) {
  auto add = [&](const char* name, const char* shown, Builtin builtin) {
    dict_of(registry.globals).set_text(name, make_function(name, shown, builtin));
  };
  add("range", "<class 'range'>", range);
  add("dict", "<class 'dict'>", dict);
  add("namespace", "<class 'jinja2.utils.Namespace'>", name_space);
  add("cycler", "<class 'jinja2.utils.Cycler'>", cycler);
  add("joiner", "<class 'jinja2.utils.Joiner'>", joiner);
  if (settings.chat_template) add("raise_exception", "", raise_exception);
}

}  // namespace palette::jinja
