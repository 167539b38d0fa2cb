// Where a byte of a string stands in the file, when quotes, escapes and line breaks make the file differ from the text:
//
//   prompt: "Say \"hi\" to {{ name | titel }}"       '…It''s…'       a text that goes on
//                                                                      in the next line
#pragma once

#include <string>
#include <string_view>

#include "job/document.h"

namespace palette::job {

// The beginning of `text` that is the scalar which starts there (its quote included) and decodes to `decoded_bytes`.
// YAML's quoted and plain styles, YAML 1.2 sections 7.3.1 to 7.3.3; JSON's strings are among them.
std::string scalar_source(std::string_view text, std::size_t decoded_bytes);

// The place of byte `column` of line `line` of the text (both from 1) of a node that has a source.
Mark position_in_source(const Node& node, std::uint32_t line, std::uint32_t column);

}  // namespace palette::job
