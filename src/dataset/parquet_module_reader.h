// Reads Parquet as rows of JSON text, a few hundred rows at a time.
#pragma once

#include <filesystem>

#include "dataset/row_sink.h"

namespace palette::dataset {

Status read_parquet_rows(const std::filesystem::path& file, RowSink& rows);

}  // namespace palette::dataset
