#include <algorithm>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/methods.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {

void Run::collect(Frame& frame, const ArgumentNodes& nodes, ArgumentPack& pack) {
  for (const Expr* argument : nodes.positional) pack.positional.push_back(eval(frame, argument));
  for (const KeywordNode& keyword : nodes.keywords) {
    pack.keywords.push_back({keyword.name->as_string(), eval(frame, keyword.value)});
  }
  if (nodes.star != nullptr) {
    Value more = eval(frame, nodes.star);
    at(*nodes.star);
    for (Value& item : items_of(more)) pack.positional.push_back(std::move(item));
  }
  if (nodes.star_star == nullptr) return;
  Value more = eval(frame, nodes.star_star);
  at(*nodes.star_star);
  if (!more.is_map()) fault("the argument after ** must be a mapping, not " + std::string(type_name(more)));
  for (const DictEntry& entry : dict_of(more).entries) {
    if (!entry.key.is_string()) fault("keywords must be strings");
    for (const Keyword& known : pack.keywords.view()) {
      if (known.name == entry.key.as_string()) {
        fault("got multiple values for keyword argument " + repr_of(entry.key));
      }
    }
    pack.kept_names.push_back(entry.key);
    pack.keywords.push_back({entry.key.as_string(), entry.value});
  }
}

Value Run::eval_call(Frame& frame, const CallExpr& node, const Value* caller) {
  std::size_t mark = out.size();
  ArgumentPack pack;
  count_steps(2);
  Value callee;
  bool method_call = false;
  MethodId method = MethodId::none;
  if (node.callee->kind == ExprKind::attribute) {
    const auto& attribute = static_cast<const AttributeExpr&>(*node.callee);
    if (attribute.method != MethodId::none) {
      Value object = eval(frame, attribute.object);
      method_call = has_method(object, attribute.method);
      method = attribute.method;
      if (method_call) {
        callee = std::move(object);
      } else if (object.is_undefined()) {
        callee = undefined_access(object, attribute.object);
      } else {
        at(attribute);
        callee = get_attribute(*this, object, *attribute.name, attribute.method);
      }
    }
  }
  if (!method_call && method == MethodId::none) callee = eval(frame, node.callee);
  collect(frame, node.arguments, pack);
  if (caller != nullptr) pack.keywords.push_back({"caller", *caller});
  at(*node.callee);
  if (method_call) {
    Arguments arguments{*this, name_of(method), pack.positional.view(), pack.keywords.view()};
    return call_method(callee, method, arguments);
  }
  if (callee.kind() == Kind::macro) {
    run_macro(callee, pack.positional.view(), pack.keywords.view());
    return take_output(mark);
  }
  Arguments arguments{*this, {}, pack.positional.view(), pack.keywords.view()};
  return call_value(callee, arguments);
}

void Run::output_call(Frame& frame, const CallExpr& node, const Value* caller) {
  if (node.callee->kind == ExprKind::name && !autoescape) {
    Value scratch;
    Value callee = ref(frame, node.callee, scratch);
    if (callee.kind() == Kind::macro) {
      count_steps(2);
      ArgumentPack pack;
      collect(frame, node.arguments, pack);
      if (caller != nullptr) pack.keywords.push_back({"caller", *caller});
      at(*node.callee);
      return run_macro(callee, pack.positional.view(), pack.keywords.view());
    }
  }
  Value value = eval_call(frame, node, caller);
  at(node);
  output_value(value);
}

Value Run::call_value(const Value& callee, Arguments& arguments) {
  switch (callee.kind()) {
    case Kind::macro: {
      std::size_t mark = out.size();
      run_macro(callee, arguments.positional, arguments.keywords);
      return take_output(mark);
    }
    case Kind::function: {
      const FunctionObject& function = function_of(callee);
      arguments.name = function.name;
      return function.builtin != nullptr ? function.builtin(arguments) : call_host(function.host, arguments);
    }
    case Kind::method: {
      MethodObject& method = method_of(callee);
      arguments.name = name_of(method.method);
      return call_method(method.self, method.method, arguments);
    }
    case Kind::loop:
      if (arguments.positional.size() != 1 || !arguments.keywords.empty()) fault("loop() takes one list");
      return recurse(callee, arguments.positional[0]);
    case Kind::joiner: {
      if (!arguments.positional.empty()) fault("a joiner takes no arguments");
      JoinerObject& joiner = joiner_of(callee);
      if (std::exchange(joiner.used, true)) return joiner.separator;
      return Value::of("");
    }
    case Kind::blocks:
      if (!blocks_of(callee).block.is_undefined()) return block_text(callee);
      break;
    case Kind::undefined:
      fail_undefined(callee);
    default:
      break;
  }
  fault("'" + std::string(type_name(callee)) + "' object is not callable");
}

Value Run::make_macro(Frame& frame, const MacroBody& body) {
  meter_take(sizeof(MacroObject));
  auto* macro = new MacroObject;
  macro->macro = &body;
  macro->autoescape = autoescape;
  macro->frame = &frame;
  macro->compiled = frame.compiled;
  macro->context = frame.context;
  macro->run_number = number;
  Value value = Value::adopt(Kind::macro, macro);
  frame.macros.push_back(value);
  return value;
}

