// Writes Parquet: zstd, row groups of about limits::kParquetRowGroupBytes.
#pragma once

#include <memory>

#include "dataset/dataset_writer.h"

namespace palette::dataset {

// Writes to a copy of `descriptor`.
Result<std::unique_ptr<DatasetWriter>> make_parquet_writer(int descriptor, const Schema& schema);

}  // namespace palette::dataset
