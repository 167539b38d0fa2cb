#include "jinja/text.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The code point that ends just before `end`; `end` moves to its first byte.
char32_t previous_point(std::string_view text, std::size_t& end) {
  std::size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && is_continuation(text[begin])) --begin;
  std::size_t at = begin;
  char32_t point = next_point(text, at);
  end = begin;
  return point;
}

bool holds_point(std::string_view chars, char32_t wanted) {
  for (std::size_t at = 0; at < chars.size();) {
    if (next_point(chars, at) == wanted) return true;
  }
  return false;
}

template <class Drop>
std::string_view strip(std::string_view text, Side side, const Drop& drop) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  if (side != Side::right) {
    while (begin < end) {
      std::size_t at = begin;
      if (!drop(next_point(text, at))) break;
      begin = at;
    }
  }
  if (side != Side::left) {
    while (end > begin) {
      std::size_t at = end;
      if (!drop(previous_point(text, at))) break;
      end = at;
    }
  }
  return text.substr(begin, end - begin);
}

bool is_line_end(char32_t point) {
  return (point >= 0x0A && point <= 0x0D) || (point >= 0x1C && point <= 0x1E) || point == 0x85 || point == 0x2028 ||
         point == 0x2029;
}

}  // namespace

std::size_t code_points(const Value& string) {
  const StringObject& text = string_of(string);
  return is_ascii(text) ? text.size : count_points(text.view());
}

std::size_t count_points(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += is_continuation(c) ? 0 : 1;
  return count;
}

std::size_t point_offset(std::string_view text, std::size_t position) {
  std::size_t at = 0;
  while (position > 0 && at < text.size()) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
    --position;
  }
  return at;
}

std::string_view point_range(std::string_view text, std::size_t start, std::size_t stop) {
  if (stop <= start) return {};
  if (is_ascii_text(text)) return start >= text.size() ? std::string_view() : text.substr(start, stop - start);
  std::size_t begin = point_offset(text, start);
  std::string_view rest = text.substr(begin);
  return rest.substr(0, point_offset(rest, stop - start));
}

std::string_view strip_space(std::string_view text, Side side) {
  return strip(text, side, [](char32_t point) { return is_space_point(point); });
}

std::string_view strip_chars(std::string_view text, std::string_view chars, Side side) {
  return strip(text, side, [&](char32_t point) { return holds_point(chars, point); });
}

bool is_space_text(std::string_view text) { return !text.empty() && strip_space(text, Side::left).empty(); }

std::vector<std::string_view> split_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> parts;
  std::string_view rest = strip_space(text, Side::left);
  while (!rest.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) >= most) {
      parts.push_back(rest);
      break;
    }
    std::size_t end = 0;
    std::size_t at = 0;
    while (at < rest.size() && !is_space_point(next_point(rest, at))) end = at;
    parts.push_back(rest.substr(0, end));
    rest = strip_space(rest.substr(end), Side::left);
  }
  return parts;
}

std::vector<std::string_view> split_space_right(std::string_view text, std::int64_t most) {
  if (most < 0) return split_space(text, -1);
  std::vector<std::string_view> parts;
  std::string_view rest = strip_space(text, Side::right);
  while (!rest.empty()) {
    if (static_cast<std::int64_t>(parts.size()) >= most) {
      parts.push_back(rest);
      break;
    }
    std::size_t begin = rest.size();
    std::size_t at = begin;
    while (at > 0 && !is_space_point(previous_point(rest, at))) begin = at;
    parts.push_back(rest.substr(begin));
    rest = strip_space(rest.substr(0, begin), Side::right);
  }
  std::ranges::reverse(parts);
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    std::size_t at = find_text(text, separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> split_at_right(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    count_steps(text.size() / 64 * (separator.size() / 64 + 1));  // rfind has no linear form
    std::size_t at = text.rfind(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::ranges::reverse(parts);
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    char32_t point = next_point(text, at);
    if (!is_line_end(point)) continue;
    if (point == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::size_t find_text(std::string_view text, std::string_view what, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (what.empty()) return from;
  const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to, std::int64_t most) {
  std::string out;
  std::int64_t done = 0;
  auto more = [&] { return most < 0 || done < most; };
  if (from.empty()) {
    check_operation(text.size() + (static_cast<std::uint64_t>(text.size()) + 1) * to.size(), "replace");
    std::size_t at = 0;
    while (more()) {
      out += to;
      ++done;
      if (at >= text.size()) break;
      std::size_t begin = at;
      next_point(text, at);
      out += text.substr(begin, at - begin);
    }
    if (at < text.size()) out += text.substr(at);
    return out;
  }
  out.reserve(text.size());
  while (more()) {
    std::size_t at = find_text(text, from);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += to;
    check_operation(out.size(), "replace");
    text.remove_prefix(at + from.size());
    ++done;
  }
  out += text;
  return out;
}

void append_escaped(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string_view entity;
    switch (text[at]) {
      case '&':
        entity = "&amp;";
        break;
      case '<':
        entity = "&lt;";
        break;
      case '>':
        entity = "&gt;";
        break;
      case '\'':
        entity = "&#39;";
        break;
      case '"':
        entity = "&#34;";
        break;
      default:
        continue;
    }
    out += text.substr(from, at - from);
    out += entity;
    from = at + 1;
  }
  out += text.substr(from);
}

}  // namespace palette::jinja
