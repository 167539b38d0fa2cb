#include "jinja/symbols.h"

#include <algorithm>

namespace palette::jinja {

std::uint32_t FunctionBuilder::resolved_slot(std::uint32_t name) {
  for (const Resolved& one : resolved) {
    if (one.name == name) return one.slot;
  }
  resolved.push_back({name, new_slot()});
  return resolved.back().slot;
}

Symbols::Symbols(FunctionBuilder* function, Symbols* parent)
    : function_(function), parent_(parent), slots_(std::make_shared<Slots>()) {}

const Variable* Symbols::find_own(std::uint32_t name) const {
  for (const Reference& reference : references_) {
    if (reference.name == name) return &reference.variable;
  }
  return nullptr;
}

const Variable* Symbols::find(std::uint32_t name) const {
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    if (const Variable* variable = scope->find_own(name); variable != nullptr) return variable;
  }
  return nullptr;
}

bool Symbols::stores(std::uint32_t name) const { return std::ranges::find(stores_, name) != stores_.end(); }

void Symbols::set_load(const Load& load) {
  for (Load& known : loads_) {
    if (known.target == load.target) {
      known = load;
      return;
    }
  }
  loads_.push_back(load);
}

Variable Symbols::define(std::uint32_t name, LoadKind kind, Variable from) {
  Variable variable{function_, 0};
  auto known = std::ranges::find(slots_->of_name, name, &Reference::name);
  if (known != slots_->of_name.end()) {
    variable = known->variable;
  } else {
    variable.slot = function_->new_slot();
    slots_->of_name.push_back({name, variable});
  }
  auto own = std::ranges::find(references_, name, &Reference::name);
  if (own != references_.end()) {
    own->variable = variable;
  } else {
    references_.push_back({name, variable});
  }
  set_load({variable, kind, from, name});
  return variable;
}

void Symbols::load(std::uint32_t name) {
  if (find(name) == nullptr) define(name, LoadKind::resolve);
}

void Symbols::store(std::uint32_t name) {
  if (!stores(name)) stores_.push_back(name);
  if (find_own(name) != nullptr) return;
  const Variable* outer = parent_ == nullptr ? nullptr : parent_->find(name);
  if (outer != nullptr) {
    define(name, LoadKind::alias, *outer);
  } else {
    define(name, LoadKind::undefined);
  }
}

Variable Symbols::declare_parameter(std::uint32_t name) {
  if (!stores(name)) stores_.push_back(name);
  return define(name, LoadKind::parameter);
}

void Symbols::branch_update(const std::vector<Symbols>& branches) {
  std::vector<std::uint32_t> fresh;
  for (const Symbols& branch : branches) {
    for (std::uint32_t name : branch.stores_) {
      if (!stores(name) && std::ranges::find(fresh, name) == fresh.end()) fresh.push_back(name);
    }
  }
  for (const Symbols& branch : branches) {
    for (const Reference& reference : branch.references_) {
      auto own = std::ranges::find(references_, reference.name, &Reference::name);
      if (own != references_.end()) {
        own->variable = reference.variable;
      } else {
        references_.push_back(reference);
      }
    }
    for (const Load& load : branch.loads_) set_load(load);
    for (std::uint32_t name : branch.stores_) {
      if (!stores(name)) stores_.push_back(name);
    }
  }
  for (std::uint32_t name : fresh) {
    Variable target = *find(name);
    const Variable* outer = parent_ == nullptr ? nullptr : parent_->find(name);
    if (outer != nullptr) {
      set_load({target, LoadKind::alias, *outer, name});
    } else {
      set_load({target, LoadKind::resolve, {}, name});
    }
  }
}

bool Symbols::is_free(std::uint32_t name) const {
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    const Variable* variable = scope->find_own(name);
    if (variable == nullptr) continue;
    for (const Load& load : scope->loads_) {
      if (load.name == name && load.kind == LoadKind::resolve) return true;
      if (load.name == name && load.kind == LoadKind::alias) break;
      if (load.target == *variable) return false;
    }
  }
  return false;
}

std::vector<std::uint32_t> Symbols::visible_names() const {
  std::vector<std::uint32_t> names;
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    for (std::uint32_t name : scope->stores_) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

std::vector<ScopeSlot> Symbols::finish() {
  std::vector<ScopeSlot> slots;
  for (const Load& load : loads_) {
    switch (load.kind) {
      case LoadKind::parameter:
        break;
      case LoadKind::undefined:
        slots.push_back({load.target.slot, SlotInit::clear, {}});
        break;
      case LoadKind::alias:
        slots.push_back({load.target.slot, SlotInit::copy, slot_ref(load.from, *function_)});
        break;
      case LoadKind::resolve: {
        std::uint32_t resolved = function_->resolved_slot(load.name);
        if (stores(load.name)) {
          slots.push_back({load.target.slot, SlotInit::copy, {resolved, 0}});
        } else {
          for (Reference& reference : references_) {
            if (reference.name == load.name) reference.variable = {function_, resolved};
          }
        }
      }
    }
  }
  return slots;
}

SlotRef slot_ref(Variable variable, const FunctionBuilder& function) {
  return {variable.slot, function.depth - variable.function->depth};
}

}  // namespace palette::jinja
