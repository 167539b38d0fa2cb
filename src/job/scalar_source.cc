#include "job/scalar_source.h"

#include <algorithm>
#include <charconv>

namespace palette::job {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::size_t utf8_bytes(std::uint32_t code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  return code_point < 0x10000 ? 3 : 4;
}

// Walks over the source; each step decodes one piece: a byte, an escape, or the break between two lines.
class Walk {
 public:
  explicit Walk(std::string_view source) : source_(source) {
    if (!source.empty() && (source[0] == '"' || source[0] == '\'')) quote_ = source[at_++];
  }

  bool ended() const { return at_ >= source_.size(); }
  std::size_t at() const { return at_; }            // offset in the source of what comes next
  std::size_t decoded() const { return decoded_; }  // bytes of the text before it

  void step() {
    const char c = source_[at_];
    if (quote_ == '"' && c == '\\') {
      escape();
    } else if (const std::size_t end = break_at(at_); end != std::string_view::npos) {
      fold(end);
    } else {
      at_ += quote_ == '\'' && c == '\'' ? 2 : 1;
      ++decoded_;
    }
  }

 private:
  // The line feed that follows here after nothing but blanks, or npos.
  std::size_t break_at(std::size_t from) const {
    const std::size_t next = source_.find_first_not_of(kBlanks, from);
    return next != std::string_view::npos && source_[next] == '\n' ? next : std::string_view::npos;
  }

  // A break is a blank; empty lines after it are line feeds.
  void fold(std::size_t line_feed) {
    std::size_t breaks = 0, end = line_feed;
    for (; end != std::string_view::npos; end = break_at(at_)) {
      at_ = end + 1;
      ++breaks;
    }
    at_ = std::min(source_.find_first_not_of(kBlanks, at_), source_.size());
    decoded_ += std::max<std::size_t>(breaks - 1, 1);
  }

  void escape() {
    const char kind = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
    if (kind == '\n' || kind == '\r') {  // the line goes on
      at_ = std::min(source_.find('\n', at_), source_.size() - 1) + 1;
      at_ = std::min(source_.find_first_not_of(kBlanks, at_), source_.size());
      return;
    }
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    at_ += 2 + digits;
    if (digits == 0) {
      decoded_ += kind == 'L' || kind == 'P' ? 3 : kind == 'N' || kind == '_' ? 2 : 1;
      return;
    }
    const std::uint32_t code_point = hex(at_ - digits, digits);
    const bool is_pair = code_point >= 0xD800 && code_point < 0xDC00 && source_.substr(at_).starts_with("\\u");
    if (is_pair) at_ += 6;  // JSON: two escapes are one code point
    decoded_ += is_pair ? 4 : utf8_bytes(code_point);
  }

  std::uint32_t hex(std::size_t from, std::size_t digits) const {
    std::uint32_t value = 0;
    const std::string_view text = source_.substr(std::min(from, source_.size()), digits);
    std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return value;
  }

  std::string_view source_;
  char quote_ = '\0';
  std::size_t at_ = 0, decoded_ = 0;
};

}  // namespace

std::string scalar_source(std::string_view text, std::size_t decoded_bytes) {
  Walk walk(text);
  while (!walk.ended() && walk.decoded() < decoded_bytes) walk.step();
  return std::string(text.substr(0, walk.at()));
}

Mark position_in_source(const Node& node, std::uint32_t line, std::uint32_t column) {
  std::size_t offset = 0;  // in the text
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = node.text.find('\n', offset);
    if (end == std::string::npos) break;
    offset = end + 1;
  }
  offset += column - 1;
  Walk walk(node.source);
  std::size_t at = walk.at();
  while (!walk.ended() && walk.decoded() <= offset) {
    at = walk.at();
    walk.step();
  }
  if (walk.decoded() <= offset) at = walk.at();  // the end of the text
  const std::string_view before = std::string_view(node.source).substr(0, at);
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  if (lines == 0) return Mark{node.mark.line, node.mark.column + static_cast<std::uint32_t>(at)};
  return Mark{node.mark.line + lines, static_cast<std::uint32_t>(at - before.rfind('\n'))};
}

}  // namespace palette::job
