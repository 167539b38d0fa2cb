// Seed data: the rows that the user has. JSON (an object is one row, an array of objects is many), JSONL, CSV (RFC
// 4180, with a header) and Parquet become rows of JSON objects behind one interface. Memory is bounded: rows live as
// compact JSON text in memory up to limits::kSeedMemoryBytes, else in an unlinked spool file, with an index of offsets.
//
//   Result<SeedData> seeds = SeedData::open("seeds.csv", spool_dir);
//   Result<JsonObject> row = seeds->row(17);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace palette::dataset {

class SeedData {
 public:
  // Reads and checks the whole file. The format is told by the extension (.json .jsonl .ndjson .csv .parquet, in any
  // case). Errors (bad_input with file, line, column): an unknown extension, unreadable, empty, no rows, invalid JSON,
  // a row that is not an object, a row over limits::kSeedRowBytesMax, invalid UTF-8, a CSV record with another number
  // of fields than the header, duplicate or empty names in the header, an unclosed quote, a Parquet type that has no
  // JSON form. `spool_dir` may be missing: it is made when a spool file is needed.
  static Result<SeedData> open(const std::filesystem::path& file, const std::filesystem::path& spool_dir);

  SeedData(SeedData&&) noexcept;
  SeedData& operator=(SeedData&&) noexcept;
  ~SeedData();

  std::uint64_t rows() const;

  // SHA-256 of the file's bytes, hex.
  const std::string& sha256() const;

  // Row `index` of [0, rows()), as compact JSON text / parsed. Blocking reads of at most one row; thread-safe.
  Result<std::string> row_text(std::uint64_t index) const;
  Result<JsonObject> row(std::uint64_t index) const;

  // The texts of the first rows, at most `bytes_max` bytes: string values joined by spaces, rows by newlines. What the
  // offline model learns its words from; no word of it is cut.
  Result<std::string> text_sample(std::size_t bytes_max) const;

 private:
  struct State;
  explicit SeedData(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace palette::dataset
