// Parquet through lib/libpalette_parquet.so, which is loaded at the first use and stays.
#pragma once

#include <filesystem>
#include <memory>

#include "dataset/dataset_writer.h"
#include "dataset/file_sink.h"
#include "dataset/row_sink.h"

namespace palette::dataset {

// Errors: internal, saying where the module was looked for.
Status load_parquet_module();

Result<std::unique_ptr<DatasetWriter>> open_parquet_writer(std::unique_ptr<FileSink> sink, const Schema& schema);

// Every row of the file, in order, as JSON text. Errors: bad_input.
Status read_parquet(const std::filesystem::path& file, RowSink& rows);

// lib/libpalette_parquet.so in the folder of the executable or in one of the four above it: beside the program in
// build/release/, above the tests in build/release/src/…/.
Result<std::filesystem::path> find_parquet_module(const std::filesystem::path& executable);

}  // namespace palette::dataset
