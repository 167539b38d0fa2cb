// What templates know beyond Jinja2: the project's own filters, and the environment that every prompt and column is
// compiled in.
//
//   {{ article | truncate_tokens(500) }}     the beginning of a text, of at most 500 tokens (taken as four bytes each)
//   {{ article | extract_keywords(5) }}      its five most frequent words that mean something, as a list
//   {{ article | random_sentence }}          one of its sentences, drawn for this record
//   {{ article | writing_style }}            how it is written: "short sentences, plain words, first person"
//   {{ writing_style() }}                    a style to write in, drawn for this record
//
// What is drawn depends on the job's seed, the record and what is drawn from: a run again draws the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/environment.h"

namespace palette::job {

// trim_blocks and lstrip_blocks on, the filters above, `loader` for {% include %}.
jinja::Environment make_prompt_environment(jinja::Loader loader);

// At most `tokens` * 4 bytes of `text`, cut after a word where there is one.
std::string_view truncate_tokens(std::string_view text, std::int64_t tokens);

// The `count` most frequent words of at least four letters that are no function words of English, in lower case (ASCII
// letters), the first seen first among equals.
std::vector<std::string> extract_keywords(std::string_view text, std::size_t count);

// The sentences of a text: up to and including . ! ? (also 。！？) before a blank or the end; line ends count too.
std::vector<std::string_view> sentences_of(std::string_view text);

// Length of sentences, difficulty of words, person, and mood, as a phrase.
std::string describe_style(std::string_view text);

}  // namespace palette::job
