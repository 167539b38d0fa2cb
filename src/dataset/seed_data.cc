#include "dataset/seed_data.h"

#include "base/utf8.h"
#include "dataset/row_source.h"
#include "dataset/stored_rows.h"

namespace palette::dataset {
namespace {

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

SeedData::SeedData(std::unique_ptr<RowSource> rows, std::string sha256)
    : rows_(std::move(rows)), sha256_(std::move(sha256)) {}
SeedData::SeedData() = default;
SeedData::SeedData(SeedData&&) noexcept = default;
SeedData& SeedData::operator=(SeedData&&) noexcept = default;
SeedData::~SeedData() = default;

Result<SeedData> SeedData::open(const std::filesystem::path& file, const std::filesystem::path& spool_dir) {
  const Result<SeedFormat> format = seed_format_of(file);
  Result<SeedData> opened = format ? read_seed_file(file, *format, spool_dir) : std::unexpected(format.error());
  if (!opened) return std::unexpected(opened.error().at(file.string()));
  return opened;
}

std::uint64_t SeedData::rows() const { return rows_->count(); }

std::uint64_t SeedData::rows_at_hand() const { return rows_->at_hand(); }

const std::string& SeedData::sha256() const { return sha256_; }

Result<std::string> SeedData::row_text(std::uint64_t index) const { return rows_->row(index); }

async::Task<Result<std::string>> SeedData::row_text_of(std::uint64_t index) const { return rows_->fetch(index); }

Result<JsonObject> SeedData::row(std::uint64_t index) const {
  const auto text = row_text(index);
  if (!text) return std::unexpected(text.error());
  auto value = parse_json(*text);
  if (!value) return std::unexpected(value.error());
  return std::move(value->get_object());
}

Result<std::string> SeedData::text_sample(std::size_t bytes_max) const {
  std::string sample;
  for (std::uint64_t i = 0; i < rows_at_hand() && sample.size() <= bytes_max; ++i) {
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
