#include <algorithm>
#include <optional>
#include <string>

#include "jinja/attribute_path.h"
#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/iterate.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

Value generator(std::vector<Value> items) { return make_list(std::move(items), Kind::generator); }

std::string name_argument(const Value& value, const Arguments& arguments) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_undefined()) fail_undefined(value);
  fault(std::string(arguments.name) + " wants the name of a filter or test as a string, found " +
        std::string(kind_name(value)));
}

std::vector<Value> mapped_by_attribute(Arguments& arguments) {
  std::optional<AttributePath> path;
  Value default_value;
  for (const Keyword& keyword : arguments.keywords) {
    if (keyword.name == "attribute") {
      path.emplace(arguments.run, keyword.value);
    } else if (keyword.name == "default") {
      if (!keyword.value.is_none()) default_value = keyword.value;
    } else {
      fault("map got an unexpected keyword argument " + repr_text(keyword.name));
    }
  }
  path->set_default(default_value);
  std::vector<Value> out;
  ItemSource source(arguments.positional[0]);
  Value item;
  while (source.next(item)) out.push_back(path->get(item));
  return out;
}

Value map(Arguments& arguments) {
  if (arguments.positional.empty()) fault("map wants a list");
  if (!truth(arguments.positional[0])) return generator({});
  bool attribute = std::ranges::any_of(arguments.keywords, [](const Keyword& k) { return k.name == "attribute"; });
  if (arguments.positional.size() == 1 && attribute) return generator(mapped_by_attribute(arguments));
  if (arguments.positional.size() < 2) fault("map requires a filter argument");
  std::string name = name_argument(arguments.positional[1], arguments);
  std::vector<Value> inner(arguments.positional.begin() + 1, arguments.positional.end());
  std::vector<Value> out;
  ItemSource source(arguments.positional[0]);
  Value item;
  while (source.next(item)) {
    inner[0] = item;
    out.push_back(arguments.run.call_filter(name, inner, arguments.keywords));
  }
  return generator(std::move(out));
}

// select, reject, selectattr and rejectattr.
Value chosen(Arguments& arguments, bool wanted, bool by_attribute) {
  if (arguments.positional.empty()) fault(std::string(arguments.name) + " wants a list");
  if (!truth(arguments.positional[0])) return generator({});
  std::size_t next = 1;
  std::optional<AttributePath> path;
  if (by_attribute) {
    if (arguments.positional.size() < 2) fault("Missing parameter for attribute name");
    path.emplace(arguments.run, arguments.positional[1]);
    next = 2;
  }
  std::string test;
  std::vector<Value> inner(1);
  if (arguments.positional.size() > next) {
    test = name_argument(arguments.positional[next], arguments);
    inner.insert(inner.end(), arguments.positional.begin() + static_cast<std::ptrdiff_t>(next) + 1,
                 arguments.positional.end());
  }
  std::vector<Value> out;
  ItemSource source(arguments.positional[0]);
  Value item;
  while (source.next(item)) {
    inner[0] = path ? path->get(item) : item;
    bool passes = test.empty() ? truth(inner[0]) : arguments.run.call_test(test, inner, arguments.keywords);
    if (passes == wanted) out.push_back(item);
  }
  return generator(std::move(out));
}

Value select(Arguments& arguments) { return chosen(arguments, true, false); }
Value reject(Arguments& arguments) { return chosen(arguments, false, false); }
Value select_by_attribute(Arguments& arguments) { return chosen(arguments, true, true); }
Value reject_by_attribute(Arguments& arguments) { return chosen(arguments, false, true); }

// Attributes only, never items: unlike foo.bar.
Value attribute(Arguments& arguments) {
  auto given = bind(arguments, {"obj", "name"}, 2);
  const Value& object = *given[0];
  const Value& name = *given[1];
  if (!name.is_string()) fault("attr wants the name as a string, found " + std::string(kind_name(name)));
  MethodId method = method_named(name.as_string());
  if (object.is_map() && !has_method(object, method) && !is_hidden_attribute(name.as_string())) {
    return undefined_attribute(object, name);
  }
  return get_attribute(arguments.run, object, name, method);
}

}  // namespace

void add_selection_filters(Registry& registry) {
  auto add = [&](const char* name, Builtin builtin) { registry.filters[name].builtin = builtin; };
  add("map", map);
  add("select", select);
  add("reject", reject);
  add("selectattr", select_by_attribute);
  add("rejectattr", reject_by_attribute);
  add("attr", attribute);
}

}  // namespace palette::jinja
