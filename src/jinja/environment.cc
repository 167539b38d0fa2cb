#include "jinja/environment.h"

#include "jinja/compiled.h"
#include "jinja/fault.h"
#include "jinja/object.h"
#include "jinja/parser.h"
#include "jinja/run_objects.h"

namespace palette::jinja {

Settings Settings::hugging_face() {
  Settings settings;
  settings.chat_template = true;
  settings.json_plain = true;
  settings.allow_mutation = false;
  settings.do_extension = false;
  return settings;
}

Environment::Environment(Settings settings) : state_(std::make_shared<detail::EnvironmentState>()) {
  state_->registry = standard_registry(settings);
  state_->settings = std::move(settings);
}

void Environment::set_loader(Loader loader) { state_->loader = std::move(loader); }

void Environment::add_filter(std::string name, HostFunction function) {
  state_->registry.filters[std::move(name)] = {nullptr, std::move(function)};
}

void Environment::add_test(std::string name, HostFunction function) {
  state_->registry.tests[std::move(name)] = {nullptr, std::move(function)};
}

void Environment::add_function(std::string name, HostFunction function) {
  Value value = make_function(name, "<function " + name + ">", nullptr, std::move(function));
  dict_of(state_->registry.globals).set_text(name, std::move(value));
}

void Environment::add_global(std::string name, Value value) {
  dict_of(state_->registry.globals).set_text(name, std::move(value));
}

namespace {

Expr* find_single_expression(const ParsedTemplate& parsed) {
  if (parsed.body.size() != 1 || parsed.body[0]->kind != StatementKind::output) return nullptr;
  Expr* single = nullptr;
  for (Expr* part : static_cast<OutputStatement*>(parsed.body[0])->parts) {
    if (part->kind == ExprKind::text) {
      std::string_view text = static_cast<TextExpr*>(part)->text;
      if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) return nullptr;
    } else if (single != nullptr) {
      return nullptr;
    } else {
      single = part;
    }
  }
  return single;
}

Error error_from(const Fault& fault_caught) {
  Error error{fault_caught.kind, fault_caught.message, fault_caught.template_name};
  error.line = fault_caught.line;
  error.column = fault_caught.column;
  return error;
}

}  // namespace

std::shared_ptr<const detail::CompiledTemplate> compile_template(const detail::EnvironmentState& environment,
                                                                 std::string source, std::string name) {
  auto compiled = std::make_shared<detail::CompiledTemplate>();
  compiled->name = std::move(name);
  compiled->environment = &environment;
  try {
    if (source.size() > kTemplateBytesMax) {
      fault_limit("the template has " + std::to_string(source.size()) + " bytes; the limit is " +
                  std::to_string(kTemplateBytesMax));
    }
    compiled->normalized = normalized_source(source, environment.settings);
    compiled->source = std::move(source);
    Parser parser(tokenize(compiled->normalized, environment.settings), environment.settings, environment.registry,
                  compiled->arena);
    ParsedTemplate parsed = parser.parse();
    analyze(parsed, environment.settings, *compiled);
    compiled->body = parsed.body;
    compiled->blocks = std::move(parsed.blocks);
    compiled->mutates = parsed.mutates;
    compiled->has_extends = parsed.has_extends;
    compiled->has_macros = parsed.has_macros;
    compiled->looks_at_context = parsed.looks_at_context;
    compiled->single_expression = find_single_expression(parsed);
  } catch (Fault& error) {
    if (error.template_name.empty()) error.template_name = compiled->name;
    throw;
  }
  return compiled;
}

std::shared_ptr<const detail::CompiledTemplate> load_template(const detail::EnvironmentState& environment,
                                                              std::string_view name) {
  {
    std::scoped_lock lock(environment.cache_mutex);
    if (auto known = environment.cache.find(name); known != environment.cache.end()) return known->second;
  }
  std::optional<std::string> source;
  if (environment.loader) source = environment.loader(name);
  std::shared_ptr<const detail::CompiledTemplate> compiled;
  if (source) compiled = compile_template(environment, std::move(*source), std::string(name));
  std::scoped_lock lock(environment.cache_mutex);
  return environment.cache.emplace(std::string(name), std::move(compiled)).first->second;
}

Result<Template> Environment::compile(std::string source, std::string name) const {
  try {
    return Template(state_, compile_template(*state_, std::move(source), std::move(name)));
  } catch (const Fault& error) {
    return std::unexpected(error_from(error));
  }
}

std::string caret_excerpt(std::string_view source, std::uint32_t line, std::uint32_t column) {
  std::size_t begin = 0;
  for (std::uint32_t at = 1; at < line; ++at) {
    std::size_t end = source.find_first_of("\r\n", begin);
    if (end == std::string_view::npos) return {};
    begin = end + (source.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  if (line == 0 || column == 0) return {};
  std::string_view text = source.substr(begin, source.find_first_of("\r\n", begin) - begin);
  std::string out(text);
  out.push_back('\n');
  // As many blanks as there are characters before the place; tabs stay tabs, so that the caret stands below it.
  for (std::size_t at = 0; at < column - 1 && at < text.size(); ++at) {
    auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0U) != 0x80U) out.push_back(byte == '\t' ? '\t' : ' ');
  }
  return out + "^\n";
}

}  // namespace palette::jinja
