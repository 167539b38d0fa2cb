#include "dataset/seed_readers.h"

#include <algorithm>
#include <cctype>

namespace palette::dataset {

std::string_view to_string(SeedFormat format) {
  switch (format) {
    case SeedFormat::json:
      return "json";
    case SeedFormat::jsonl:
      return "jsonl";
    case SeedFormat::csv:
      return "csv";
    case SeedFormat::parquet:
      return "parquet";
  }
  return {};
}

Result<SeedFormat> seed_format_of(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".json") return SeedFormat::json;
  if (extension == ".jsonl" || extension == ".ndjson") return SeedFormat::jsonl;
  if (extension == ".csv") return SeedFormat::csv;
  if (extension == ".parquet") return SeedFormat::parquet;
  return fail(ErrorKind::bad_input,
              (extension.empty() ? "the file has no extension, which would tell its format"
                                 : "the extension '" + extension + "' does not tell a format of seed data") +
                  "; name the file .json, .jsonl, .ndjson, .csv or .parquet");
}

std::unique_ptr<RowReader> make_row_reader(SeedFormat format, RowSink& rows) {
  switch (format) {
    case SeedFormat::json:
      return make_json_reader(rows);
    case SeedFormat::csv:
      return make_csv_reader(rows);
    case SeedFormat::jsonl:
    case SeedFormat::parquet:  // is never read as text
      break;
  }
  return make_jsonl_reader(rows);
}

Status read_piece(TextCheck& check, RowReader& reader, std::string_view bytes, bool is_last) {
  do {
    const std::string_view piece = bytes.substr(0, TextCheck::kPieceBytesMax);
    bytes.remove_prefix(piece.size());
    const auto text = check.take(piece, is_last && bytes.empty());
    if (!text) return std::unexpected(text.error());
    if (Status taken = reader.take(*text, check.offset()); !taken) return taken;
  } while (!bytes.empty());
  return {};
}

}  // namespace palette::dataset
