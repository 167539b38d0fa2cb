// Arrow values as JSON text. Times are ISO text (2026-11-23T10:00:00.123Z; without "Z" when the column has no time
// zone), dates YYYY-MM-DD, decimals text, maps objects; a dictionary-encoded value is the value.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace palette::dataset {

// The type itself or one inside of it that has no JSON form (binary, durations, unions, …), or null.
const arrow::DataType* type_without_json(const arrow::DataType& type);

// Appends value `index`. Precondition: its type has a JSON form. Errors (bad_input): text that is not UTF-8, a time
// outside of the years 0000 to 9999.
Status append_json(std::string& out, const arrow::Array& values, std::int64_t index);

}  // namespace palette::dataset
