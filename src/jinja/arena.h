// Memory for the nodes of one template: handed out by bumping a pointer, freed all at once. Nodes have no
// destructors; the values they hold live in Constants.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

class Arena {
 public:
  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

  template <class T>
  std::span<T> copy(const std::vector<T>& items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    T* to = static_cast<T*>(allocate(std::span(items).size_bytes(), alignof(T)));
    for (std::size_t i = 0; i < items.size(); ++i) new (to + i) T(items[i]);
    return {to, items.size()};
  }

  // A value that lives as long as the template.
  const Value* keep(Value value) { return &values_.emplace_back(std::move(value)); }

 private:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t at = (used_ + alignment - 1) & ~(alignment - 1);
    if (chunks_.empty() || at + bytes > size_) {
      size_ = bytes > kChunkBytes ? bytes : kChunkBytes;
      chunks_.push_back(std::make_unique<std::byte[]>(size_));
      at = 0;
    }
    used_ = at + bytes;
    return chunks_.back().get() + at;
  }

  static constexpr std::size_t kChunkBytes = 8192;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t used_ = 0;
  std::size_t size_ = 0;
  std::deque<Value> values_;
};

}  // namespace palette::jinja
