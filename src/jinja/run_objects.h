// Values that belong to one render: the loop variable, macros, functions, imported templates, self.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jinja/ast.h"
#include "jinja/iterate.h"
#include "jinja/object.h"
#include "jinja/registry.h"

namespace palette::jinja {

namespace detail {
struct CompiledTemplate;
}
struct Frame;
struct Context;

struct LoopObject : Object {
  ItemSource source;
  ItemFilter* filter = nullptr;  // alive while the loop runs
  std::int64_t index0 = -1;
  std::int64_t depth0 = 0;
  Value previous, current, after;
  bool has_after = false;
  std::vector<Value> drained;  // items read ahead to learn the length
  std::size_t drained_taken = 0;
  bool is_drained = false;
  std::int64_t known_length = -1;
  Value last_changed;  // a tuple, once changed() was called
  // A recursive loop: what to run, and from where. Null once the loop is over.
  const ForStatement* statement = nullptr;
  Frame* frame = nullptr;

  // Moves to the next item; false at the end.
  bool advance();
  // The item after the current one, or null.
  const Value* peek();
  std::int64_t length();

 private:
  bool pull(Value& item);
};

struct MacroObject : Object {
  const MacroBody* macro = nullptr;
  bool autoescape = false;  // where it was defined
  Frame* frame = nullptr;   // whose variables the body sees
  const detail::CompiledTemplate* compiled = nullptr;
  Context* context = nullptr;
  std::uint64_t run_number = 0;  // of the render that it lives in
};

struct FunctionObject : Object {
  std::string name;
  std::string shown;  // as {{ f }} prints it
  Builtin builtin = nullptr;
  HostFunction host;
};

struct ModuleObject : Object {
  std::string name;
  Value exported;  // a dict
  Value body;      // its text
};

// self, or one of its blocks (then `block` is its name) at a depth of overriding.
struct BlocksObject : Object {
  Context* context = nullptr;
  std::uint64_t run_number = 0;
  Value block;  // undefined: self
  std::size_t depth = 0;
};

inline LoopObject& loop_of(const Value& value) { return *static_cast<LoopObject*>(value.object()); }
inline MacroObject& macro_of(const Value& value) { return *static_cast<MacroObject*>(value.object()); }
inline FunctionObject& function_of(const Value& value) { return *static_cast<FunctionObject*>(value.object()); }
inline ModuleObject& module_of(const Value& value) { return *static_cast<ModuleObject*>(value.object()); }
inline BlocksObject& blocks_of(const Value& value) { return *static_cast<BlocksObject*>(value.object()); }

Value make_function(std::string name, std::string shown, Builtin builtin, HostFunction host = {});

}  // namespace palette::jinja
