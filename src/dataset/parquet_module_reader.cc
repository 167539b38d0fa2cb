#include "dataset/parquet_module_reader.h"

#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include <set>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "dataset/parquet_module_columns.h"
#include "dataset/parquet_module_values.h"

namespace palette::dataset {
namespace {

constexpr std::int64_t kBatchRows = 256;
constexpr std::int64_t kReadBytes = 256 * limits::kKiB;

std::unexpected<Error> not_readable(const std::string& reason) {
  return fail(ErrorKind::bad_input, "this file cannot be read as Parquet: " + reason.substr(0, reason.find('\n')));
}

// Only pages are held, never a whole row group: somebody else's may be of any size.
arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> open_reader(const std::filesystem::path& file) {
  arrow::MemoryPool* pool = arrow::system_memory_pool();
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(file.string(), pool));
  parquet::ReaderProperties properties(pool);
  properties.enable_buffered_stream();
  properties.set_buffer_size(kReadBytes);
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(input), properties));
  return builder.memory_pool(pool)->properties(arrow_properties)->Build();
}

class BatchText {
 public:
  explicit BatchText(RowSink& rows) : rows_(rows) {}

  Status set_schema(const arrow::Schema& schema) {
    std::set<std::string> names;
    for (const auto& field : schema.fields()) {
      if (find_invalid_utf8(field->name()) != std::string_view::npos) {
        return fail(ErrorKind::bad_input, "the name of a column is not valid UTF-8; rename it");
      }
      if (!names.insert(field->name()).second) {
        return fail(ErrorKind::bad_input,
                    fmt::format("the column '{}' is there twice; names must differ", field->name()));
      }
      if (const arrow::DataType* type = type_without_json(*field->type())) {
        return fail(ErrorKind::bad_input,
                    fmt::format("the column '{}' has the type {}, which has no JSON form; convert it "
                                "to text or leave it out",
                                field->name(), type->ToString()));
      }
      std::string key;
      append_json_string(key, field->name());
      keys_.push_back(key + ':');
    }
    return {};
  }

  Status add(const arrow::RecordBatch& batch) {
    for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
      row_ = '{';
      for (int column = 0; column < batch.num_columns(); ++column) {
        if (column > 0) row_ += ',';
        row_ += keys_[static_cast<std::size_t>(column)];
        if (Status added = append_json(row_, *batch.column(column), i); !added) {
          return fail(ErrorKind::bad_input, fmt::format("row {}, column '{}': {}", rows_.count() + 1,
                                                        batch.column_name(column), added.error().message));
        }
      }
      row_ += '}';
      if (Status added = rows_.add(row_); !added) return added;
    }
    return {};
  }

 private:
  RowSink& rows_;
  std::vector<std::string> keys_;  // as JSON: "name":
  std::string row_;
};

Status read_all(const std::filesystem::path& file, RowSink& rows) {
  auto reader = open_reader(file);
  if (!reader.ok()) return not_readable(reader.status().message());
  std::shared_ptr<arrow::Schema> schema;
  if (const auto read = (*reader)->GetSchema(&schema); !read.ok()) return not_readable(read.message());
  BatchText text(rows);
  if (Status checked = text.set_schema(*schema); !checked) return checked;
  auto batches = (*reader)->GetRecordBatchReader();
  if (!batches.ok()) return not_readable(batches.status().message());
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const auto read = (*batches)->ReadNext(&batch); !read.ok()) return not_readable(read.message());
    if (!batch) return {};
    if (Status added = text.add(*batch); !added) return added;
  }
}

}  // namespace

Status read_parquet_rows(const std::filesystem::path& file, RowSink& rows) {
  try {
    return read_all(file, rows);
  } catch (const std::exception& exception) {
    return not_readable(exception.what());
  }
}

}  // namespace palette::dataset
