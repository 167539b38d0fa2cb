// One reader a format: the whole file, row by row, into a sink. Errors are bad_input with line and column, without the
// file's name.
#pragma once

#include "dataset/row_sink.h"
#include "dataset/text_stream.h"

namespace palette::dataset {

// An object is one row; an array of objects is many, read one element at a time.
Status read_json(TextStream& file, RowSink& rows);

// One object a line; blank lines are skipped.
Status read_jsonl(TextStream& file, RowSink& rows);

// RFC 4180: a header, then records of as many fields; every field is a string, also an empty one. Lines end with CRLF
// or LF; empty lines are skipped; a quote inside a field without quotes is itself.
Status read_csv(TextStream& file, RowSink& rows);

// Parses the text of one row, which begins at `place`, and adds it. `more` is appended to the message of a syntax
// error.
Status add_json_row(std::string_view text, Position place, std::string_view more, RowSink& rows);

}  // namespace palette::dataset
