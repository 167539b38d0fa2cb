// The template language's public face: an Environment knows the settings, the host's filters and where included
// templates come from; it compiles a Template once, which then renders any number of times, from any thread.
//
//   Environment environment;
//   Result<Template> hello = environment.compile("Hello {{ name|title }}!", "hello");
//   if (!hello) return std::unexpected(hello.error());
//   Result<std::string> text = hello->render(Value::map({{"name", Value::of("ada")}}));
//
// The language is Jinja2 3.1: see README.md for what differs. Errors are of kind bad_input with the template's
// name, line and column; crossing a limit is too_large or timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "jinja/limits.h"
#include "jinja/value.h"

namespace palette::jinja {

// What a missing variable does: `normal` prints empty and fails on attribute access; `strict` fails on any use
// but `is defined` and `default`; `chainable` gives undefined for attributes of undefined; `debug` prints
// {{ name }}.
enum class UndefinedMode : std::uint8_t { normal, strict, chainable, debug };

struct Settings {
  bool trim_blocks = true;             // the newline after a block tag is dropped
  bool lstrip_blocks = true;           // blanks before a block tag at the start of a line are dropped
  bool keep_trailing_newline = false;  // one newline at the template's end stays
  UndefinedMode undefined = UndefinedMode::normal;
  bool loop_controls = true;        // {% break %}, {% continue %}
  bool do_extension = true;         // {% do list.append(1) %}
  bool chat_template = false;       // {% generation %}…{% endgeneration %} gives its body; raise_exception(message)
  bool autoescape = false;          // {{ }} escapes HTML
  bool allow_mutation = true;       // false: append, update, … are errors (the immutable sandbox of Jinja2)
  bool json_plain = false;          // tojson without HTML escapes and without sorted keys, non-ASCII as it is
  bool late_unknown_names = false;  // unknown filters and tests inside a branch fail only when reached, as in
                                    // Jinja2; default: at compile time
  std::string block_start = "{%", block_end = "%}";
  std::string variable_start = "{{", variable_end = "}}";
  std::string comment_start = "{#", comment_end = "#}";
  std::string line_statement_prefix = {}, line_comment_prefix = {};  // empty: none
  std::string newline_sequence = "\n";                               // "\n", "\r\n" or "\r"

  // chat templates as Hugging Face renders them, but for the functions of the host (strftime_now).
  static Settings hugging_face();
};

struct RenderOptions {
  // Random draws are a pure function of these two, of what is drawn from, and of how often it was drawn from
  // in this render: the same list drawn in two templates of one record gives the same item.
  std::uint64_t random_key = 0;
  std::uint64_t random_index = 0;
  Limits limits = {};
};

struct Keyword {
  std::string_view name;
  Value value;
};

class Drawer;  // the counters of one render's draws

// What a host's filter, test or function is handed. For filters and tests args[0] is the piped value.
struct Call {
  std::string_view name;
  std::span<const Value> args;
  std::span<const Keyword> kwargs;
  Drawer* drawer = nullptr;

  // args[position], else the keyword of that name, else null.
  const Value* argument(std::size_t position, std::string_view keyword) const;
  // Uniform in [0, bound), bound > 0: the n-th draw from `what` of CounterRandom(random_key, random_index,
  // stream_of(what)).
  std::uint64_t draw(std::string_view what, std::uint64_t bound);
};

// May run on several threads at once. Its error's message is shown at the place of the call.
using HostFunction = std::function<Result<Value>(Call&)>;

// The source of a template by its name, for include, import and extends; nullopt when there is none. Asked
// once a name: the Environment keeps what it compiled.
using Loader = std::function<std::optional<std::string>(std::string_view name)>;

// A free variable that the template reads, for checking before anything runs.
struct Reference {
  std::vector<std::string> path;  // {"steps", "question", "output"}: the name, then the constant string
                                  // attributes and items that follow it
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool guarded = false;       // absence is no error there: `is defined`, default(…), or a branch that tests it
  std::string template_name;  // where it stands: this template, or one that it includes
};

namespace detail {
struct EnvironmentState;
struct CompiledTemplate;
}  // namespace detail

// Shared and immutable; copies are cheap; render() may run on several threads at once.
class Template {
 public:
  // `context` is a map; anything else is an error. On an error nothing is appended to `out`.
  Result<std::string> render(const Value& context, const RenderOptions& options = {}) const;
  Status render_to(std::string& out, const Value& context, const RenderOptions& options = {}) const;

  // Whether the whole template is one {{ expression }}, blanks around it aside.
  bool is_single_expression() const;
  // That expression's value (bad_input when the template is more than one); what a render alone can hold
  // (macros, generators) comes as its text.
  Result<Value> evaluate(const Value& context, const RenderOptions& options = {}) const;

  // Of this template and of those it names with constant include, import and extends; sorted by template,
  // line, column. An included template that does not exist or does not compile contributes nothing here.
  const std::vector<Reference>& references() const;
  const std::string& name() const;
  const std::string& source() const;

 private:
  friend class Environment;
  Template(std::shared_ptr<const detail::EnvironmentState> environment,
           std::shared_ptr<const detail::CompiledTemplate> compiled);
  std::shared_ptr<const detail::EnvironmentState> environment_;
  std::shared_ptr<const detail::CompiledTemplate> compiled_;
};

// Set up first (set_, add_), then compile: Templates share what it held at their first compile().
class Environment {
 public:
  explicit Environment(Settings settings = {});

  void set_loader(Loader loader);
  void add_filter(std::string name, HostFunction function);
  void add_test(std::string name, HostFunction function);  // its answer's truth counts
  void add_function(std::string name, HostFunction function);
  void add_global(std::string name, Value value);

  // Checks syntax, and that every filter and test is known (the error names the nearest known one).
  Result<Template> compile(std::string source, std::string name) const;

 private:
  std::shared_ptr<detail::EnvironmentState> state_;
};

// The line of the source and a caret under the place:
//   Dear {{ name|titel }},
//                ^
// `line` and `column` are 1-based, the column in bytes; empty when the line does not exist.
std::string caret_excerpt(std::string_view source, std::uint32_t line, std::uint32_t column);

}  // namespace palette::jinja
