// Between parser and renderer: gives every name its slot (symbols.h), and finds the free variables.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/compiled.h"
#include "jinja/parser.h"
#include "jinja/symbols.h"

namespace palette::jinja {

class Analysis {
 public:
  Analysis(ParsedTemplate& parsed, const Settings& settings, detail::CompiledTemplate& compiled);
  void run();

 private:
  // Where in the template the walk is.
  struct Place {
    Symbols* symbols = nullptr;
    bool top_level = false;
    bool in_for = false;
  };
  using Path = std::vector<std::string>;

  // First half: what a scope loads and stores (FrameSymbolVisitor of Jinja).
  void track(Symbols& symbols, Body body);
  void track(Symbols& symbols, Statement* statement);
  void track_if(Symbols& symbols, IfStatement* node);
  void track(Symbols& symbols, Expr* expr);
  void track_target(Symbols& symbols, Expr* target, bool as_parameter);

  // Second half: the slots.
  void resolve(const Place& place, Body body);
  void resolve(const Place& place, Statement* statement);
  void resolve_if(const Place& place, IfStatement* node);
  void resolve_for(const Place& place, ForStatement* node);
  void resolve_set_block(const Place& place, SetBlockStatement* node);
  void resolve_macro(const Place& place, MacroBody& macro, const Node& at);
  void resolve_with(const Place& place, WithStatement* node);
  void resolve_block(const Place& place, BlockStatement* node);
  void resolve(const Place& place, Expr* expr, bool absence_is_fine = false);
  void resolve_target(const Place& place, Expr* target);
  void set_place(const Place& place, NameExpr* name);
  void fold(SequenceExpr* sequence);
  std::span<VisibleName> visible(const Place& place);
  Scope finish(Symbols& symbols);
  FunctionBuilder* open_function(FunctionBuilder* parent);
  void close_function(FunctionBuilder& builder, Symbols& symbols);
  std::uint32_t name_id(std::string_view name);

  // Free variables.
  void note_reference(const Place& place, NameExpr* root, const Expr* whole, bool absence_is_fine);
  void note_use(const Place& place, const Expr* source);
  std::optional<Path> path_of(const Expr* expr) const;
  void collect_guards(const Expr* test, bool outcome, std::vector<Path>& guards) const;
  bool is_guarded(const Path& path) const;
  void resolve_condition(const Place& place, Expr* test);

  [[noreturn]] static void fail(const Node& node, std::string message);

  ParsedTemplate& parsed_;
  const Settings& settings_;
  detail::CompiledTemplate& compiled_;
  std::deque<FunctionBuilder> functions_;
  std::vector<Path> guards_;
  std::vector<std::uint32_t> assigned_;  // names that are set for sure at this point of the walk
};

// Whether the body reads one of these names before it stores it (find_undeclared of Jinja; blocks aside).
bool reads_name(Body body, std::string_view name);
bool holds_scoped_block(Body body);

}  // namespace palette::jinja
