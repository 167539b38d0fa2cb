// One render: what it has been given, what it has made so far, and the code that walks the tree.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "jinja/ast.h"
#include "jinja/compiled.h"
#include "jinja/meter.h"
#include "jinja/run_objects.h"

namespace palette::jinja {

// How often each thing was drawn from in this render.
class Drawer {
 public:
  Drawer(std::uint64_t key, std::uint64_t index) : key_(key), index_(index) {}
  std::uint64_t draw(std::string_view what, std::uint64_t bound);

 private:
  std::uint64_t key_;
  std::uint64_t index_;
  std::unordered_map<std::uint32_t, CounterRandom> streams_;
};

// What {% extends %} of a template's root decided.
struct RootState {
  const detail::CompiledTemplate* parent = nullptr;
};

struct BlockFunction {
  const detail::CompiledTemplate* compiled = nullptr;
  const BlockStatement* block = nullptr;
};

struct BlockStack {
  const Value* name = nullptr;
  std::vector<BlockFunction> functions;  // the most derived first
};
using BlockTable = std::vector<BlockStack>;

// Where names are looked up that no scope of the template defines.
struct Context {
  const detail::CompiledTemplate* compiled = nullptr;
  const Context* outer = nullptr;           // of an included template, or of a scoped block
  const Value* variables = nullptr;         // what the host gave; null without context
  Value locals;                             // a dict: the includer's variables
  Value exports;                            // a dict: what the top level set
  bool tracks_exports = false;              // somebody may look at what the top level sets
  std::vector<const Value*> private_names;  // of `exports`: imported, so not exported
  std::shared_ptr<BlockTable> blocks;
};

// The variables of a running function.
struct Frame {
  Frame* parent = nullptr;  // the function around it
  Value* slots = nullptr;
  Context* context = nullptr;
  const detail::CompiledTemplate* compiled = nullptr;
  RootState* root = nullptr;  // where output stops once the template extends another
  std::vector<Value> macros;  // defined here
  bool kept = false;          // something that outlives it looks at it
};

// A vector whose first items need no heap.
template <class T, std::size_t N>
class SmallVector {
 public:
  void push_back(T item) {
    if (size_ < N && more_.empty()) {
      few_[size_++] = std::move(item);
      return;
    }
    if (more_.empty()) {
      for (std::size_t i = 0; i < size_; ++i) more_.push_back(std::move(few_[i]));
    }
    more_.push_back(std::move(item));
    ++size_;
  }
  std::span<const T> view() const { return {more_.empty() ? few_.data() : more_.data(), size_}; }
  std::size_t size() const { return size_; }
  T& at(std::size_t position) { return more_.empty() ? few_[position] : more_[position]; }

 private:
  std::array<T, N> few_{};
  std::vector<T> more_;
  std::size_t size_ = 0;
};

struct ArgumentPack {
  SmallVector<Value, 6> positional;
  SmallVector<Keyword, 4> keywords;
  std::vector<Value> kept_names;  // of **kwargs
};

enum class Flow : std::uint8_t { normal, break_loop, continue_loop };

// The template asks for a change of a host's value: the render starts over on copies (see thawed()).
struct StartOver {};

struct Run {
  Run(const detail::CompiledTemplate& compiled, const Value& variables, const RenderOptions& options, bool thaw);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // ---- Whole templates (render_template.cc) ----
  void render();
  Value evaluate(const Expr* expr);
  void run_root(const detail::CompiledTemplate& compiled, Context& context);
  void run_block(const BlockFunction& function, Context& context, std::size_t depth);
  Value block_text(const Value& reference);  // of a called self.block() or super()
  Value super_of(const BlockStatement& block, Context& context, std::size_t depth);
  Value module_for(const detail::CompiledTemplate& compiled, Context* with_context, Value locals);
  const detail::CompiledTemplate& load(const Value& name, bool& missing);
  Context& new_context(const detail::CompiledTemplate& compiled);
  Value visible_locals(Frame& frame, std::span<VisibleName> visible);
  void include(Frame& frame, const IncludeStatement& node);
  void import(Frame& frame, const ImportStatement& node);
  void import_from(Frame& frame, const FromImportStatement& node);
  void extend(Frame& frame, const ExtendsStatement& node);
  Value import_source(Frame& frame, const Expr* source, bool with_context, std::span<VisibleName> visible);

  // ---- Statements (render_statement.cc) ----
  Flow exec(Frame& frame, Body body);
  Flow exec(Frame& frame, const Statement* statement);
  void output(Frame& frame, const OutputStatement& node);
  void output_value(const Value& value);
  Flow exec_if(Frame& frame, const IfStatement& node);
  Flow exec_for(Frame& frame, const ForStatement& node);
  Flow exec_plain_for(Frame& frame, const ForStatement& node, Value iterable);
  void exec_extended_for(Frame& frame, const ForStatement& node, Value iterable, std::int64_t depth0);
  Value recurse(const Value& loop, const Value& iterable);
  void assign(Frame& frame, const Expr* target, Value value, bool exported);
  void unpack(Frame& frame, const SequenceExpr& target, const Value& value, bool exported);
  void set_block(Frame& frame, const SetBlockStatement& node);
  void filter_block(Frame& frame, const FilterBlockStatement& node);
  Flow exec_with(Frame& frame, const WithStatement& node);
  void call_block(Frame& frame, const CallBlockStatement& node);
  Flow exec_autoescape(Frame& frame, const AutoescapeStatement& node);
  void exec_block(Frame& frame, const BlockStatement& node);
  void enter(Frame& frame, const Scope& scope);
  void export_name(Frame& frame, const Value* name, const Value& value, bool is_private);

