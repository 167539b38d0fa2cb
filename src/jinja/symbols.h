// Which variable a name means: Jinja's identifier tracking (jinja2/idtracking.py), with slots for its Python
// variables. A scope that stores a name has a variable of its own; one that only reads it uses the outer one's, or
// looks it up in the context when its function starts.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "jinja/arena.h"
#include "jinja/ast.h"

namespace palette::jinja {

// A Function while its slots are being counted.
struct FunctionBuilder {
  Function* function = nullptr;
  FunctionBuilder* parent = nullptr;
  std::uint32_t depth = 0;
  std::uint32_t slots = 0;
  struct Resolved {
    std::uint32_t name = 0;
    std::uint32_t slot = 0;
  };
  std::vector<Resolved> resolved;

  std::uint32_t new_slot() { return slots++; }
  // The slot that holds the context's variable of that name.
  std::uint32_t resolved_slot(std::uint32_t name);
};

struct Variable {
  FunctionBuilder* function = nullptr;
  std::uint32_t slot = 0;
  bool operator==(const Variable&) const = default;
};

enum class LoadKind : std::uint8_t { parameter, resolve, alias, undefined };

class Symbols {
 public:
  Symbols(FunctionBuilder* function, Symbols* parent);

  void load(std::uint32_t name);
  void store(std::uint32_t name);
  Variable declare_parameter(std::uint32_t name);
  // Takes over what the branches of an `if` stored.
  void branch_update(const std::vector<Symbols>& branches);

  const Variable* find(std::uint32_t name) const;
  // Whether the name is the context's variable: free in the template.
  bool is_free(std::uint32_t name) const;
  // The names that this scope and those around it stored.
  std::vector<std::uint32_t> visible_names() const;
  // What happens when the scope is entered; names that are only read move to their function's resolved slots.
  std::vector<ScopeSlot> finish();
  FunctionBuilder* function() const { return function_; }

 private:
  struct Reference {
    std::uint32_t name = 0;
    Variable variable;
  };
  struct Load {
    Variable target;
    LoadKind kind = LoadKind::undefined;
    Variable from;           // alias
    std::uint32_t name = 0;  // resolve
  };
  struct Slots {  // shared by the copies that branches work on
    std::vector<Reference> of_name;
  };

  Variable define(std::uint32_t name, LoadKind kind, Variable from = {});
  const Variable* find_own(std::uint32_t name) const;
  void set_load(const Load& load);
  bool stores(std::uint32_t name) const;

  FunctionBuilder* function_;
  Symbols* parent_;
  std::shared_ptr<Slots> slots_;
  std::vector<Reference> references_;
  std::vector<Load> loads_;
  std::vector<std::uint32_t> stores_;
};

// `variable` as seen from code of `function`.
SlotRef slot_ref(Variable variable, const FunctionBuilder& function);

}  // namespace palette::jinja
