// A template after compilation, and the Environment that it belongs to.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/arena.h"
#include "jinja/ast.h"
#include "jinja/environment.h"
#include "jinja/registry.h"

namespace palette::jinja::detail {

// A constant include, import or extends: whose variables are this template's too.
struct StaticUse {
  std::string template_name;
  std::vector<std::string> hidden;  // names that this template sets before: not free there
};

struct CompiledTemplate {
  std::string name;
  std::string source;                             // as given, for excerpts
  std::string normalized;                         // what the nodes' text points into
  const EnvironmentState* environment = nullptr;  // which outlives it: every Template holds both
  Arena arena;
  Body body;
  Function* root = nullptr;
  std::vector<BlockStatement*> blocks;
  bool mutates = false;
  bool has_extends = false;
  bool has_macros = false;
  bool looks_at_context = false;
  Expr* single_expression = nullptr;
  std::vector<Reference> own_references;
  std::vector<StaticUse> uses;

  mutable std::once_flag references_once;
  mutable std::vector<Reference> references;  // with those of `uses`
};

struct EnvironmentState {
  Settings settings;
  Registry registry;
  Loader loader;

  mutable std::mutex cache_mutex;
  // By name; null for names that the loader does not know. Errors are kept too.
  mutable NameMap<std::shared_ptr<const CompiledTemplate>> cache;
};

}  // namespace palette::jinja::detail

namespace palette::jinja {

// Fails with a Fault that names the template.
std::shared_ptr<const detail::CompiledTemplate> compile_template(const detail::EnvironmentState& environment,
                                                                 std::string source, std::string name);

// Fills in the slots of every name, finds the free variables and what is included. Fails with a Fault.
struct ParsedTemplate;
void analyze(ParsedTemplate& parsed, const Settings& settings, detail::CompiledTemplate& compiled);

// The template of that name through the environment's loader, compiled once; null when there is none. Fails with a
// Fault when it does not compile.
std::shared_ptr<const detail::CompiledTemplate> load_template(const detail::EnvironmentState& environment,
                                                              std::string_view name);

}  // namespace palette::jinja
