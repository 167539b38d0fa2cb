#include "jinja/compare.h"
#include "jinja/meter.h"
#include "jinja/object.h"

namespace palette::jinja {
namespace {

constexpr std::size_t kSearchedSize = 8;

}  // namespace

DictEntry* DictObject::find(const Value& key, std::uint32_t hash) {
  if (index.empty()) {
    for (DictEntry& entry : entries) {
      if (entry.hash == hash && same_key(entry.key, key)) return &entry;
    }
    return nullptr;
  }
  std::size_t mask = index.size() - 1;
  for (std::size_t slot = hash & mask; index[slot] != 0; slot = (slot + 1) & mask) {
    DictEntry& entry = entries[index[slot] - 1];
    if (entry.hash == hash && same_key(entry.key, key)) return &entry;
  }
  return nullptr;
}

DictEntry* DictObject::find_text(std::string_view key, std::uint32_t hash) {
  auto matches = [&](const DictEntry& entry) {
    return entry.hash == hash && entry.key.is_string() && string_of(entry.key).view() == key;
  };
  if (index.empty()) {
    for (DictEntry& entry : entries) {
      if (matches(entry)) return &entry;
    }
    return nullptr;
  }
  std::size_t mask = index.size() - 1;
  for (std::size_t slot = hash & mask; index[slot] != 0; slot = (slot + 1) & mask) {
    if (matches(entries[index[slot] - 1])) return &entries[index[slot] - 1];
  }
  return nullptr;
}

const DictEntry* DictObject::find_text(std::string_view key) const {
  return const_cast<DictObject*>(this)->find_text(key, hash_text(key));
}

void DictObject::set(Value key, std::uint32_t hash, Value value) {
  if (DictEntry* entry = find(key, hash); entry != nullptr) {
    entry->value = std::move(value);
    return;
  }
  meter_take(sizeof(DictEntry));
  entries.push_back(DictEntry{std::move(key), std::move(value), hash});
  if (!index.empty() && index.size() >= entries.size() * 2) {
    add_to_index(entries.size() - 1);
  } else if (entries.size() > kSearchedSize) {
    rebuild_index();
  }
}

void DictObject::set_text(std::string_view key, Value value) {
  std::uint32_t hash = hash_text(key);
  if (DictEntry* entry = find_text(key, hash); entry != nullptr) {
    entry->value = std::move(value);
    return;
  }
  set(Value::of(key), hash, std::move(value));
}

bool DictObject::erase(const Value& key, std::uint32_t hash) {
  DictEntry* entry = find(key, hash);
  if (entry == nullptr) return false;
  meter_give(sizeof(DictEntry));
  entries.erase(entries.begin() + (entry - entries.data()));
  if (!index.empty()) rebuild_index();
  return true;
}

void DictObject::clear() {
  meter_give(entries.size() * sizeof(DictEntry));
  entries.clear();
  index.clear();
}

void DictObject::add_to_index(std::size_t position) {
  std::size_t mask = index.size() - 1;
  std::size_t slot = entries[position].hash & mask;
  while (index[slot] != 0) slot = (slot + 1) & mask;
  index[slot] = static_cast<std::uint32_t>(position + 1);
}

void DictObject::rebuild_index() {
  if (entries.size() <= kSearchedSize) {
    index.clear();
    return;
  }
  std::size_t size = 32;
  while (size < entries.size() * 3) size *= 2;
  index.assign(size, 0);
  for (std::size_t position = 0; position < entries.size(); ++position) add_to_index(position);
}

}  // namespace palette::jinja
