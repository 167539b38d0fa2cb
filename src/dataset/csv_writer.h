// The CSV form of a dataset; dataset_writer.h says what it looks like.
#pragma once

#include <memory>

#include "dataset/dataset_writer.h"
#include "dataset/file_sink.h"

namespace palette::dataset {

// Writes the header at once.
Result<std::unique_ptr<DatasetWriter>> open_csv_writer(std::unique_ptr<FileSink> sink, const Schema& schema);

}  // namespace palette::dataset
