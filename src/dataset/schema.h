// The columns of a dataset and their types. Parquet writes the types; CSV and JSONL need only the names.
//
//   Schema schema;
//   for (const JsonObject& row : rows) infer(schema, row);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace palette::dataset {

enum class ColumnKind : std::uint8_t {
  null,
  boolean,
  int64,
  float64,
  string,
  timestamp_ms,
  list,
  structure,
  json_text
};

struct ColumnType {
  ColumnKind kind = ColumnKind::null;         // null: no value seen (written as a string column of nulls)
  std::vector<std::string> field_names = {};  // structure: names of the children, in order of first appearance
  std::vector<ColumnType> children = {};      // list: one; structure: one a field
  bool mixed = false;                         // values of several types were seen: falls back to json_text
  bool beyond_double = false;                 // int64: a value beyond 2^53 was seen, which a double cannot hold

  // The smallest type that holds both: int64 + float64 = float64 (while every int is exact in a double), null + X = X,
  // structures join their fields, timestamp + string = string; anything else is json_text with `mixed`. A list or a
  // structure with json_text inside is json_text as a whole, so that a value is either typed or one JSON text.
  void merge(const ColumnType& other);
  bool operator==(const ColumnType&) const = default;
};

// The type of one JSON value. A string in exactly the form 2026-11-23T10:00:00.123Z is a timestamp; an empty object and
// uint64 beyond int64 are json_text.
ColumnType column_type_of(const Json& value);

struct Column {
  std::string name;
  ColumnType type;
  bool operator==(const Column&) const = default;
};

using Schema = std::vector<Column>;

// Rows without `columns`: id, job_id, timestamp (timestamp_ms), seed_data_keys and generation_result as JSON text.
Schema record_schema();

// Joins the types of one row into the schema; a new key becomes a new column. For one pass over the rows before
// Parquet.
void infer(Schema& schema, const JsonObject& row);

}  // namespace palette::dataset
