// What values on the heap look like. Only the engine includes this.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace palette::jinja {

struct StringObject : Object {
  std::atomic<std::uint32_t> hash{0};  // 0 = not computed yet
  std::atomic<std::uint8_t> ascii{0};  // 0 = not known, 1 = all ASCII, 2 = not
  std::size_t size = 0;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size}; }

  // Room for `size` bytes and a zero; the caller fills it before anyone else sees it.
  static StringObject* allocate(std::size_t size);
};

// A list, a tuple, or a generator (what is left of it).
struct ListObject : Object {
  std::vector<Value> items;
  std::size_t taken = 0;  // of a generator: how many items were walked through
  bool frozen = false;    // belongs to the host or to the template's source: never changed
  bool group = false;     // a tuple of groupby: has .grouper and .list
};

struct DictEntry {
  Value key;
  Value value;
  std::uint32_t hash = 0;
};

// Insertion order is kept, as in Python. Small dicts are searched; from 9 entries on there is an index.
struct DictObject : Object {
  std::vector<DictEntry> entries;
  std::vector<std::uint32_t> index;  // open addressing, entry position + 1; empty while small
  bool frozen = false;

  DictEntry* find(const Value& key, std::uint32_t hash);
  DictEntry* find_text(std::string_view key, std::uint32_t hash);
  const DictEntry* find_text(std::string_view key) const;
  // Replaces the value of an equal key, else appends.
  void set(Value key, std::uint32_t hash, Value value);
  void set_text(std::string_view key, Value value);
  bool erase(const Value& key, std::uint32_t hash);
  void clear();

 private:
  void add_to_index(std::size_t position);
  void rebuild_index();
};

struct RangeObject : Object {
  std::int64_t start = 0, stop = 0, step = 1;
  std::int64_t length() const;
};

enum class ViewKind : std::uint8_t { keys, values, items };

struct ViewObject : Object {
  Value dict;
  ViewKind which = ViewKind::keys;
};

enum class MethodId : std::uint16_t;

struct MethodObject : Object {
  Value self;
  MethodId method{};
};

struct NamespaceObject : Object {
  Value attributes;  // a dict of this render
};

struct CyclerObject : Object {
  std::vector<Value> items;
  std::size_t position = 0;
};

struct JoinerObject : Object {
  Value separator;
  bool used = false;
};

// Defined where they are used (run.h).
struct LoopObject;
struct MacroObject;
struct FunctionObject;
struct ModuleObject;
struct BlocksObject;

inline StringObject& string_of(const Value& value) { return *static_cast<StringObject*>(value.object()); }
inline ListObject& list_of(const Value& value) { return *static_cast<ListObject*>(value.object()); }
inline DictObject& dict_of(const Value& value) { return *static_cast<DictObject*>(value.object()); }
inline RangeObject& range_of(const Value& value) { return *static_cast<RangeObject*>(value.object()); }
inline ViewObject& view_of(const Value& value) { return *static_cast<ViewObject*>(value.object()); }
inline MethodObject& method_of(const Value& value) { return *static_cast<MethodObject*>(value.object()); }
inline NamespaceObject& namespace_of(const Value& value) { return *static_cast<NamespaceObject*>(value.object()); }
inline CyclerObject& cycler_of(const Value& value) { return *static_cast<CyclerObject*>(value.object()); }
inline JoinerObject& joiner_of(const Value& value) { return *static_cast<JoinerObject*>(value.object()); }

// FNV-1a over the text, never 0.
std::uint32_t hash_text(std::string_view text);
std::uint32_t hash_of(const StringObject& text);
bool is_ascii(const StringObject& text);
bool is_ascii_text(std::string_view text);

Value make_list(std::vector<Value> items, Kind kind = Kind::list, bool frozen = false);
Value make_dict(bool frozen = false);

}  // namespace palette::jinja