  // ---- Expressions (render_expression.cc) ----
  Value eval(Frame& frame, const Expr* expr);
  // Like eval, without copying what a variable or a member of one holds.
  const Value& ref(Frame& frame, const Expr* expr, Value& scratch);
  bool test_truth(Frame& frame, const Expr* expr);
  Value eval_filter(Frame& frame, const FilterExpr& node, const Value* captured);
  bool eval_test(Frame& frame, const TestExpr& node);
  Value apply_filter(const FilterExpr& node, std::span<const Value> positional, std::span<const Keyword> keywords);
  bool apply_test(const TestExpr& node, std::span<const Value> positional, std::span<const Keyword> keywords);
  bool sum_into_output(Frame& frame, const BinaryExpr& node, Value& result);
  Value eval_compare(Frame& frame, const CompareExpr& node);
  bool compare_values(CompareOp op, const Value& left, const Value& right);
  Value eval_binary(Frame& frame, const BinaryExpr& node);
  Value eval_concat(Frame& frame, const SequenceExpr& node);
  Value eval_sequence(Frame& frame, const SequenceExpr& node);
  Value eval_dict(Frame& frame, const DictExpr& node);
  Value eval_item(Frame& frame, const ItemExpr& node);
  Value eval_slice(Frame& frame, const Value& object, const SliceExpr& node);
  const Value& attribute_ref(Frame& frame, const AttributeExpr& node, Value& scratch);
  Value undefined_access(const Value& object, const Expr* where);

  // ---- Calls (render_call.cc) ----
  Value eval_call(Frame& frame, const CallExpr& node, const Value* caller = nullptr);
  // The call's result straight into the output.
  void output_call(Frame& frame, const CallExpr& node, const Value* caller = nullptr);
  void collect(Frame& frame, const ArgumentNodes& nodes, ArgumentPack& pack);
  Value call_value(const Value& callee, Arguments& arguments);
  void run_macro(const Value& macro, std::span<const Value> positional, std::span<const Keyword> keywords);
  void bind_macro(Frame& frame, const MacroObject& macro, std::span<const Value> positional,
                  std::span<const Keyword> keywords);
  Value make_macro(Frame& frame, const MacroBody& macro);
  // A filter or test by its name at run time (map, select, …).
  Value call_filter(std::string_view name, std::span<const Value> positional, std::span<const Keyword> keywords);
  bool call_test(std::string_view name, std::span<const Value> positional, std::span<const Keyword> keywords);

  // ---- Frames ----
  struct KeptFrame {
    Frame frame;
    std::unique_ptr<Value[]> slots;
  };
  // A Frame and its slots, for the time a function runs. leave() at its regular end; an exception ends the render.
  struct FunctionScope {
    FunctionScope(Run& of_run, const Function& function, Frame* parent, Context& context,
                  const detail::CompiledTemplate& compiled);
    ~FunctionScope();
    FunctionScope(const FunctionScope&) = delete;
    FunctionScope& operator=(const FunctionScope&) = delete;
    void leave();

    Run& run;
    const Function& code;
    std::unique_ptr<KeptFrame> own;  // of a function with closures
    Frame plain;
    Frame& frame;
    std::array<Value, 12> few;
    std::unique_ptr<Value[]> many;  // when `few` does not do
    const detail::CompiledTemplate* before;
    bool left = false;
  };
  static Value& slot(Frame& frame, SlotRef place) {
    Frame* at = &frame;
    for (std::uint32_t hops = place.hops; hops > 0; --hops) at = at->parent;
    return at->slots[place.slot];
  }
  Value resolve(const Context& context, const Value& name);

  // What the text from `mark` on is, taken out of the output.
  Value take_output(std::size_t mark);
  void check_output() const;
  void at(const Node& node) { here = &node; }
  // A value of the host that the template may change: a copy of its own.
  Value thawed(const Value& value, std::uint32_t depth = 0);

  const detail::CompiledTemplate& main;
  const detail::EnvironmentState& environment;
  const Settings& settings;
  const Value& variables;
  const RenderOptions& options;
  Meter meter;
  MeterScope meter_scope;
  Drawer drawer;
  std::string out;
  bool autoescape = false;
  bool thaw = false;
  std::uint64_t number = 0;
  std::uint32_t call_depth = 0;
  std::uint32_t extends_seen = 0;
  const Node* here = nullptr;
  const detail::CompiledTemplate* current = nullptr;
  std::unordered_map<const Object*, Value> thawed_values;
  std::vector<Value> changed;  // containers that others were put into: emptied at the end, against cycles
  std::deque<Context> contexts;
  std::vector<std::unique_ptr<KeptFrame>> kept_frames;
  std::unordered_map<const detail::CompiledTemplate*, Value> modules;
  std::unordered_map<std::string, std::shared_ptr<const detail::CompiledTemplate>> loaded;
};

// Operators (operators.cc).
Value binary(BinaryOp op, const Value& left, const Value& right);
Value negated(const Value& value);
Value positive(const Value& value);

// Members (access.cc). `name` is a string; gives undefined where there is none.
Value get_attribute(Run& run, const Value& object, const Value& name, MethodId method);
Value get_item(Run& run, const Value& object, const Value& key);
Value get_slice(const Value& object, const Value* start, const Value* stop, const Value* step);

}  // namespace palette::jinja
