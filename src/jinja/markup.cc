#include "jinja/markup.h"

#include <cctype>
#include <charconv>

#include "jinja/fault.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

struct Entity {
  std::string_view name;
  char32_t point;
};

constexpr Entity kEntities[] = {
    {"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},
    {"nbsp", 0xA0},    {"copy", 0xA9},    {"reg", 0xAE},     {"hellip", 0x2026}, {"ndash", 0x2013},
    {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201C},  {"rdquo", 0x201D},
    {"laquo", 0xAB},   {"raquo", 0xBB},   {"bull", 0x2022},  {"middot", 0xB7},   {"deg", 0xB0},
    {"times", 0xD7},   {"euro", 0x20AC},  {"pound", 0xA3},   {"sect", 0xA7},     {"trade", 0x2122},
};

// The code point of "#38", "#x26" or "amp"; 0 when it is none.
char32_t entity_point(std::string_view name) {
  if (name.starts_with('#')) {
    bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    name.remove_prefix(hex ? 2 : 1);
    std::uint32_t point = 0;
    auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), point, hex ? 16 : 10);
    bool good = problem == std::errc() && end == name.data() + name.size() && point > 0 && point <= 0x10FFFF &&
                !(point >= 0xD800 && point < 0xE000);
    return good ? point : 0;
  }
  for (const Entity& entity : kEntities) {
    if (entity.name == name) return entity.point;
  }
  return 0;
}

}  // namespace

std::string unescape_entities(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = text.find('&', at);
    out += text.substr(at, begin - at);
    if (begin == std::string_view::npos) break;
    std::size_t end = begin + 1;
    while (end < text.size() && (text[end] == '#' || std::isalnum(static_cast<unsigned char>(text[end])) != 0)) ++end;
    bool closed = end < text.size() && text[end] == ';';
    std::string_view name = text.substr(begin + 1, end - begin - 1);
    char32_t point = closed ? entity_point(name) : 0;
    if (point != 0) {
      append_point(out, point);
    } else if (closed && !name.empty()) {
      fault("the HTML entity '&" + std::string(name) + ";' is not supported");
    } else {
      out += text.substr(begin, end - begin);
      at = end;
      continue;
    }
    at = end + 1;
  }
  return out;
}

std::string without_tags(std::string_view source) {
  std::string text(source);
  for (std::size_t begin = text.find("<!--"); begin != std::string::npos; begin = text.find("<!--")) {
    std::size_t end = text.find("-->", begin);
    if (end == std::string::npos) break;
    text.erase(begin, end + 3 - begin);
  }
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = text.find('<', at);
    std::size_t end = begin == std::string::npos ? begin : text.find('>', begin);
    if (end == std::string::npos) {
      plain += text.substr(at);
      break;
    }
    plain += text.substr(at, begin - at);
    at = end + 1;
  }
  std::string collapsed;
  for (std::string_view word : split_space(plain, -1)) {
    if (!collapsed.empty()) collapsed.push_back(' ');
    collapsed += word;
  }
  return unescape_entities(collapsed);
}

}  // namespace palette::jinja
