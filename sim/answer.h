// The answer to a call: words that follow from the prompt's hash alone, cut as the call asks, with their usage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "call.h"

namespace palette::sim {

enum class Stop : std::uint8_t { end, max_tokens, stop_sequence };

// What is billed. `input` is without cached tokens.
struct Usage {
  std::int64_t input = 0, output = 0;
  std::int64_t cache_read = 0, cache_write = 0, cache_write_1h = 0;

  std::int64_t total_input() const { return input + cache_read + cache_write + cache_write_1h; }
};

struct Answer {
  std::string text;
  Stop stop = Stop::end;
  std::string stop_sequence;  // the one that was met
};

// `words`: how many; 0: between 20 and 60, as the hash says, or fewer to end within max_tokens, if that is at least 32.
// The text has at most 4 * max_tokens bytes and ends before the first stop sequence.
Answer make_answer(const Call& call, std::int64_t words);

// How an answer is reported, beside its text.
struct Report {
  Usage usage;
  bool usage_includes_cache = false;  // input counts cached tokens too, as some families on Bedrock do
  std::int64_t latency_ms = 0;
  std::string_view request_id;
  std::int64_t created_s = 0;  // Unix time
};

// The JSON body of the call's shape.
std::string answer_body(const Call& call, const Answer& answer, const Report& report);

}  // namespace palette::sim
