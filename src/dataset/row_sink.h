// Where the readers of seed data put their rows.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace palette::dataset {

class RowSink {
 public:
  virtual ~RowSink() = default;
  // One row: compact JSON text of an object. Errors: bad_input (the row is too large, too many rows), io.
  virtual Status add(std::string_view row) = 0;
  virtual std::uint64_t count() const = 0;
};

// The error of a row over limits::kSeedRowBytesMax; `number` counts from 1.
Error row_too_large(std::uint64_t number);

}  // namespace palette::dataset
