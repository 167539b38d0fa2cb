#include "dataset/parquet_file.h"

#include <dlfcn.h>

#include <system_error>

#include "dataset/parquet_module.h"

namespace palette::dataset {
namespace {

constexpr int kFoldersAbove = 4;

Result<ParquetModule*> open_module() {
  std::error_code ec;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (ec) return fail(ErrorKind::internal, "cannot find the program's own file: " + ec.message(), "/proc/self/exe");
  const auto file = find_parquet_module(executable);
  if (!file) return std::unexpected(file.error());
  // Never closed: Arrow starts threads and keeps them.
  void* library = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(ErrorKind::internal, std::string("the Parquet module cannot be loaded: ") + ::dlerror(),
                file->string());
  }
  const auto entry = reinterpret_cast<ParquetModuleEntry>(::dlsym(library, kParquetModuleEntry));
  if (entry == nullptr) {
    return fail(ErrorKind::internal, "the Parquet module is of another version of the program; install both again",
                file->string());
  }
  return entry();
}

const Result<ParquetModule*>& module() {
  static const Result<ParquetModule*> loaded = open_module();
  return loaded;
}

// The module writes the bytes; that they are durable is the sink's matter.
class ParquetWriter final : public DatasetWriter {
 public:
  ParquetWriter(std::unique_ptr<FileSink> sink, std::unique_ptr<DatasetWriter> rows)
      : sink_(std::move(sink)), rows_(std::move(rows)) {}

  Status append(std::span<const Cell> row, std::string_view line) override { return rows_->append(row, line); }

  Status finish() override {
    if (Status written = rows_->finish(); !written) return written;
    rows_.reset();
    return sink_->finish();
  }

 private:
  std::unique_ptr<FileSink> sink_;
  std::unique_ptr<DatasetWriter> rows_;
};

}  // namespace

Result<std::filesystem::path> find_parquet_module(const std::filesystem::path& executable) {
  std::filesystem::path folder = executable.parent_path();
  for (int level = 0; level <= kFoldersAbove; ++level, folder = folder.parent_path()) {
    auto file = folder / "lib" / "libpalette_parquet.so";
    std::error_code ec;
    if (std::filesystem::exists(file, ec)) return file;
  }
  return fail(
      ErrorKind::internal,
      "Parquet needs lib/libpalette_parquet.so in the folder of the program or above it; it was not found: copy the "
      "whole folder of the program, or build it again",
      executable.string());
}

Status load_parquet_module() {
  if (!module()) return std::unexpected(module().error());
  return {};
}

Result<std::unique_ptr<DatasetWriter>> open_parquet_writer(std::unique_ptr<FileSink> sink, const Schema& schema) {
  if (!module()) return std::unexpected(module().error());
  auto rows = (*module())->open_writer(sink->descriptor(), schema);
  if (!rows) return std::unexpected(rows.error());
  return std::make_unique<ParquetWriter>(std::move(sink), std::move(*rows));
}

Status read_parquet(const std::filesystem::path& file, RowSink& rows) {
  if (!module()) return std::unexpected(module().error());
  return (*module())->read_rows(file, rows);
}

}  // namespace palette::dataset
