#include "jinja/registry.h"

#include <algorithm>
#include <vector>

#include "base/nearest.h"
#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"

namespace palette::jinja {
namespace {

template <class T>
std::string hint(const NameMap<T>& known, std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const auto& entry : known) names.push_back(entry.first);
  std::ranges::sort(names);
  std::string_view nearest = nearest_name(name, names);
  return nearest.empty() ? std::string() : "; did you mean '" + std::string(nearest) + "'?";
}

}  // namespace

const FilterEntry* Registry::filter(std::string_view name) const {
  auto found = filters.find(name);
  return found == filters.end() ? nullptr : &found->second;
}

const TestEntry* Registry::test(std::string_view name) const {
  auto found = tests.find(name);
  return found == tests.end() ? nullptr : &found->second;
}

std::string Registry::filter_hint(std::string_view name) const { return hint(filters, name); }
std::string Registry::test_hint(std::string_view name) const { return hint(tests, name); }

Registry standard_registry(const Settings& settings) {
  Registry registry;
  registry.globals = make_dict(true);
  add_text_filters(registry);
  add_markup_filters(registry);
  add_number_filters(registry);
  add_sequence_filters(registry);
  add_selection_filters(registry);
  add_json_filters(registry);
  add_tests(registry);
  add_functions(registry, settings);
  return registry;
}

void bind_parameters(const Arguments& arguments, std::span<const std::string_view> names, std::size_t required,
                     std::span<const Value*> out) {
  std::string called = std::string(arguments.name) + "()";
  if (arguments.positional.size() > names.size()) {
    fault(called + " takes at most " + std::to_string(names.size()) + " argument(s), " +
          std::to_string(arguments.positional.size()) + " were given");
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) out[i] = &arguments.positional[i];
  for (const Keyword& keyword : arguments.keywords) {
    auto found = std::ranges::find(names, keyword.name);
    if (found == names.end()) fault(called + " got an unexpected keyword argument " + repr_text(keyword.name));
    auto position = static_cast<std::size_t>(found - names.begin());
    if (out[position] != nullptr) fault(called + " got multiple values for argument " + repr_text(keyword.name));
    out[position] = &keyword.value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (out[i] == nullptr) fault(called + " misses its argument " + repr_text(names[i]));
  }
}

std::int64_t integer_or(const Value* value, std::int64_t fallback, const Arguments& arguments, std::string_view name) {
  if (value == nullptr) return fallback;
  if (value->is_int() || value->is_bool()) return value->as_int();
  if (value->is_undefined()) fail_undefined(*value);
  fault(std::string(arguments.name) + "() wants an integer for " + repr_text(name) + ", found " +
        std::string(kind_name(*value)));
}

bool truth_or(const Value* value, bool fallback) { return value == nullptr ? fallback : truth(*value); }

std::string text_or(const Value* value, std::string_view fallback) {
  return value == nullptr ? std::string(fallback) : text_of(*value);
}

const Value* Call::argument(std::size_t position, std::string_view keyword) const {
  if (position < args.size()) return &args[position];
  for (const Keyword& given : kwargs) {
    if (given.name == keyword) return &given.value;
  }
  return nullptr;
}

std::uint64_t Call::draw(std::string_view what, std::uint64_t bound) { return drawer->draw(what, bound); }

}  // namespace palette::jinja
