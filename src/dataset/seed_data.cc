#include "dataset/seed_data.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"
#include "dataset/parquet_file.h"
#include "dataset/row_store.h"
#include "dataset/seed_readers.h"

namespace palette::dataset {
namespace {

std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

// Reads `file` into `rows`; returns the SHA-256 of its bytes.
Result<std::string> read_text(const std::filesystem::path& file, std::string_view extension, RowStore& rows) {
  auto stream = TextStream::open(file);
  if (!stream) return std::unexpected(stream.error());
  Status read = extension == ".json"  ? read_json(*stream, rows)
                : extension == ".csv" ? read_csv(*stream, rows)
                                      : read_jsonl(*stream, rows);
  if (!read) return std::unexpected(read.error());
  return stream->sha256_hex();
}

Result<std::string> read_binary(const std::filesystem::path& file, RowStore& rows) {
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

Result<std::string> read_rows(const std::filesystem::path& file, RowStore& rows) {
  const std::string extension = lower_extension(file);
  if (extension == ".parquet") return read_binary(file, rows);
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson" || extension == ".csv") {
    return read_text(file, extension, rows);
  }
  return fail(ErrorKind::bad_input,
              (extension.empty() ? "the file has no extension, which would tell its format"
                                 : "the extension '" + extension + "' does not tell a format of seed data") +
                  "; name the file .json, .jsonl, .ndjson, .csv or .parquet");
}

// Appends every string inside of `value`, each after a space.
void append_texts(std::string& out, const Json& value) {
  if (value.is_string()) {
    out += ' ';
    out += std::string_view(value.get_string());
  } else if (value.is_array()) {
    for (const Json& item : value.get_array()) append_texts(out, item);
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) append_texts(out, member.value());
  }
}

}  // namespace

struct SeedData::State {
  RowStore rows;
  std::string sha256;
};

SeedData::SeedData(std::unique_ptr<State> state) : state_(std::move(state)) {}
SeedData::SeedData(SeedData&&) noexcept = default;
SeedData& SeedData::operator=(SeedData&&) noexcept = default;
SeedData::~SeedData() = default;

Result<SeedData> SeedData::open(const std::filesystem::path& file, const std::filesystem::path& spool_dir) {
  auto state = std::make_unique<State>(State{RowStore(spool_dir), ""});
  auto sha256 = read_rows(file, state->rows);
  if (!sha256) return std::unexpected(sha256.error().at(file.string()));
  if (Status finished = state->rows.finish(); !finished) return std::unexpected(finished.error());
  state->sha256 = std::move(*sha256);
  return SeedData(std::move(state));
}

std::uint64_t SeedData::rows() const { return state_->rows.count(); }

const std::string& SeedData::sha256() const { return state_->sha256; }

Result<std::string> SeedData::row_text(std::uint64_t index) const { return state_->rows.row(index); }

Result<JsonObject> SeedData::row(std::uint64_t index) const {
  const auto text = row_text(index);
  if (!text) return std::unexpected(text.error());
  auto value = parse_json(*text);
  if (!value) return std::unexpected(value.error());
  return std::move(value->get_object());
}

Result<std::string> SeedData::text_sample(std::size_t bytes_max) const {
  std::string sample;
  for (std::uint64_t i = 0; i < rows() && sample.size() <= bytes_max; ++i) {
    const auto values = row(i);
    if (!values) return std::unexpected(values.error());
    std::string line;
    for (const auto& member : *values) append_texts(line, member.value());
    if (line.empty()) continue;
    if (!sample.empty()) sample += '\n';
    sample.append(line, 1);
  }
  if (sample.size() <= bytes_max) return sample;
  const bool between_words = sample[bytes_max] == ' ' || sample[bytes_max] == '\n';
  sample.resize(utf8_prefix(sample, bytes_max).size());
  const auto blank = sample.find_last_of(" \n\t");
  if (!between_words && blank != std::string::npos) sample.resize(blank);
  return sample;
}

}  // namespace palette::dataset
