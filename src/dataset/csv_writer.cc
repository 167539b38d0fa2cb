#include "dataset/csv_writer.h"

#include <fmt/format.h>

#include <vector>

namespace palette::dataset {
namespace {

constexpr std::string_view kNeedsQuotes = "\",\n\r";

// Appends a text as a field; an empty text gets quotes, because an empty field without them is null.
void append_field(std::string& out, std::string_view text) {
  if (!text.empty() && text.find_first_of(kNeedsQuotes) == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (std::size_t quote; (quote = text.find('"')) != std::string_view::npos; text.remove_prefix(quote + 1)) {
    out.append(text, 0, quote + 1);
    out += '"';
  }
  out += text;
  out += '"';
}

class CsvWriter final : public DatasetWriter {
 public:
  CsvWriter(std::unique_ptr<FileSink> sink, const Schema& schema) : sink_(std::move(sink)), columns_(schema.size()) {}

  Status write_header(const Schema& schema) {
    text_.clear();
    for (const Column& column : schema) {
      if (!text_.empty()) text_ += ',';
      append_field(text_, column.name);
    }
    text_ += '\n';
    return sink_->write(text_);
  }

  Status append(std::span<const Cell> row, std::string_view) override {
    if (row.size() != columns_) {
      return fail(ErrorKind::internal,
                  fmt::format("a row has {} cells, but the dataset has {} columns", row.size(), columns_));
    }
    text_.clear();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text_ += ',';
      append_cell(row[i]);
    }
    if (text_.empty() && !row.empty()) text_ = "\"\"";  // one column, null: a blank line would be skipped by readers
    text_ += '\n';
    return sink_->write(text_);
  }

  Status finish() override { return sink_->finish(); }

 private:
  void append_cell(const Cell& cell) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
      append_field(text_, *text);
    } else if (const auto* value = std::get_if<const Json*>(&cell)) {
      append_value(**value);
    }
  }

  void append_value(const Json& value) {
    if (value.is_null()) return;
    if (value.is_string()) return append_field(text_, value.get_string());
    json_.clear();
    append_json(json_, value);
    append_field(text_, json_);
  }

  std::unique_ptr<FileSink> sink_;
  std::size_t columns_;
  std::string text_;  // one line
  std::string json_;  // one value
};

}  // namespace

Result<std::unique_ptr<DatasetWriter>> open_csv_writer(std::unique_ptr<FileSink> sink, const Schema& schema) {
  auto writer = std::make_unique<CsvWriter>(std::move(sink), schema);
  if (Status written = writer->write_header(schema); !written) return std::unexpected(written.error());
  return writer;
}

}  // namespace palette::dataset
