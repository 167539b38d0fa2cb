#include "dataset/dataset_writer.h"

#include "dataset/csv_writer.h"
#include "dataset/file_sink.h"
#include "dataset/parquet_file.h"

namespace palette::dataset {
namespace {

class JsonlWriter final : public DatasetWriter {
 public:
  explicit JsonlWriter(std::unique_ptr<FileSink> sink) : sink_(std::move(sink)) {}

  Status append(std::span<const Cell>, std::string_view line) override {
    if (Status written = sink_->write(line); !written) return written;
    return sink_->write("\n");
  }

  Status finish() override { return sink_->finish(); }

 private:
  std::unique_ptr<FileSink> sink_;
};

}  // namespace

Result<std::unique_ptr<DatasetWriter>> open_dataset_writer(job::OutputFormat format, const std::filesystem::path& file,
                                                           const Schema& schema) {
  // Before the file is made: without the module there shall be no empty file.
  if (format == job::OutputFormat::parquet) {
    if (Status loaded = load_parquet_module(); !loaded) return std::unexpected(loaded.error());
  }
  auto sink = FileSink::create(file);
  if (!sink) return std::unexpected(sink.error());
  switch (format) {
    case job::OutputFormat::jsonl:
      return std::make_unique<JsonlWriter>(std::move(*sink));
    case job::OutputFormat::parquet:
      return open_parquet_writer(std::move(*sink), schema);
    case job::OutputFormat::csv:
      return open_csv_writer(std::move(*sink), schema);
  }
  return fail(ErrorKind::internal, "unknown output format");
}

}  // namespace palette::dataset
