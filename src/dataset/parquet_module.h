// The border between the program and lib/libpalette_parquet.so, the only code that is linked against Arrow. The module
// is compiled with the program, by the same compiler; it is a library of its own only so that a start that needs no
// Parquet does not load 60 MB. Nothing here but the loader (parquet_file.cc) and the module includes this header.
#pragma once

#include <filesystem>
#include <memory>

#include "dataset/dataset_writer.h"
#include "dataset/row_sink.h"

namespace palette::dataset {

class ParquetModule {
 public:
  virtual ~ParquetModule() = default;
  // Writes to a copy of `descriptor`; `finish` writes the footer and neither fsyncs nor closes `descriptor`.
  virtual Result<std::unique_ptr<DatasetWriter>> open_writer(int descriptor, const Schema& schema) = 0;
  // Every row of the file as JSON text. Errors: bad_input.
  virtual Status read_rows(const std::filesystem::path& file, RowSink& rows) = 0;
};

// The one symbol of the module; never null, lives as long as the process.
inline constexpr char kParquetModuleEntry[] = "palette_parquet_module_1";
using ParquetModuleEntry = ParquetModule* (*)();

}  // namespace palette::dataset
