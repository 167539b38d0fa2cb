#include "dataset/stored_rows.h"

#include <algorithm>

#include "dataset/parquet_file.h"

namespace palette::dataset {
namespace {

// Reads `file` into `rows`; returns the SHA-256 of its bytes.
Result<std::string> read_text(const std::filesystem::path& file, SeedFormat format, RowSink& rows) {
  auto stream = TextStream::open(file);
  if (!stream) return std::unexpected(stream.error());
  const std::unique_ptr<RowReader> reader = make_row_reader(format, rows);
  for (;;) {
    const auto text = stream->next();
    if (!text) return std::unexpected(text.error());
    if (text->empty()) break;
    if (Status taken = reader->take(*text, stream->offset()); !taken) return std::unexpected(taken.error());
  }
  if (Status finished = reader->finish(); !finished) return std::unexpected(finished.error());
  return stream->sha256_hex();
}

Result<std::string> read_binary(const std::filesystem::path& file, RowSink& rows) {
  auto sha256 = sha256_of_file(file);
  if (!sha256) return sha256;
  std::error_code ec;
  if (std::filesystem::file_size(file, ec) == 0 && !ec) {
    return fail(ErrorKind::bad_input, "this file is empty; it must be a Parquet file of at least one row");
  }
  if (Status read = read_parquet(file, rows); !read) return std::unexpected(read.error());
  if (rows.count() == 0) return fail(ErrorKind::bad_input, "this file has no rows; it must hold at least one");
  return sha256;
}

Result<SeedData> seed_data_of(RowStore rows, Result<std::string> sha256) {
  if (!sha256) return std::unexpected(sha256.error());
  if (Status finished = rows.finish(); !finished) return std::unexpected(finished.error());
  return SeedData(std::make_unique<StoredRows>(std::move(rows)), std::move(*sha256));
}

}  // namespace

Result<SeedData> read_seed_file(const std::filesystem::path& file, SeedFormat format,
                                const std::filesystem::path& spool_dir) {
  RowStore rows(spool_dir);
  Result<std::string> sha256 = format == SeedFormat::parquet ? read_binary(file, rows) : read_text(file, format, rows);
  return seed_data_of(std::move(rows), std::move(sha256));
}

Result<SeedData> read_seed_text(std::string_view text, SeedFormat format, const std::filesystem::path& spool_dir) {
  RowStore rows(spool_dir);
  TextCheck check;
  const std::unique_ptr<RowReader> reader = make_row_reader(format, rows);
  Status read = read_piece(check, *reader, text, true);
  if (read) read = reader->finish();
  if (!read) return std::unexpected(read.error());
  return seed_data_of(std::move(rows), check.sha256_hex());
}

}  // namespace palette::dataset
