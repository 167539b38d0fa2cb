// Rows of seed data as JSON text: in memory up to a limit, else in a spool file with an index of where each row ends,
// which is in a spool file too, so that memory does not depend on the number of rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "dataset/row_sink.h"
#include "dataset/spool_file.h"

namespace palette::dataset {

class RowStore final : public RowSink {
 public:
  explicit RowStore(std::filesystem::path spool_dir, std::size_t memory_bytes_max = limits::kSeedMemoryBytes)
      : spool_dir_(std::move(spool_dir)), memory_bytes_max_(memory_bytes_max) {}

  Status add(std::string_view row) override;
  std::uint64_t count() const override { return count_; }

  // After the last row and before the first read.
  Status finish();

  // Row `index` of [0, count()); thread-safe. Errors: io; internal when there is no such row.
  Result<std::string> row(std::uint64_t index) const;

  bool is_spooled() const { return spool_ != nullptr; }

 private:
  Status spill();

  std::filesystem::path spool_dir_;
  std::size_t memory_bytes_max_;
  std::uint64_t count_ = 0;
  std::uint64_t size_ = 0;  // bytes of all rows
  std::string text_;
  std::vector<std::uint64_t> ends_;   // of row i in text_
  std::unique_ptr<SpoolFile> spool_;  // instead of text_
  std::unique_ptr<SpoolFile> index_;  // instead of ends_: 0, then the end of each row
};

}  // namespace palette::dataset
