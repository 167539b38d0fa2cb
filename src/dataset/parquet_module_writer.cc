#include "dataset/parquet_module_writer.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <cerrno>
#include <unordered_set>

#include "base/limits.h"
#include "dataset/parquet_module_columns.h"

namespace palette::dataset {
namespace {

// Rows are gathered up to these, then encoded and compressed; of a row group only the compressed pages stay in memory.
constexpr std::size_t kBatchBytes = 1 * limits::kMiB;
constexpr std::int64_t kBatchRows = 16 * 1024;
constexpr std::int64_t kPageBytes = 1 * limits::kMiB;
constexpr std::int64_t kDictionaryBytes = 128 * limits::kKiB;
// Its window of 2 MiB sees the same seed row again; level 1 has 512 KiB and gives files of twice the size.
constexpr int kZstdLevel = 3;
// A dictionary pays when a value comes about so often; it is decided by the first batch.
constexpr std::size_t kDictionaryRepeats = 4;

bool repeats(const arrow::StringArray& column) {
  std::unordered_set<std::string_view> values;
  for (std::int64_t i = 0; i < column.length(); ++i) values.insert(column.GetView(i));
  return values.size() * kDictionaryRepeats <= static_cast<std::size_t>(column.length());
}

std::shared_ptr<parquet::WriterProperties> properties_for(const Schema& schema, const arrow::RecordBatch& first,
                                                          arrow::MemoryPool* pool) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(pool)
      ->compression(parquet::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->data_pagesize(kPageBytes)
      ->dictionary_pagesize_limit(kDictionaryBytes)
      ->disable_dictionary();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const ColumnKind kind = schema[i].type.kind;
    if (kind == ColumnKind::json_text) builder.disable_statistics(schema[i].name);
    const auto& column = *first.column(static_cast<int>(i));
    if (kind == ColumnKind::string && repeats(static_cast<const arrow::StringArray&>(column))) {
      builder.enable_dictionary(schema[i].name);
    }
  }
  return builder.build();
}

class RowGroupWriter final : public DatasetWriter {
 public:
  // Arrow's own default pool keeps freed memory for itself.
  explicit RowGroupWriter(Schema schema) : schema_(std::move(schema)), pool_(arrow::system_memory_pool()) {}

  Status open(int descriptor) {
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return std::unexpected(system_error("fcntl", "the Parquet file", errno));
    return guarded([&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(file_, arrow::io::FileOutputStream::Open(copy));
      arrow::FieldVector fields;
      for (const Column& column : schema_) {
        auto type = arrow_type(column.type);
        ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type, pool_));
        builders_.push_back(std::move(builder));
        fields.push_back(arrow::field(column.name, std::move(type)));
      }
      arrow_schema_ = arrow::schema(std::move(fields));
      return arrow::Status::OK();
    });
  }

  Status append(std::span<const Cell> row, std::string_view) override {
    if (row.size() != schema_.size()) {
      return fail(ErrorKind::internal,
                  fmt::format("a row has {} cells, but the dataset has {} columns", row.size(), schema_.size()));
    }
    if (half_row_) return refused();
    half_row_ = true;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const arrow::Status added = append_cell(*builders_[i], schema_[i].type, row[i], batch_bytes_);
      if (!added.ok()) {
        Error error = error_of(added, ErrorKind::internal);
        error.message = "column '" + schema_[i].name + "': " + error.message;
        return std::unexpected(error);
      }
    }
    half_row_ = false;
    ++batch_rows_;
    if (batch_bytes_ < kBatchBytes && batch_rows_ < kBatchRows) return {};
    return guarded([&] { return write_batch(); });
  }

  Status finish() override {
    if (half_row_) return refused();
    return guarded([&]() -> arrow::Status {
      if (batch_rows_ > 0 || !writer_) ARROW_RETURN_NOT_OK(write_batch());
      ARROW_RETURN_NOT_OK(writer_->Close());
      return file_->Close();
    });
  }

 private:
  static Status refused() {
    return fail(ErrorKind::internal, "a row was refused before; the Parquet file cannot be finished");
  }

  // Arrow's status and Parquet's exceptions as an error.
  template <class Work>
  Status guarded(Work work) {
    arrow::Status status;
    try {
      status = work();
    } catch (const std::exception& exception) {
      return fail(ErrorKind::io, std::string("Parquet: ") + exception.what());
    }
    if (status.ok()) return {};
    return std::unexpected(error_of(status, ErrorKind::io));
  }

  arrow::Status write_batch() {
    arrow::ArrayVector columns;
    for (auto& builder : builders_) {
      ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
      columns.push_back(std::move(column));
    }
    const auto batch = arrow::RecordBatch::Make(arrow_schema_, batch_rows_, std::move(columns));
    if (!writer_) {
      ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(*arrow_schema_, pool_, file_,
                                                                      properties_for(schema_, *batch, pool_)));
    }
    if (group_bytes_ >= limits::kParquetRowGroupBytes) {
      ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      group_bytes_ = 0;
    }
    if (batch_rows_ > 0) ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(*batch));
    group_bytes_ += batch_bytes_;
    batch_bytes_ = 0;
    batch_rows_ = 0;
    return arrow::Status::OK();
  }

  Schema schema_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;  // opened with the first batch
  bool half_row_ = false;                               // a row was refused: the columns have different lengths
  std::int64_t batch_rows_ = 0;
  std::size_t batch_bytes_ = 0;
  std::size_t group_bytes_ = 0;  // of the current row group, uncompressed
};

}  // namespace

Result<std::unique_ptr<DatasetWriter>> make_parquet_writer(int descriptor, const Schema& schema) {
  auto writer = std::make_unique<RowGroupWriter>(schema);
  if (Status opened = writer->open(descriptor); !opened) return std::unexpected(opened.error());
  return writer;
}

}  // namespace palette::dataset
