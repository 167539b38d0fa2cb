// A value of the template language, as Python would have it: 16 bytes, cheap to copy (strings and containers
// are shared). A template never changes a value that the host gave it: where it would (x.append(…)), it works
// on a copy of its own.
//
//   Value row = Value::map({{"name", Value::of("Ada")}, {"age", Value::of(36)}});
//   row.to_text();  // {'name': 'Ada', 'age': 36}
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace palette::jinja {

enum class Kind : std::uint8_t {
  undefined,
  none,
  boolean,
  integer,
  floating,
  // From here on: on the heap, counted.
  string,
  list,
  tuple,
  dict,
  range,      // range(…)
  view,       // dict.keys(), .values(), .items()
  generator,  // what map, select, batch, … give: can be walked through once
  loop,
  macro,
  function,  // a built-in or of the host
  method,    // 'x'.upper, not called yet
  name_space,
  cycler,
  joiner,
  module,  // {% import "x" as module %}
  blocks,  // self
};

// What every value on the heap begins with.
struct Object {
  std::atomic<std::uint32_t> references{1};
};

void destroy_object(Kind kind, Object* object) noexcept;

class Value {
 public:
  Value() = default;  // undefined
  Value(const Value& other) noexcept : kind_(other.kind_), flags_(other.flags_), detail_(other.detail_) {
    object_ = other.object_;
    if (counted()) object_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Value(Value&& other) noexcept : kind_(other.kind_), flags_(other.flags_), detail_(other.detail_) {
    object_ = other.object_;
    other.kind_ = Kind::undefined;
    other.object_ = nullptr;
  }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() {
    if (counted() && object_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy_object(kind_, object_);
    }
  }
  void swap(Value& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(flags_, other.flags_);
    std::swap(detail_, other.detail_);
    std::swap(object_, other.object_);
  }

  static Value none() { return of_plain(Kind::none, 0); }
  template <std::same_as<bool> B>
  static Value of(B value) {
    return of_bool(value);
  }
  template <std::integral I>
    requires(!std::same_as<I, bool> && (std::signed_integral<I> || sizeof(I) < sizeof(std::int64_t)))
  static Value of(I value) {
    return of_int(static_cast<std::int64_t>(value));
  }
  template <std::floating_point F>
  static Value of(F value) {
    return of_double(static_cast<double>(value));
  }
  static Value of(std::string_view text);
  static Value of(const char* text) { return of(std::string_view(text)); }
  static Value of(const std::string& text) { return of(std::string_view(text)); }
  // Text that autoescape and `escape` leave alone (Python's Markup).
  static Value safe(std::string_view text);
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items);
  // An ordered dict with string keys; of equal keys the last one's value holds, at the first one's place.
  static Value map(std::vector<std::pair<std::string, Value>> members);
  // Unsigned numbers above 2^63-1 become doubles.
  static Value from_json(const Json& json);
  static Value from_json(const JsonObject& json);

  // Dicts, lists, tuples, ranges and scalars as JSON has them (keys as text); undefined gives null, anything
  // else its text. Containers nested deeper than Limits{}.value_depth give their text "…" there.
  Json to_json() const;
  // As {{ }} prints it: str() of Python; undefined gives "".
  std::string to_text() const;

  Kind kind() const { return kind_; }
  bool is_undefined() const { return kind_ == Kind::undefined; }
  bool is_none() const { return kind_ == Kind::none; }
  bool is_bool() const { return kind_ == Kind::boolean; }
  bool is_int() const { return kind_ == Kind::integer; }
  bool is_double() const { return kind_ == Kind::floating; }
  bool is_number() const { return is_bool() || is_int() || is_double(); }
  bool is_string() const { return kind_ == Kind::string; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::dict; }
  bool is_safe() const { return kind_ == Kind::string && (flags_ & kSafe) != 0; }

  // Python's truth of a value (undefined is false, without an error in every mode).
  bool truthy() const;

  // The contents; each only for its kind (as_int also for booleans, as_double for every number).
  bool as_bool() const { return integer_ != 0; }
  std::int64_t as_int() const { return integer_; }
  double as_double() const { return kind_ == Kind::floating ? floating_ : static_cast<double>(integer_); }
  std::string_view as_string() const;

  // Items of a list or tuple, entries of a dict; 0 for the rest.
  std::size_t size() const;
  // The item of a list or tuple; position < size().
  const Value& at(std::size_t position) const;
  // The value under a string key of a dict, or null.
  const Value* find(std::string_view key) const;
  // The entry of a dict in its order; position < size().
  std::pair<const Value&, const Value&> entry(std::size_t position) const;

  // Python's ==, to any depth up to Limits{}.value_depth.
  bool equals(const Value& other) const;

  // For the engine.
  Object* object() const { return object_; }
  static Value adopt(Kind kind, Object* object, std::uint8_t flags = 0);  // takes over one reference
  static Value share(Kind kind, Object* object, std::uint8_t flags = 0);  // adds a reference
  static Value undefined_of(Object* name, std::uint16_t owner);           // see undefined.h; name may be null
  std::uint8_t flags() const { return flags_; }
  std::uint16_t detail() const { return detail_; }
  void mark_safe(bool safe) { flags_ = static_cast<std::uint8_t>(safe ? flags_ | kSafe : flags_ & ~kSafe); }

  static constexpr std::uint8_t kSafe = 1;

 private:
  static Value of_bool(bool value) { return of_plain(Kind::boolean, value); }
  static Value of_int(std::int64_t value) { return of_plain(Kind::integer, value); }
  static Value of_double(double value) {
    Value result;
    result.kind_ = Kind::floating;
    result.floating_ = value;
    return result;
  }
  static Value of_plain(Kind kind, std::int64_t value) {
    Value result;
    result.kind_ = kind;
    result.integer_ = value;
    return result;
  }
  bool counted() const { return kind_ >= Kind::string || (kind_ == Kind::undefined && object_ != nullptr); }

  Kind kind_ = Kind::undefined;
  std::uint8_t flags_ = 0;
  std::uint16_t detail_ = 0;
  union {
    Object* object_ = nullptr;
    std::int64_t integer_;  // also of booleans
    double floating_;
  };
};

static_assert(sizeof(Value) == 16);

// "a string", "a list", "undefined", …: for messages.
std::string_view kind_name(const Value& value);
// Python's name of the type: "str", "list", "int", …
std::string_view type_name(const Value& value);

}  // namespace palette::jinja
