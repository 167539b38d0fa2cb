#include "dataset/parquet_module.h"

#include "dataset/parquet_module_reader.h"
#include "dataset/parquet_module_writer.h"

namespace palette::dataset {
namespace {

class ArrowModule final : public ParquetModule {
 public:
  Result<std::unique_ptr<DatasetWriter>> open_writer(int descriptor, const Schema& schema) override {
    return make_parquet_writer(descriptor, schema);
  }
  Status read_rows(const std::filesystem::path& file, RowSink& rows) override { return read_parquet_rows(file, rows); }
};

}  // namespace
}  // namespace palette::dataset

extern "C" __attribute__((visibility("default"))) palette::dataset::ParquetModule* palette_parquet_module_1() {
  static palette::dataset::ArrowModule module;
  return &module;
}
