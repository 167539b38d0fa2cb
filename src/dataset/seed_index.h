// Where each row of a large object of seed data stands: what one pass through the object finds, kept as an object of
// its own. All integers are little-endian:
//
//   index   = *entry trailer size magic
//   entry   = u64                 ; begin << 21 | size: a row's own text, in bytes of the object
//   trailer = JSON text of {"format", "object_bytes", "rows", "sha256", "head_rows", "header": [names]}
//   size    = u32                 ; bytes of the trailer
//   magic   = "PALSEED1"
//
// `sha256` is the object's, `header` a CSV file's, and `head_rows` how many rows are kept at hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/seed_readers.h"
#include "dataset/spool_file.h"

namespace palette::dataset {

// What is known of the object beside the rows' places.
struct SeedSummary {
  SeedFormat format = SeedFormat::jsonl;
  std::uint64_t object_bytes = 0;
  std::uint64_t rows = 0;
  std::string sha256;
  std::uint64_t head_rows = 0;
  std::vector<std::string> header;
  bool operator==(const SeedSummary&) const = default;
};

inline constexpr std::uint64_t kSeedEntryBytes = 8;

// The entry of a row. A row has at most limits::kSeedRowBytesMax bytes, an object at most 8 TiB.
std::string seed_entry(TextSpan span);
// What follows the last entry.
std::string seed_trailer(const SeedSummary& summary);

class SeedIndex {
 public:
  // `file` has the whole index, `bytes` long. corrupt when it is none, or is of other data than `format` and
  // `object_bytes`.
  static Result<SeedIndex> open(std::unique_ptr<SpoolFile> file, std::uint64_t bytes, SeedFormat format,
                                std::uint64_t object_bytes);

  const SeedSummary& summary() const { return summary_; }

  // Of the row `index` of [0, rows). A blocking read of 8 bytes. Errors: io; corrupt for a place outside of the object.
  Result<TextSpan> span_of(std::uint64_t index) const;

 private:
  SeedIndex(std::unique_ptr<SpoolFile> file, SeedSummary summary)
      : file_(std::move(file)), summary_(std::move(summary)) {}

  std::unique_ptr<SpoolFile> file_;
  SeedSummary summary_;
};

// The pass: text of the object in, entries into a file. Blocking.
class SeedIndexer final : private RowSink {
 public:
  // The rows at hand: the first ones, up to so many bytes of their text.
  static constexpr std::uint64_t kHeadBytes = 1024 * 1024;

  // `file` gets the index.
  SeedIndexer(SeedFormat format, std::unique_ptr<SpoolFile> file);

  // The bytes that follow. Errors: bad_input, as of SeedData::open, without the object's name; io.
  Status take(std::string_view bytes, bool is_last);
  // After the last ones: the index, whole.
  Result<SeedIndex> finish();

  SpoolFile& file() { return *file_; }

 private:
  Status add(std::string_view row) override;
  Status add_from(std::string_view row, TextSpan span) override;
  void note_header(const std::vector<std::string>& names) override { summary_.header = names; }
  std::uint64_t count() const override { return summary_.rows; }

  std::unique_ptr<SpoolFile> file_;
  SeedSummary summary_;
  TextCheck check_;
  std::unique_ptr<RowReader> reader_;
  std::uint64_t head_bytes_ = 0;
};

}  // namespace palette::dataset
