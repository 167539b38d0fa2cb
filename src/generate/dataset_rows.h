// From a record to a row of the dataset: the record itself, or the job's columns.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "dataset/dataset_writer.h"
#include "generate/preflight.h"
#include "generate/seed_rows.h"

namespace palette::generate {

// Renders `columns`. Lives on one thread at a time.
class ColumnRows {
 public:
  explicit ColumnRows(const PreparedJob& job);

  // For the rows of a large object, before row_of() of these records: reads the seed rows that are not at hand. On the
  // loop's thread, while nobody else uses this. Errors: those of SeedRows::fetch.
  async::Task<Status> fetch_rows(std::vector<RecordIndex> records);

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
  struct Fetching;
  async::Task<void> fetch_some(Fetching* fetching);
  Result<std::shared_ptr<const SeedRow>> seed_row_of(RecordIndex index);

  const PreparedJob& job_;
  std::optional<SeedRows> rows_;                                    // when there are columns
  std::map<std::int64_t, std::shared_ptr<const SeedRow>> fetched_;  // by record: the last ones that were asked for
  std::map<std::string, Trouble> troubles_;
};

// The cells of a record's line under dataset::record_schema(); they view the line.
Result<std::vector<dataset::Cell>> record_cells(std::string_view record_line);

// The cells of a row under `schema`; they point into the row.
std::vector<dataset::Cell> row_cells(const dataset::Schema& schema, const JsonObject& row);

}  // namespace palette::generate
