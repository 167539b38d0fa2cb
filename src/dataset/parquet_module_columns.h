// From a dataset's columns to Arrow's: types, and values put into builders.
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "dataset/dataset_writer.h"

namespace palette::dataset {

std::shared_ptr<arrow::DataType> arrow_type(const ColumnType& type);

// Appends one cell and adds the bytes it takes to `bytes`. Invalid when the value does not have the column's type.
arrow::Status append_cell(arrow::ArrayBuilder& builder, const ColumnType& type, const Cell& cell, std::size_t& bytes);

// The first line of Arrow's message, as an error of `kind`.
Error error_of(const arrow::Status& status, ErrorKind kind);

}  // namespace palette::dataset
