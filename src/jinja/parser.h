// Builds the tree of a template from its tokens.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jinja/arena.h"
#include "jinja/ast.h"
#include "jinja/lexer.h"
#include "jinja/object.h"

namespace palette::jinja {

struct Registry;
enum class MethodId : std::uint16_t;

// What parsing a template gives; `names` maps NameExpr::id to the name.
struct ParsedTemplate {
  Body body;
  std::vector<const Value*> names;
  std::vector<BlockStatement*> blocks;
  bool mutates = false;  // calls a method that changes a list or dict in place
  bool has_extends = false;
  bool has_macros = false;
  bool looks_at_context = false;  // includes, imports or blocks: top-level variables must be visible
};

// Fails with a Fault that has a line and a column.
class Parser {
 public:
  Parser(std::vector<Token> tokens, const Settings& settings, const Registry& registry, Arena& arena);

  ParsedTemplate parse();

 private:
  struct Depth;  // counts nesting; fails at kParseDepthMax

  // Tokens.
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is(TokenKind kind) const { return now().kind == kind; }
  bool is_name(std::string_view name) const { return is(TokenKind::name) && now().text == name; }
  bool skip(TokenKind kind);
  bool skip_name(std::string_view name);
  const Token& expect(TokenKind kind);
  void expect_name(std::string_view name);
  [[noreturn]] void fail(const Token& token, std::string message) const;
  [[noreturn]] void fail_expected(std::string_view what) const;

  // Nodes.
  template <class T>
  T* make(const Token& token) {
    return placed(arena_.make<T>(), token);
  }
  template <class T>
  T* make_kind(const Token& token, ExprKind kind) {
    return placed(arena_.make<T>(kind), token);
  }
  template <class T>
  static T* placed(T* node, const Token& token) {
    node->line = token.line;
    node->column = token.column;
    return node;
  }
  // Sets the node's depth from its children's; fails past kExpressionDepthMax.
  template <class T>
  T* over(T* node, std::initializer_list<const Expr*> children) const {
    for (const Expr* child : children) deepen(*node, child);
    return node;
  }
  void deepen(Expr& node, const Expr* child) const;
  void deepen(Expr& node, const ArgumentNodes& arguments) const;
  NameExpr* make_name(const Token& token);
  const Value* keep_text(std::string_view text);
  std::uint32_t name_id(std::string_view name);

  // Statements.
  using Ends = std::initializer_list<std::string_view>;
  Body parse_body(Ends ends);        // up to one of those tags, whose name is the current token then
  Body parse_block_body(Ends ends);  // after the opening tag's end
  Statement* parse_statement();
  [[noreturn]] void fail_unknown_tag(const Token& token) const;
  [[noreturn]] void fail_end() const;
  Statement* parse_for();
  Statement* parse_if();
  Statement* parse_set();
  Statement* parse_with();
  Statement* parse_autoescape();
  Statement* parse_block();
  Statement* parse_extends();
  Statement* parse_include();
  Statement* parse_import();
  Statement* parse_from();
  Statement* parse_macro();
  Statement* parse_call_block();
  Statement* parse_filter_block();
  Statement* parse_print();
  Statement* parse_generation();
  bool parse_context_mark(bool& with_context);
  std::span<MacroParameter> parse_signature();
  void check_required_block(const BlockStatement& block, const Token& token) const;

  // Expressions.
  Expr* parse_expression(bool with_conditional = true);
  Expr* parse_conditional();
  Expr* parse_or();
  Expr* parse_and();
  Expr* parse_not();
  Expr* parse_compare();
  Expr* parse_sum();
  Expr* parse_concat();
  Expr* parse_product();
  Expr* parse_power();
  Expr* parse_unary(bool with_filter = true);
  Expr* parse_primary(bool with_namespace = false);
  Expr* parse_string(const Token& token);
  Expr* parse_list();
  Expr* parse_dict();
  Expr* parse_postfix(Expr* node);
  Expr* parse_filter_chain(Expr* node);
  Expr* parse_subscript(Expr* node);
  Expr* parse_subscribed();
  Expr* parse_call(Expr* callee);
  ArgumentNodes parse_arguments();
  Expr* parse_filter(Expr* subject, bool start_inline);
  Expr* parse_test(Expr* subject);
  std::string parse_dotted_name();
  void unknown_name(const Token& token, std::string message);
  struct TupleRules {
    bool simplified = false;
    bool with_conditional = true;
    bool explicit_parentheses = false;
    bool with_namespace = false;
    std::string_view end_name = {};
  };
  Expr* parse_tuple(TupleRules rules);
  Expr* parse_target(std::string_view end_name, bool with_namespace);
  NameExpr* parse_target_name();
  void check_target(const Expr* target, const Token& token) const;
  Expr* copy_target(Expr* target);

  std::vector<Token> tokens_;
  const Settings& settings_;
  const Registry& registry_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
  std::uint32_t soft_ = 0;  // inside branches, where an unknown filter may fail late
  std::uint32_t loops_ = 0;
  struct UnknownName {
    const Token* token = nullptr;
    std::string message;
  };
  std::vector<UnknownName> unknown_names_;
  std::vector<std::string_view> open_tags_;
  std::vector<std::vector<std::string_view>> wanted_ends_;
  std::unordered_map<std::string_view, std::uint32_t> name_ids_;
  ParsedTemplate parsed_;
};

}  // namespace palette::jinja
