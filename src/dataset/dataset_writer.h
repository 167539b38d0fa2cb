// Writing a dataset: rows, one after another, to a local file in JSONL, CSV or Parquet. Memory does not depend on the
// number of rows. The exporter (generate) moves the finished file into place.
//
//   auto writer = open_dataset_writer(job::OutputFormat::csv, file, schema);
//   (*writer)->append(cells, line);  …  (*writer)->finish();
//
// CSV (RFC 4180 but for the line ends): UTF-8 without a byte order mark, a header, "\n" ends a line. A field is quoted
// when it holds a quote, a comma or a line break. null is an empty field without quotes, an empty text is "" (a dataset
// of one column writes null as "" too: its line would be blank, and readers skip those). Lists and objects are JSON
// text. A text that starts with = + - @ is written as it is: a spreadsheet may take it for a formula. To read every
// text back exactly: pandas read_csv(…, dtype=str, keep_default_na=False); duckdb read_csv(…, header=true,
// all_varchar=true, delim=',', quote='"', escape='"', allow_quoted_nulls=false), which tells null from an empty text.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "base/result.h"
#include "dataset/schema.h"
#include "job/output_format.h"

namespace palette::dataset {

// One value of a row, by position in the schema: null, a text (a string; of a json_text column its JSON text; of a
// timestamp_ms column its ISO form), or any JSON value.
using Cell = std::variant<std::monostate, std::string_view, const Json*>;

class DatasetWriter {
 public:
  virtual ~DatasetWriter() = default;
  // `row`: one cell for each column of the schema. `line`: the same row as compact JSON text without a newline (JSONL
  // writes it as it is). Errors: io; internal when the row does not fit the schema.
  virtual Status append(std::span<const Cell> row, std::string_view line) = 0;
  // Flushes and fsyncs. Without it the file is unfinished and must not be used. Nothing may be appended after it.
  virtual Status finish() = 0;
};

// Creates `file` (which must not exist). Errors: already_exists, not_found, denied, io; internal when the Parquet
// module is missing.
Result<std::unique_ptr<DatasetWriter>> open_dataset_writer(job::OutputFormat format, const std::filesystem::path& file,
                                                           const Schema& schema);

}  // namespace palette::dataset
