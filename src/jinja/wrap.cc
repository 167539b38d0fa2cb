#include "jinja/wrap.h"

#include <algorithm>

#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

// textwrap's whitespace: ASCII only.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_letter(char32_t point) { return is_word_point(point) && !is_decimal_point(point); }

// A word as its code points, with their places.
struct Points {
  std::vector<char32_t> points;
  std::vector<std::size_t> offsets;

  explicit Points(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      offsets.push_back(at);
      points.push_back(next_point(text, at));
    }
    offsets.push_back(text.size());
  }
  std::size_t size() const { return points.size(); }
  bool word(std::size_t at) const { return at < size() && is_word_point(points[at]); }
  bool letter(std::size_t at) const { return at < size() && is_letter(points[at]); }
  bool dash(std::size_t at) const { return at < size() && points[at] == '-'; }
  bool word_punctuation(std::size_t at) const {
    return at < size() && (is_word_point(points[at]) || points[at] == '!' || points[at] == '"' || points[at] == '\'' ||
                           points[at] == '&' || points[at] == '.' || points[at] == ',' || points[at] == '?');
  }
  // An em-dash (two dashes or more between word characters) at `at`: its length, or 0.
  std::size_t em_dash(std::size_t at) const {
    if (at == 0 || !word_punctuation(at - 1)) return 0;
    std::size_t end = at;
    while (dash(end)) ++end;
    return end - at >= 2 && word(end) ? end - at : 0;
  }
};

// Breaks one run of non-blanks where textwrap allows a line to end: after hyphens inside words, around em-dashes.
void split_word(std::string_view text, std::vector<std::string>& chunks) {
  Points points(text);
  std::size_t begin = 0;
  auto cut = [&](std::size_t end) {
    if (end > begin)
      chunks.emplace_back(text.substr(points.offsets[begin], points.offsets[end] - points.offsets[begin]));
    begin = end;
  };
  for (std::size_t at = 0; at < points.size(); ++at) {
    if (std::size_t dashes = points.em_dash(at); dashes > 0) {
      cut(at);
      cut(at + dashes);
      at = begin - 1;
      continue;
    }
    if (!points.dash(at) || at == begin) continue;
    // -(?: (?<=[letter]{2}-) | (?<=[letter]-[letter]-)) (?= letter -? letter)
    bool before = (at >= 2 && points.letter(at - 1) && points.letter(at - 2)) ||
                  (at >= 3 && points.letter(at - 1) && points.dash(at - 2) && points.letter(at - 3));
    bool after = points.letter(at + 1) && (points.letter(at + 2) || (points.dash(at + 2) && points.letter(at + 3)));
    if (before && after) cut(at + 1);
  }
  cut(points.size());
}

std::vector<std::string> chunks_of(std::string_view line, bool break_on_hyphens) {
  std::vector<std::string> chunks;
  for (std::size_t at = 0; at < line.size();) {
    bool blank = is_blank(line[at]);
    std::size_t end = at;
    while (end < line.size() && is_blank(line[end]) == blank) ++end;
    std::string_view run = line.substr(at, end - at);
    if (blank || !break_on_hyphens) {
      chunks.emplace_back(run);
    } else {
      split_word(run, chunks);
    }
    at = end;
    check_operation(chunks.size() * sizeof(std::string), "wordwrap");
  }
  return chunks;
}

bool is_blank_chunk(const std::string& chunk) { return strip_space(chunk, Side::left).empty(); }

std::int64_t length(const std::string& text) { return static_cast<std::int64_t>(count_points(text)); }

// Takes the part of a too long word that fits; textwrap breaks after a hyphen there when it may.
std::string take_part(std::string& chunk, std::int64_t room, const WrapOptions& options) {
  auto points = static_cast<std::size_t>(std::max<std::int64_t>(room, 1));
  if (options.width < 1) points = 1;
  std::size_t end = point_offset(chunk, points);
  if (options.break_on_hyphens && length(chunk) > room) {
    std::size_t hyphen = chunk.rfind('-', end == 0 ? 0 : end - 1);
    bool inside = hyphen != std::string::npos && hyphen > 0 && hyphen < end && chunk.find_first_not_of('-') < hyphen;
    if (inside) end = hyphen + 1;
  }
  std::string part = chunk.substr(0, end);
  chunk.erase(0, end);
  return part;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view line, const WrapOptions& options) {
  if (options.width <= 0) fault("invalid width " + std::to_string(options.width) + " (must be > 0)");
  std::vector<std::string> chunks = chunks_of(line, options.break_on_hyphens);
  std::ranges::reverse(chunks);
  std::vector<std::string> lines;
  while (!chunks.empty()) {
    count_steps();
    std::vector<std::string> current;
    std::int64_t used = 0;
    if (!lines.empty() && is_blank_chunk(chunks.back())) chunks.pop_back();
    while (!chunks.empty()) {
      std::int64_t size = length(chunks.back());
      if (used + size > options.width) break;
      current.push_back(std::move(chunks.back()));
      chunks.pop_back();
      used += size;
    }
    if (!chunks.empty() && length(chunks.back()) > options.width) {
      if (options.break_long_words) {
        current.push_back(take_part(chunks.back(), options.width - used, options));
        if (chunks.back().empty()) chunks.pop_back();
      } else if (current.empty()) {
        current.push_back(std::move(chunks.back()));
        chunks.pop_back();
      }
    }
    if (!current.empty() && is_blank_chunk(current.back())) current.pop_back();
    if (current.empty()) continue;
    std::string text;
    for (const std::string& chunk : current) text += chunk;
    lines.push_back(std::move(text));
  }
  return lines;
}

}  // namespace palette::jinja
