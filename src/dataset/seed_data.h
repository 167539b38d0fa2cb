// Seed data: the rows that the user has. JSON (an object is one row, an array of objects is many), JSONL, CSV (RFC
// 4180, with a header) and Parquet become rows of JSON objects behind one interface. Memory is bounded: rows live as
// compact JSON text in memory up to limits::kSeedMemoryBytes, else in an unlinked spool file, with an index of offsets;
// rows of a large object (seed_object.h) stay where they are.
//
//   Result<SeedData> seeds = SeedData::open("seeds.csv", spool_dir);
//   Result<JsonObject> row = seeds->row(17);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/json.h"
#include "base/result.h"

namespace palette::dataset {

class RowSource;

class SeedData {
 public:
  // Reads and checks the whole file. The format is told by the extension (.json .jsonl .ndjson .csv .parquet, in any
  // case). Errors (bad_input with file, line, column): an unknown extension, unreadable, empty, no rows, invalid JSON,
  // a row that is not an object, a row over limits::kSeedRowBytesMax, invalid UTF-8, a CSV record with another number
  // of fields than the header, duplicate or empty names in the header, an unclosed quote, a Parquet type that has no
  // JSON form. `spool_dir` may be missing: it is made when a spool file is needed.
  static Result<SeedData> open(const std::filesystem::path& file, const std::filesystem::path& spool_dir);

  // Of rows that were read and checked otherwise.
  SeedData(std::unique_ptr<RowSource> rows, std::string sha256);

  // No seed data: only to be assigned to (what a task gives must have such a value).
  SeedData();
  SeedData(SeedData&&) noexcept;
  SeedData& operator=(SeedData&&) noexcept;
  ~SeedData();

  std::uint64_t rows() const;

  // How many rows, from the first on, can be read without waiting: all of a file, the first ones of a large object.
  std::uint64_t rows_at_hand() const;

  // SHA-256 of the file's bytes, hex.
  const std::string& sha256() const;

  // Row `index` of [0, rows_at_hand()), as compact JSON text / parsed. Blocking reads of at most one row; thread-safe.
  // internal for a row that is not at hand.
  Result<std::string> row_text(std::uint64_t index) const;
  Result<JsonObject> row(std::uint64_t index) const;

  // Any row of [0, rows()), as compact JSON text. On the loop's thread. Errors: those of the store; changed when
  // another object is there now. For rows at hand row_text costs less.
  async::Task<Result<std::string>> row_text_of(std::uint64_t index) const;

  // The texts of the first rows (at hand), at most `bytes_max` bytes: string values joined by spaces, rows by newlines.
  // What the offline model learns its words from; no word of it is cut.
  Result<std::string> text_sample(std::size_t bytes_max) const;

 private:
  std::unique_ptr<RowSource> rows_;
  std::string sha256_;
};

}  // namespace palette::dataset
