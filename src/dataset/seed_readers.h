// One reader a format: text in, piece by piece, rows into a sink. Errors are bad_input with line and column, without
// the file's name.
//
//   auto reader = make_row_reader(SeedFormat::csv, rows);
//   Status taken = reader->take(piece, 0);   // … and so on, then
//   Status finished = reader->finish();
#pragma once

#include <filesystem>
#include <memory>

#include "dataset/row_sink.h"
#include "dataset/text_stream.h"

namespace palette::dataset {

enum class SeedFormat : std::uint8_t {
  json,   // an object is one row; an array of objects is many, read one element at a time
  jsonl,  // one object a line; blank lines are skipped
  // RFC 4180: a header, then records of as many fields; every field is a string, also an empty one. Lines end with CRLF
  // or LF; empty lines are skipped; a quote inside a field without quotes is itself.
  csv,
  parquet,  // no text: see parquet_file.h
};
std::string_view to_string(SeedFormat format);

// By the extension, in any case. bad_input for an unknown one.
Result<SeedFormat> seed_format_of(const std::filesystem::path& file);

class RowReader {
 public:
  virtual ~RowReader() = default;
  // The text that follows, which begins at byte `offset` of the whole.
  virtual Status take(std::string_view text, std::uint64_t offset) = 0;
  // After the last of it.
  virtual Status finish() = 0;
};

std::unique_ptr<RowReader> make_json_reader(RowSink& rows);
std::unique_ptr<RowReader> make_jsonl_reader(RowSink& rows);
std::unique_ptr<RowReader> make_csv_reader(RowSink& rows);

// Of a format that is text.
std::unique_ptr<RowReader> make_row_reader(SeedFormat format, RowSink& rows);

// Gives `bytes`, which follow those of earlier calls, to the reader, checked, a piece at a time.
Status read_piece(TextCheck& check, RowReader& reader, std::string_view bytes, bool is_last);

// Parses the text of one row, which begins at `place` and `span`, and adds it. `more` is appended to the message of a
// syntax error.
Status add_json_row(std::string_view text, Position place, TextSpan span, std::string_view more, RowSink& rows);

}  // namespace palette::dataset
