// What an undefined value remembers: what was missing, for the message when somebody uses it.
#pragma once

#include <cstdint>
#include <string>

#include "jinja/value.h"

namespace palette::jinja {

// Value::detail() of an undefined: the kind of the value that lacked something, and these flags.
inline constexpr std::uint16_t kUndefinedName = 0;            // a variable of that name
inline constexpr std::uint16_t kUndefinedAttribute = 0x0100;  // low byte: the owner's Kind
inline constexpr std::uint16_t kUndefinedElement = 0x0200;    // the name is the key's repr
inline constexpr std::uint16_t kUndefinedHint = 0x0400;       // the name is the whole message
inline constexpr std::uint16_t kUndefinedMild = 0x0800;       // never strict: an inline if without else
inline constexpr std::uint16_t kUnset = 0xFFFF;               // a slot that nothing was stored in

Value undefined_name(const Value& name);
Value undefined_attribute(const Value& owner, const Value& name);
Value undefined_element(const Value& owner, const Value& key);
Value undefined_hint(std::string_view message, bool mild = false);
Value unset();
inline bool is_unset(const Value& value) { return value.is_undefined() && value.detail() == kUnset; }

// The name of what is missing, without more.
std::string undefined_subject(const Value& value);
// "'x' is undefined", "'dict object' has no attribute 'y'", "list object has no element 42".
std::string undefined_message(const Value& value);
// What {{ }} prints in UndefinedMode::debug.
std::string undefined_debug_text(const Value& value);

}  // namespace palette::jinja
