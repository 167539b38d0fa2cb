// Seed data whose rows are all read and kept: in memory, or in a spool file.
#pragma once

#include <filesystem>
#include <string_view>

#include "dataset/row_source.h"
#include "dataset/row_store.h"
#include "dataset/seed_data.h"
#include "dataset/seed_readers.h"

namespace palette::dataset {

class StoredRows final : public RowSource {
 public:
  explicit StoredRows(RowStore rows) : rows_(std::move(rows)) {}

  std::uint64_t count() const override { return rows_.count(); }
  Result<std::string> row(std::uint64_t index) const override { return rows_.row(index); }

 private:
  RowStore rows_;
};

// Reads and checks the whole. Blocking. Errors: as of SeedData::open, without the file's name.
Result<SeedData> read_seed_file(const std::filesystem::path& file, SeedFormat format,
                                const std::filesystem::path& spool_dir);
// The same of text in memory.
Result<SeedData> read_seed_text(std::string_view text, SeedFormat format, const std::filesystem::path& spool_dir);

}  // namespace palette::dataset
