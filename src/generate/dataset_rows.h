// From a record to a row of the dataset: the record itself, or the job's columns.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/dataset_writer.h"
#include "generate/preflight.h"
#include "generate/seed_rows.h"

namespace palette::generate {

// Renders `columns`. Lives on one thread at a time.
class ColumnRows {
 public:
  explicit ColumnRows(const PreparedJob& job);

  // A column whose text is one {{ expression }} keeps the value's type, otherwise it is text. A cell that cannot be
  // rendered is null and is counted.
  Result<JsonObject> row_of(RecordIndex index, std::string_view record_line);

  // "column 'x' could not be rendered for 3 records; the first is record 17: …", one for each such column.
  std::vector<std::string> notes() const;

 private:
  struct Trouble {
    std::int64_t records = 0;
    std::string first;
  };
  const PreparedJob& job_;
  std::optional<SeedRows> rows_;  // when there are columns
  std::map<std::string, Trouble> troubles_;
};

// The cells of a record's line under dataset::record_schema(); they view the line.
Result<std::vector<dataset::Cell>> record_cells(std::string_view record_line);

// The cells of a row under `schema`; they point into the row.
std::vector<dataset::Cell> row_cells(const dataset::Schema& schema, const JsonObject& row);

}  // namespace palette::generate
