// Python's ==, <, hash, `in` and truth.
#pragma once

#include <cstdint>

#include "jinja/value.h"

namespace palette::jinja {

bool equal(const Value& left, const Value& right);
// Whether two keys of a dict are the same (equal hashes are given).
bool same_key(const Value& left, const Value& right);
// -1, 0 or 1; 2 when a NaN is among them. Fails for kinds that Python does not order; `sign` ("<", ">=") is for the
// message.
int compare(const Value& left, const Value& right, const char* sign);
bool less(const Value& left, const Value& right);
// Fails for lists, dicts, …: "unhashable type: 'list'".
std::uint32_t hash_value(const Value& value);
// `item in container`.
bool contains(const Value& container, const Value& item);
// Truth; undefined fails in strict mode.
bool truth(const Value& value);
// Identity, as `is` of Python and the test `sameas` have it (small scalars by value).
bool same_object(const Value& left, const Value& right);
// The length of whatever has one, or -1.
std::int64_t length_of(const Value& value);

// Fails with the undefined's message.
[[noreturn]] void fail_undefined(const Value& value);

}  // namespace palette::jinja
