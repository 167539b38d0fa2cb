#include <fmt/format.h>

#include "base/json.h"
#include "base/limits.h"
#include "dataset/seed_readers.h"
#include "job/json_complaint.h"

namespace palette::dataset {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A byte in a message; half a character is not shown.
std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7F ? fmt::format("'{}'", c) : std::string("another character");
}

// Where something at (line, column) of a text is, when the text begins at `start`.
Position inside(Position start, std::uint32_t line, std::uint32_t column) {
  if (line <= 1) return {start.line, start.column + column - 1};
  return {start.line + line - 1, column};
}

// Cuts the file into its rows by following brackets and strings; the rows themselves are checked by the parser. So only
// one row is in memory, however long the array is.
class RowScanner final : public RowReader {
 public:
  explicit RowScanner(RowSink& rows) : rows_(rows) {}

  Status take(std::string_view text, std::uint64_t offset) override {
    for (const char c : text) {
      at_ = offset++;
      Status status = step(c);
      here_.pass(c);
      if (!status) return status;
    }
    return {};
  }

  Status finish() override {
    switch (state_) {
      case State::start:
        return fail(ErrorKind::bad_input, "this file is empty; it must hold an object or an array of objects");
      case State::element:
        if (Status added = add_row(); !added) return added;
        return fail_at(here_, "the array that opens the file is not closed; expected ',' or ']'");
      case State::single:
        return add_row();
      case State::before_element:
      case State::after_comma:
        return fail_at(here_, "the array that opens the file is not closed; expected an object or ']'");
      case State::end:
        if (rows_.count() > 0) return {};
        return fail(ErrorKind::bad_input, "this file has no rows: the array is empty; add at least one object");
    }
    return {};
  }

 private:
  enum class State { start, before_element, after_comma, element, single, end };

  Status step(char c) {
    if (state_ == State::element || state_ == State::single) return inside_row(c);
    if (is_blank(c)) return {};
    switch (state_) {
      case State::start:
        return first(c);
      case State::before_element:
      case State::after_comma:
        return next_element(c);
      case State::end:
        return fail_at(
            here_,
            "the file goes on after its JSON value; rows belong into one array, or, one object a line, into a "
            "file named .jsonl");
      case State::element:
      case State::single:
        break;
    }
    return {};
  }

  Status first(char c) {
    if (c == '[') {
      state_ = State::before_element;
      return {};
    }
    if (c != '{') return fail_at(here_, fmt::format("expected an object or an array of objects, found {}", shown(c)));
    return begin_row(c, State::single);
  }

  Status next_element(char c) {
    if (c == ']' && state_ == State::before_element) {
      state_ = State::end;
      return {};
    }
    if (c == ']') return fail_at(here_, "found ']' after a comma; remove the comma");
    if (c == ',') return fail_at(here_, fmt::format("expected an object, found {}", shown(c)));
    return begin_row(c, State::element);
  }

  Status begin_row(char c, State state) {
    state_ = state;
    row_.clear();
    row_start_ = here_;
    row_begin_ = at_;
    depth_ = 0;
    in_string_ = escaped_ = closed_ = false;
    return inside_row(c);
  }

  Status inside_row(char c) {
    if (state_ == State::element && depth_ == 0 && !in_string_ && (c == ',' || c == ']')) {
      state_ = c == ',' ? State::after_comma : State::end;
      return add_row();
    }
    if (state_ == State::element && closed_ && !is_blank(c)) {
      return fail_at(here_, fmt::format("expected ',' or ']' after a row, found {}", shown(c)));
    }
    row_ += c;
    if (row_.size() > limits::kSeedRowBytesMax) return too_large();
    follow(c);
    if (state_ == State::single && depth_ == 0 && !in_string_) {
      state_ = State::end;
      return add_row();
    }
    return {};
  }

  Status add_row() { return add_json_row(row_, row_start_, {row_begin_, row_.size()}, "", rows_); }

  void follow(char c) {
    if (in_string_) {
      if (!escaped_ && c == '"') in_string_ = false;
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      --depth_;
      closed_ = depth_ == 0;
    }
  }

  // A bracket that is missing makes a row seem endless: then the parser's complaint says more than the size.
  Status too_large() {
    const auto parsed = parse_json(row_);
    Position end;
    end.pass(row_);
    if (!parsed && (parsed.error().line != end.line || parsed.error().column != end.column)) {
      return fail_at(inside(row_start_, parsed.error().line, parsed.error().column),
                     job::json_complaint(row_, parsed.error()).message);
    }
    return fail_at(row_start_, row_too_large(rows_.count() + 1).message);
  }

  RowSink& rows_;
  State state_ = State::start;
  Position here_;
  Position row_start_;
  std::uint64_t at_ = 0, row_begin_ = 0;  // in bytes
  std::string row_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool closed_ = false;  // the bracket that opens the row
};

}  // namespace

Status add_json_row(std::string_view text, Position place, TextSpan span, std::string_view more, RowSink& rows) {
  const auto row = parse_json(text);
  if (!row) {
    return fail_at(inside(place, row.error().line, row.error().column),
                   job::json_complaint(text, row.error()).message + std::string(more));
  }
  if (!row->is_object()) {
    return fail_at(place, fmt::format("row {} is {}; a row must be an object", rows.count() + 1, json_kind_name(*row)));
  }
  std::string compact;
  compact.reserve(text.size());
  append_json(compact, *row);
  Status added = rows.add_from(compact, span);
  if (!added && added.error().kind == ErrorKind::bad_input) return fail_at(place, added.error().message);
  return added;
}

std::unique_ptr<RowReader> make_json_reader(RowSink& rows) { return std::make_unique<RowScanner>(rows); }

}  // namespace palette::dataset
