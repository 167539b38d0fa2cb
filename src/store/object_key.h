// What a key of an object may be: the rules of S3 and those of a folder tree together, so that every key can live in
// both.
#pragma once

#include <string_view>

#include "base/result.h"

namespace palette::store {

// bad_input unless `key` is 1 to 1024 bytes of UTF-8 without control characters, in components of 1 to 255 bytes
// between single slashes, none of them "." or "..".
Status check_object_key(std::string_view key);

// The same for the beginning of keys: the whole components of it are checked, what follows the last slash may be
// anything.
Status check_object_prefix(std::string_view prefix);

}  // namespace palette::store
