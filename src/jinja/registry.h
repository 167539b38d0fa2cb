// The filters, tests and globals that templates of one Environment know.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "jinja/environment.h"
#include "jinja/value.h"

namespace palette::jinja {

struct Run;

// What a filter, test or function is called with. For filters and tests positional[0] is the piped value.
struct Arguments {
  Run& run;
  std::string_view name;
  std::span<const Value> positional;
  std::span<const Keyword> keywords;
};

using Builtin = Value (*)(Arguments& arguments);

struct FilterEntry {
  Builtin builtin = nullptr;
  HostFunction host;  // when there is no builtin
};

struct TestEntry {
  bool (*builtin)(Arguments& arguments) = nullptr;
  HostFunction host;
};

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

template <class T>
using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

struct Registry {
  NameMap<FilterEntry> filters;
  NameMap<TestEntry> tests;
  Value globals;  // a dict

  const FilterEntry* filter(std::string_view name) const;
  const TestEntry* test(std::string_view name) const;
  // " (did you mean 'title'?)", or nothing.
  std::string filter_hint(std::string_view name) const;
  std::string test_hint(std::string_view name) const;
};

void add_text_filters(Registry& registry);
void add_markup_filters(Registry& registry);
void add_number_filters(Registry& registry);
void add_sequence_filters(Registry& registry);
void add_selection_filters(Registry& registry);
void add_json_filters(Registry& registry);
void add_tests(Registry& registry);
void add_functions(Registry& registry, const Settings& settings);

Registry standard_registry(const Settings& settings);

// ---- Reading arguments ----

// The arguments of a call by parameter, as Python binds them: positional first, then by keyword. Fails on unknown,
// doubled and missing ones with Python's words.
template <std::size_t N>
struct Parameters {
  const Value* values[N] = {};
  const Value* operator[](std::size_t position) const { return values[position]; }
};

void bind_parameters(const Arguments& arguments, std::span<const std::string_view> names, std::size_t required,
                     std::span<const Value*> out);

template <std::size_t N>
Parameters<N> bind(const Arguments& arguments, const std::string_view (&names)[N], std::size_t required) {
  Parameters<N> bound;
  bind_parameters(arguments, names, required, bound.values);
  return bound;
}

// The value of a parameter of that type; fails naming filter, parameter and what was found. Absent gives `fallback`.
std::int64_t integer_or(const Value* value, std::int64_t fallback, const Arguments& arguments, std::string_view name);
bool truth_or(const Value* value, bool fallback);
// str(value), as most filters take their text.
std::string text_or(const Value* value, std::string_view fallback);

Value call_host(const HostFunction& host, const Arguments& arguments);

}  // namespace palette::jinja
