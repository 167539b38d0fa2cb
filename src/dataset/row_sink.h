// Where the readers of seed data put their rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace palette::dataset {

// Where a row's own text stands in the whole, in bytes.
struct TextSpan {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  bool operator==(const TextSpan&) const = default;
};

class RowSink {
 public:
  virtual ~RowSink() = default;
  // One row: compact JSON text of an object. Errors: bad_input (the row is too large, too many rows), io.
  virtual Status add(std::string_view row) = 0;
  virtual std::uint64_t count() const = 0;

  // The same, by the readers of text, for who wants to know where the row was read.
  virtual Status add_from(std::string_view row, TextSpan) { return add(row); }
  // The names of a CSV header, before the first row.
  virtual void note_header(const std::vector<std::string>&) {}
};

// The error of a row over limits::kSeedRowBytesMax; `number` counts from 1.
Error row_too_large(std::uint64_t number);

// May a row of `bytes` follow `count` others?
Status check_row(std::size_t bytes, std::uint64_t count);

}  // namespace palette::dataset