// Binds arguments as Jinja's Macro.__call__ does.
void Run::bind_macro(Frame& frame, const MacroObject& macro, std::span<const Value> positional,
                     std::span<const Keyword> keywords) {
  const MacroBody& body = *macro.macro;
  auto name = [&] { return body.name == nullptr ? std::string("None") : repr_of(*body.name); };
  SmallVector<char, 8> used;
  for (std::size_t i = 0; i < keywords.size(); ++i) used.push_back(0);
  auto take_keyword = [&](std::string_view wanted) -> const Value* {
    for (std::size_t i = 0; i < keywords.size(); ++i) {
      if (used.at(i) == 0 && keywords[i].name == wanted) {
        used.at(i) = 1;
        return &keywords[i].value;
      }
    }
    return nullptr;
  };
  bool found_caller = positional.size() >= body.parameters.size() && body.explicit_caller;
  for (std::size_t i = 0; i < body.parameters.size(); ++i) {
    const MacroParameter& parameter = body.parameters[i];
    Value& place = frame.slots[parameter.name->place.slot];
    if (i < positional.size()) {
      place = positional[i];
      continue;
    }
    std::string_view parameter_name = parameter.name->name->as_string();
    found_caller |= parameter_name == "caller";
    const Value* given = take_keyword(parameter_name);
    place = given == nullptr ? unset() : *given;
  }
  if (body.takes_caller && !found_caller) {
    const Value* caller = take_keyword("caller");
    frame.slots[body.caller_slot] = caller != nullptr ? *caller : undefined_hint("No caller defined");
  }
  if (body.takes_kwargs) {
    Value rest = make_dict();
    for (std::size_t i = 0; i < keywords.size(); ++i) {
      if (used.at(i) == 0) dict_of(rest).set_text(keywords[i].name, keywords[i].value);
    }
    frame.slots[body.kwargs_slot] = std::move(rest);
  } else {
    for (std::size_t i = 0; i < keywords.size(); ++i) {
      if (used.at(i) == 0) fault("macro " + name() + " takes no keyword argument " + repr_text(keywords[i].name));
    }
  }
  if (body.takes_varargs) {
    std::vector<Value> rest;
    for (std::size_t i = body.parameters.size(); i < positional.size(); ++i) rest.push_back(positional[i]);
    frame.slots[body.varargs_slot] = make_list(std::move(rest), Kind::tuple);
  } else if (positional.size() > body.parameters.size()) {
    fault("macro " + name() + " takes not more than " + std::to_string(body.parameters.size()) + " argument(s)");
  }
}

// The body's text goes to the end of the output.
void Run::run_macro(const Value& callee, std::span<const Value> positional, std::span<const Keyword> keywords) {
  const MacroObject& macro = macro_of(callee);
  if (macro.run_number != number || macro.frame == nullptr) fault("this macro belongs to a render that is over");
  const MacroBody& body = *macro.macro;
  FunctionScope scope(*this, *body.function, macro.frame, *macro.context, *macro.compiled);
  Frame& frame = scope.frame;
  bind_macro(frame, macro, positional, keywords);
  bool escaping = std::exchange(autoescape, macro.autoescape);
  for (const MacroParameter& parameter : body.parameters) {
    Value& place = frame.slots[parameter.name->place.slot];
    if (!is_unset(place)) continue;
    if (parameter.default_value != nullptr) {
      place = eval(frame, parameter.default_value);
    } else {
      std::string name(parameter.name->name->as_string());
      place = undefined_hint("parameter " + repr_text(name) + " was not provided");
    }
  }
  exec(frame, body.body);
  autoescape = escaping;
  scope.leave();
}

Value Run::call_filter(std::string_view name, std::span<const Value> positional, std::span<const Keyword> keywords) {
  const FilterEntry* entry = environment.registry.filter(name);
  if (entry == nullptr) fault("unknown filter '" + std::string(name) + "'" + environment.registry.filter_hint(name));
  count_steps();
  Arguments arguments{*this, name, positional, keywords};
  return entry->builtin != nullptr ? entry->builtin(arguments) : call_host(entry->host, arguments);
}

bool Run::call_test(std::string_view name, std::span<const Value> positional, std::span<const Keyword> keywords) {
  const TestEntry* entry = environment.registry.test(name);
  if (entry == nullptr) fault("unknown test '" + std::string(name) + "'" + environment.registry.test_hint(name));
  count_steps();
  Arguments arguments{*this, name, positional, keywords};
  return entry->builtin != nullptr ? entry->builtin(arguments) : truth(call_host(entry->host, arguments));
}

Value call_host(const HostFunction& host, const Arguments& arguments) {
  Call call{arguments.name, arguments.positional, arguments.keywords, &arguments.run.drawer};
  Result<Value> result = host(call);
  if (!result) {
    Fault error(result.error().kind, result.error().message);
    throw error;
  }
  return arguments.run.thaw ? arguments.run.thawed(*result) : std::move(*result);
}

}  // namespace palette::jinja
