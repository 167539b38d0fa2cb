#include "jinja/unicode.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace palette::jinja {
namespace {

struct Run {
  char32_t first;
  std::uint16_t flags;
};

struct Mapping {
  char32_t from;
  char32_t to;
};

struct LongMapping {
  char32_t from;
  char32_t to[3];
};

#include "jinja/unicode_tables.inc"

std::uint16_t flags_of(char32_t point) {
  auto after = std::upper_bound(std::begin(kRuns), std::end(kRuns), point,
                                [](char32_t wanted, const Run& run) { return wanted < run.first; });
  return std::prev(after)->flags;
}

bool has(char32_t point, std::uint16_t flag) { return (flags_of(point) & flag) != 0; }

void append_mapped(std::string& out, char32_t point, std::span<const Mapping> single,
                   std::span<const LongMapping> several) {
  auto one = std::lower_bound(single.begin(), single.end(), point,
                              [](const Mapping& mapping, char32_t wanted) { return mapping.from < wanted; });
  if (one != single.end() && one->from == point) return append_point(out, one->to);
  for (const LongMapping& mapping : several) {
    if (mapping.from != point) continue;
    for (char32_t part : mapping.to) {
      if (part != 0) append_point(out, part);
    }
    return;
  }
  append_point(out, point);
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

void append_upper(std::string& out, char32_t point) {
  if (point < 0x80) return out.push_back(ascii_upper(static_cast<char>(point)));
  append_mapped(out, point, k_upper_single, k_upper_several);
}

void append_title(std::string& out, char32_t point) {
  if (point < 0x80) return out.push_back(ascii_upper(static_cast<char>(point)));
  append_mapped(out, point, k_title_single, k_title_several);
}

constexpr char32_t kSigma = 0x3A3;

// SpecialCasing.txt, Final_Sigma: after a cased letter and not before one, case-ignorable ones aside.
bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) {
  bool before = false;
  while (begin > 0) {
    std::size_t start = begin - 1;
    while (start > 0 && begin - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    std::size_t at = start;
    char32_t point = next_point(text, at);
    begin = start;
    if (has(point, k_case_ignorable)) continue;
    before = has(point, k_cased);
    break;
  }
  if (!before) return false;
  while (end < text.size()) {
    char32_t point = next_point(text, end);
    if (has(point, k_case_ignorable)) continue;
    return !has(point, k_cased);
  }
  return true;
}

void append_lower(std::string& out, std::string_view text, std::size_t begin, std::size_t end, char32_t point) {
  if (point < 0x80) return out.push_back(ascii_lower(static_cast<char>(point)));
  if (point == kSigma) return append_point(out, is_final_sigma(text, begin, end) ? 0x3C2 : 0x3C3);
  append_mapped(out, point, k_lower_single, k_lower_several);
}

}  // namespace

bool is_space_point(char32_t point) {
  if (point < 0x80) return point == ' ' || (point >= 9 && point <= 13) || (point >= 0x1C && point <= 0x1F);
  return has(point, k_space);
}
bool is_printable_point(char32_t point) { return point < 0x7F ? point >= 0x20 : has(point, k_printable); }
bool is_alpha_point(char32_t point) { return has(point, k_alpha); }
bool is_decimal_point(char32_t point) { return has(point, k_decimal); }
bool is_digit_point(char32_t point) { return has(point, k_digit); }
bool is_numeric_point(char32_t point) { return has(point, k_numeric); }
bool is_lower_point(char32_t point) { return has(point, k_lower); }
bool is_upper_point(char32_t point) { return has(point, k_upper); }
bool is_title_point(char32_t point) { return has(point, k_title); }
bool is_word_point(char32_t point) { return has(point, k_word); }
bool is_name_start(char32_t point) {
  if (point < 0x80) return point == '_' || (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
  return has(point, k_name_start);
}
bool is_name_part(char32_t point) {
  if (point < 0x80) return is_name_start(point) || (point >= '0' && point <= '9');
  return has(point, k_name_part);
}

int decimal_value(char32_t point) {
  if (point < 0x80) return point >= '0' && point <= '9' ? static_cast<int>(point - '0') : -1;
  for (char32_t zero : kZeros) {
    if (point >= zero && point < zero + 10) return static_cast<int>(point - zero);
  }
  return -1;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    append_lower(out, text, begin, at, point);
  }
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) append_upper(out, next_point(text, at));
  return out;
}

std::string to_title(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    if (inside) {
      append_lower(out, text, begin, at, point);
    } else {
      append_title(out, point);
    }
    inside = has(point, k_cased);
  }
  return out;
}

std::string to_capitalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    if (begin == 0) {
      append_title(out, point);
    } else {
      append_lower(out, text, begin, at, point);
    }
  }
  return out;
}

std::string to_swapped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    if (is_upper_point(point)) {
      append_lower(out, text, begin, at, point);
    } else if (is_lower_point(point)) {
      append_upper(out, point);
    } else {
      append_point(out, point);
    }
  }
  return out;
}

char32_t next_point(std::string_view text, std::size_t& at) {
  auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(text[at + offset]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  auto continues = [&](std::size_t offset) { return at + offset < text.size() && (byte(offset) & 0xC0U) == 0x80U; };
  char32_t point = lead;
  std::size_t length = 1;
  if (lead >= 0xC2 && lead < 0xE0 && continues(1)) {
    point = ((lead & 0x1FU) << 6U) | (byte(1) & 0x3FU);
    length = 2;
  } else if (lead >= 0xE0 && lead < 0xF0 && continues(1) && continues(2)) {
    point = ((lead & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
    length = 3;
  } else if (lead >= 0xF0 && lead < 0xF5 && continues(1) && continues(2) && continues(3)) {
    point = ((lead & 0x07U) << 18U) | ((byte(1) & 0x3FU) << 12U) | ((byte(2) & 0x3FU) << 6U) | (byte(3) & 0x3FU);
    length = 4;
  }
  at += length;
  return point;
}

void append_point(std::string& out, char32_t point) {
  auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0U | (point >> 6U));
  } else {
    if (point < 0x10000) {
      put(0xE0U | (point >> 12U));
    } else {
      put(0xF0U | (point >> 18U));
      put(0x80U | ((point >> 12U) & 0x3FU));
    }
    put(0x80U | ((point >> 6U) & 0x3FU));
  }
  put(0x80U | (point & 0x3FU));
}

}  // namespace palette::jinja
