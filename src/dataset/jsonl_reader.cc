#include "base/limits.h"
#include "dataset/seed_readers.h"

namespace palette::dataset {
namespace {

class LineReader final : public RowReader {
 public:
  explicit LineReader(RowSink& rows) : rows_(rows) {}

  Status take(std::string_view piece, std::uint64_t offset) override {
    while (!piece.empty()) {
      if (line_.empty()) begin_ = offset;
      const std::size_t end = std::min(piece.find('\n'), piece.size());
      line_ += piece.substr(0, end);
      if (line_.size() > limits::kSeedRowBytesMax) {
        return fail_at({number_, 1}, row_too_large(rows_.count() + 1).message);
      }
      if (end == piece.size()) return {};
      piece.remove_prefix(end + 1);
      offset += end + 1;
      if (Status added = end_line(); !added) return added;
    }
    return {};
  }

  Status finish() override {
    const bool anything = number_ > 1 || !line_.empty();
    if (Status added = end_line(); !added) return added;
    if (rows_.count() > 0) return {};
    if (anything) {
      return fail(ErrorKind::bad_input, "this file has no rows: every line is blank; add one JSON object a line");
    }
    return fail(ErrorKind::bad_input, "this file is empty; it must hold one JSON object a line");
  }

 private:
  Status end_line() {
    const Position place{number_++, 1};
    const bool blank = line_.find_first_not_of(" \t\r") == std::string::npos;
    Status added = blank ? Status{}
                         : add_json_row(line_, place, {begin_, line_.size()},
                                        "; in JSONL each line is one whole JSON object", rows_);
    line_.clear();
    return added;
  }

  RowSink& rows_;
  std::string line_;
  std::uint64_t begin_ = 0;  // of the line
  std::uint32_t number_ = 1;
};

}  // namespace

std::unique_ptr<RowReader> make_jsonl_reader(RowSink& rows) { return std::make_unique<LineReader>(rows); }

}  // namespace palette::dataset
