// Where the rows of seed data are: in memory, in a spool file, in an object.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.h"
#include "base/result.h"

namespace palette::dataset {

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::uint64_t count() const = 0;
  // The first so many rows can be read without waiting.
  virtual std::uint64_t at_hand() const { return count(); }
  // Row `index` of [0, at_hand()), as compact JSON text; thread-safe.
  virtual Result<std::string> row(std::uint64_t index) const = 0;
  // Row `index` of [0, count()). On the loop's thread; the source must outlive the call.
  virtual async::Task<Result<std::string>> fetch(std::uint64_t index) { co_return row(index); }
};

}  // namespace palette::dataset
