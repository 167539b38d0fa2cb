#include "dataset/seed_index.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace palette::dataset {
namespace {

constexpr std::string_view kMagic = "PALSEED1";
constexpr int kSizeBits = 21;
constexpr std::uint64_t kSizeMask = (std::uint64_t{1} << kSizeBits) - 1;
static_assert(limits::kSeedRowBytesMax <= kSizeMask);
constexpr std::size_t kTrailerSizeBytes = 4;
constexpr std::size_t kTrailerBytesMax = 16 * limits::kMiB;

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * i));
  return out;
}

std::uint64_t from_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

std::unexpected<Error> no_index(const std::string& why) {
  return fail(ErrorKind::corrupt, "this is no index of seed data: " + why + "; remove it, it is made again");
}

Result<SeedSummary> read_trailer(std::string_view text) {
  const Result<Json> json = parse_json(text);
  if (!json || !json->is_object()) return no_index("its trailer cannot be read");
  const JsonObject& trailer = json->get_object();
  const auto format = json_string(trailer, "format"), sha256 = json_string(trailer, "sha256");
  const auto object_bytes = json_int(trailer, "object_bytes"), rows = json_int(trailer, "rows");
  const auto head_rows = json_int(trailer, "head_rows");
  const Json* header = trailer.if_contains("header");
  if (!format || !sha256 || !object_bytes || !rows || !head_rows || header == nullptr || !header->is_array())
    return no_index("its trailer lacks a member");
  SeedSummary out;
  const auto known = {SeedFormat::json, SeedFormat::jsonl, SeedFormat::csv};
  const auto found = std::ranges::find_if(known, [&](SeedFormat value) { return to_string(value) == *format; });
  if (found == known.end()) return no_index("the format '" + *format + "' is not known");
  out.format = *found;
  out.sha256 = *sha256;
  out.object_bytes = static_cast<std::uint64_t>(*object_bytes);
  out.rows = static_cast<std::uint64_t>(*rows);
  out.head_rows = static_cast<std::uint64_t>(*head_rows);
  for (const Json& name : header->get_array()) {
    if (!name.is_string()) return no_index("a name of its header is no text");
    out.header.emplace_back(name.get_string());
  }
  if (*rows < 1 || *rows > limits::kSeedRowsMax || *head_rows < 1 || *head_rows > *rows)
    return no_index("its numbers of rows cannot be");
  return out;
}

}  // namespace

std::string seed_entry(TextSpan span) { return little_endian(span.begin << kSizeBits | span.size, kSeedEntryBytes); }

std::string seed_trailer(const SeedSummary& summary) {
  JsonObject trailer;
  trailer["format"] = to_string(summary.format);
  trailer["object_bytes"] = summary.object_bytes;
  trailer["rows"] = summary.rows;
  trailer["sha256"] = summary.sha256;
  trailer["head_rows"] = summary.head_rows;
  JsonArray header;
  for (const std::string& name : summary.header) header.emplace_back(name);
  trailer["header"] = std::move(header);
  const std::string text = to_json_text(trailer);
  return text + little_endian(text.size(), kTrailerSizeBytes) + std::string(kMagic);
}

Result<SeedIndex> SeedIndex::open(std::unique_ptr<SpoolFile> file, std::uint64_t bytes, SeedFormat format,
                                  std::uint64_t object_bytes) {
  constexpr std::size_t kEndBytes = kTrailerSizeBytes + kMagic.size();
  if (bytes < kEndBytes) return no_index("it has only " + std::to_string(bytes) + " bytes");
  const Result<std::string> end = file->read(bytes - kEndBytes, kEndBytes);
  if (!end) return std::unexpected(end.error());
  if (!end->ends_with(kMagic)) return no_index("it does not end as one does");
  const std::uint64_t size = from_little_endian(std::string_view(*end).substr(0, kTrailerSizeBytes));
  if (size > kTrailerBytesMax || size > bytes - kEndBytes) return no_index("its trailer is larger than the whole");
  const Result<std::string> text = file->read(bytes - kEndBytes - size, size);
  if (!text) return std::unexpected(text.error());
  Result<SeedSummary> summary = read_trailer(*text);
  if (!summary) return std::unexpected(summary.error());
  if (summary->rows * kSeedEntryBytes != bytes - kEndBytes - size)
    return no_index("it has not one entry for each of " + std::to_string(summary->rows) + " rows");
  if (summary->format != format || summary->object_bytes != object_bytes) return no_index("it is one of other data");
  return SeedIndex(std::move(file), std::move(*summary));
}

Result<TextSpan> SeedIndex::span_of(std::uint64_t index) const {
  const Result<std::string> entry = file_->read(index * kSeedEntryBytes, kSeedEntryBytes);
  if (!entry) return std::unexpected(entry.error());
  const std::uint64_t packed = from_little_endian(*entry);
  const TextSpan span{packed >> kSizeBits, packed & kSizeMask};
  if (span.begin + span.size > summary_.object_bytes)
    return no_index("row " + std::to_string(index + 1) + " would end behind the object");
  return span;
}

SeedIndexer::SeedIndexer(SeedFormat format, std::unique_ptr<SpoolFile> file)
    : file_(std::move(file)), reader_(make_row_reader(format, *this)) {
  summary_.format = format;
}

Status SeedIndexer::take(std::string_view bytes, bool is_last) {
  summary_.object_bytes += bytes.size();
  return read_piece(check_, *reader_, bytes, is_last);
}

Result<SeedIndex> SeedIndexer::finish() {
  if (Status finished = reader_->finish(); !finished) return std::unexpected(finished.error());
  summary_.sha256 = check_.sha256_hex();
  const std::string trailer = seed_trailer(summary_);
  Status written = file_->append(trailer);
  if (written) written = file_->flush();
  if (!written) return std::unexpected(written.error());
  const std::uint64_t bytes = summary_.rows * kSeedEntryBytes + trailer.size();
  return SeedIndex::open(std::move(file_), bytes, summary_.format, summary_.object_bytes);
}

Status SeedIndexer::add(std::string_view) {
  return fail(ErrorKind::internal, "a row came without its place in the object");
}

Status SeedIndexer::add_from(std::string_view row, TextSpan span) {
  if (Status allowed = check_row(row.size(), summary_.rows); !allowed) return allowed;
  if (head_bytes_ < kHeadBytes) {
    head_bytes_ += std::max<std::uint64_t>(row.size(), span.size);
    ++summary_.head_rows;
  }
  ++summary_.rows;
  return file_->append(seed_entry(span));
}

}  // namespace palette::dataset
