// Writing a dataset: rows of JSON objects, one after another, to a local file in JSONL, CSV or Parquet. Memory does not
// depend on the number of rows. The exporter (generate) moves the finished file into place.
//
//   auto writer = open_dataset_writer(OutputFormat::csv, file, schema);
//   (*writer)->append(row, line);  …  (*writer)->finish();
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace palette::dataset {

enum class OutputFormat : std::uint8_t { jsonl, parquet, csv };

std::string_view to_string(OutputFormat format);   // "JSONL", "PARQUET", "CSV"
std::string_view extension(OutputFormat format);   // "jsonl", "parquet", "csv"

// The type of a column. Parquet writes it as such; CSV and JSONL need only the names.
enum class ColumnKind : std::uint8_t { null, boolean, int64, float64, string, timestamp_ms, list, structure, json_text };

struct ColumnType {
  ColumnKind kind = ColumnKind::null;              // null: no value seen (written as a string column of nulls)
  std::vector<std::string> field_names;            // structure: names of the children, in order of first appearance
  std::vector<ColumnType> children;                // list: one; structure: one a field
  bool mixed = false;                              // values of several types were seen: falls back to json_text

  // The smallest type that holds both: int64 + float64 = float64 (while every int is exact in a double), null + X = X,
  // structures join their fields, timestamp + string = string; anything else is json_text with `mixed`.
  void merge(const ColumnType& other);
  bool operator==(const ColumnType&) const = default;
};

// The type of one JSON value. A string in exactly the form 2026-11-23T10:00:00.123Z is a timestamp; an empty object and
// uint64 beyond int64 are json_text.
ColumnType column_type_of(const Json& value);

struct Column {
  std::string name;
  ColumnType type;
};

using Schema = std::vector<Column>;

// Rows without `columns`: id, job_id, timestamp (timestamp_ms), seed_data_keys and generation_result as JSON text.
Schema record_schema();

// Joins the types of one row into the schema; a new key becomes a new column. For one pass over the rows before Parquet.
void infer(Schema& schema, const JsonObject& row);

class DatasetWriter {
 public:
  virtual ~DatasetWriter() = default;
  // `row` in the order of the schema or not; a missing key is null; a key outside of the schema is an error (internal).
  // `line` is the same row as compact JSON text without a newline: JSONL writes it as it is.
  virtual Status append(const JsonObject& row, std::string_view line) = 0;
  // Flushes and fsyncs. Without it the file is unfinished and must not be used.
  virtual Status finish() = 0;
};

// Creates `file` (which must not exist). Errors: io, denied; unsupported… as internal when the Parquet module is missing.
Result<std::unique_ptr<DatasetWriter>> open_dataset_writer(OutputFormat format, const std::filesystem::path& file,
                                                           const Schema& schema);

}  // namespace palette::dataset
