// JSON values (Boost.JSON) and the few helpers that everything uses. Object order is kept;
// int64, uint64 and double are three kinds of number.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

// Parses one JSON text (RFC 8259, depth at most limits::kJsonDepth). The error (bad_input) has line and
// column, 1-based, in bytes.
Result<Json> parse_json(std::string_view text);
// The same, with all of the value's memory from `storage`, which must outlive it unless it is counted.
Result<Json> parse_json(std::string_view text, boost::json::storage_ptr storage);

// Appends `text` as a JSON string with its quotes; UTF-8 stays as it is, control characters are escaped.
void append_json_string(std::string& out, std::string_view text);

// Appends compact JSON. Doubles print with the fewest digits that read back the same, always as a
// double ("1.0"); NaN and infinities, which JSON lacks, print as null.
void append_json(std::string& out, const Json& value);
void append_json(std::string& out, const JsonObject& value);
std::string to_json_text(const Json& value);
void append_integer(std::string& out, std::int64_t value);
void append_double(std::string& out, double value);

// "a string", "a number", "an object", …: for messages.
std::string_view json_kind_name(const Json& value);

// Members of an object that the caller wrote itself: `corrupt` if absent or of another kind.
Result<std::string> json_string(const JsonObject& object, std::string_view key);
Result<std::int64_t> json_int(const JsonObject& object, std::string_view key);
Result<const JsonObject*> json_object(const JsonObject& object, std::string_view key);

}  // namespace palette
