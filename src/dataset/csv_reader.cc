#include <fmt/format.h>

#include <map>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "dataset/seed_readers.h"

namespace palette::dataset {
namespace {

// RFC 4180, section 2:
//   file   = header CRLF *(record CRLF)        CRLF may be LF; the last one may be missing
//   record = field *("," field)
//   field  = *text  /  DQUOTE *(text / "," / CR / LF / DQUOTE DQUOTE) DQUOTE
class RecordReader final : public RowReader {
 public:
  explicit RecordReader(RowSink& rows) : rows_(rows) {}

  Status take(std::string_view text, std::uint64_t offset) override {
    for (const char c : text) {
      after_ = ++offset;
      if (Status taken = take_byte(c); !taken) return taken;
    }
    return {};
  }

  Status finish() override {
    if (state_ == State::quoted) {
      return fail_at(quote_place_,
                     "the quote that opens here is not closed; a quote inside a quoted field is written twice");
    }
    if (field_count_ > 0 || !field().empty() || state_ != State::field_start) {
      if (Status ended = end_record(); !ended) return ended;
    }
    if (keys_.empty())
      return fail(ErrorKind::bad_input, "this file is empty; it must hold a header and at least one row");
    if (rows_.count() == 0) {
      return fail(ErrorKind::bad_input, "this file has no rows: there is only a header; add at least one row below it");
    }
    return {};
  }

 private:
  enum class State { field_start, plain, quoted, quote_seen, return_seen };

  Status take_byte(char c) {
    if (++record_bytes_ > limits::kSeedRowBytesMax) return too_large();
    Status status = step(c);
    here_.pass(c);
    if (at_record_start_) {
      record_start_ = here_;
      record_bytes_ = 0;
      at_record_start_ = false;
    }
    return status;
  }

  Status step(char c) {
    switch (state_) {
      case State::quoted:
        if (c == '"') {
          state_ = State::quote_seen;
        } else {
          field() += c;
        }
        return {};
      case State::quote_seen:
        return after_quote(c);
      case State::return_seen:
        if (c == '\n') return end_record();
        return fail_at(here_, "expected a line feed after the carriage return that follows a quoted field");
      case State::field_start:
        if (c == '"') {
          state_ = State::quoted;
          quote_place_ = here_;
          return {};
        }
        [[fallthrough]];
      case State::plain:
        return plain(c);
    }
    return {};
  }

  Status plain(char c) {
    state_ = State::plain;
    if (c == ',') {
      end_field();
    } else if (c == '\n') {
      return end_record();
    } else {
      field() += c;
    }
    return {};
  }

  Status after_quote(char c) {
    if (c == '"') {
      field() += c;
      state_ = State::quoted;
    } else if (c == ',') {
      end_field();
    } else if (c == '\r') {
      state_ = State::return_seen;
    } else if (c == '\n') {
      return end_record();
    } else {
      return fail_at(here_,
                     "expected ',' or the end of the line after a quoted field; a quote inside it is written twice");
    }
    return {};
  }

  std::string& field() {
    if (fields_.size() == field_count_) fields_.emplace_back();
    return fields_[field_count_];
  }

  void end_field() {
    field();
    ++field_count_;
    field().clear();
    state_ = State::field_start;
  }

  Status end_record() {
    if (state_ == State::plain && field().ends_with('\r')) field().pop_back();
    const bool blank = field_count_ == 0 && state_ == State::plain && field().empty();
    end_field();
    Status status;
    if (!blank) status = keys_.empty() ? set_header() : add_record();
    field_count_ = 0;
    field().clear();
    at_record_start_ = true;
    return status;
  }

  Status set_header() {
    std::map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < field_count_; ++i) {
      if (fields_[i].empty()) {
        return fail_at(record_start_, fmt::format("column {} of the header has no name; give it one", i + 1));
      }
      const auto [entry, added] = seen.emplace(fields_[i], i);
      if (!added) {
        return fail_at(record_start_, fmt::format("the header has '{}' twice, in columns {} and {}; names must differ",
                                                  fields_[i], entry->second + 1, i + 1));
      }
      std::string key;
      append_json_string(key, fields_[i]);
      keys_.push_back(key + ':');
    }
    rows_.note_header({fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(field_count_)});
    return {};
  }

  Status add_record() {
    if (field_count_ != keys_.size()) {
      return fail_at(
          record_start_,
          fmt::format("this record has {} field{}, but the header has {}; a field with a comma or a line break "
                      "needs quotes",
                      field_count_, field_count_ == 1 ? "" : "s", keys_.size()));
    }
    row_ = '{';
    for (std::size_t i = 0; i < field_count_; ++i) {
      if (i > 0) row_ += ',';
      row_ += keys_[i];
      append_json_string(row_, fields_[i]);
    }
    row_ += '}';
    Status added = rows_.add_from(row_, {after_ - record_bytes_, record_bytes_});
    if (!added && added.error().kind == ErrorKind::bad_input) return fail_at(record_start_, added.error().message);
    return added;
  }

  // A quote that is never closed makes a record seem endless.
  Status too_large() {
    if (state_ != State::quoted) return fail_at(record_start_, row_too_large(rows_.count() + 1).message);
    return fail_at(quote_place_,
                   fmt::format("the quote that opens here is not closed within {} bytes, the limit of a seed "
                               "row; a quote inside a quoted field is written twice",
                               limits::kSeedRowBytesMax));
  }

  RowSink& rows_;
  State state_ = State::field_start;
  Position here_;
  Position record_start_;
  Position quote_place_;
  bool at_record_start_ = false;
  std::uint64_t after_ = 0;          // the byte behind the one that was read last, of the whole
  std::size_t record_bytes_ = 0;     // with the end of its line
  std::vector<std::string> keys_;    // as JSON: "name":
  std::vector<std::string> fields_;  // reused; field_count_ are complete
  std::size_t field_count_ = 0;
  std::string row_;
};

}  // namespace

std::unique_ptr<RowReader> make_csv_reader(RowSink& rows) { return std::make_unique<RecordReader>(rows); }

}  // namespace palette::dataset
