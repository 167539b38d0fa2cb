#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace palette::cli {
namespace {

std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const std::size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  return std::min(size, text.size() - at);
}

// The blocks of Unicode that terminals draw two columns wide, roughly (East Asian Width W and F, and emoji).
constexpr std::array<std::pair<char32_t, char32_t>, 8> kWide = {{{0x1100, 0x115F},
                                                                 {0x2E80, 0xA4CF},
                                                                 {0xAC00, 0xD7A3},
                                                                 {0xF900, 0xFAFF},
                                                                 {0xFE30, 0xFE6F},
                                                                 {0xFF00, 0xFF60},
                                                                 {0x1F300, 0x1FAFF},
                                                                 {0x20000, 0x3FFFD}}};

std::size_t character_columns(std::string_view text, std::size_t at) {
  const std::size_t size = character_bytes(text, at);
  char32_t code = static_cast<unsigned char>(text[at]);
  if (size > 1) code &= 0x7Fu >> size;
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  if (code >= 0x300 && code <= 0x36F) return 0;
  return std::any_of(kWide.begin(), kWide.end(),
                     [&](const auto& block) { return code >= block.first && code <= block.second; })
             ? 2
             : 1;
}

}  // namespace

bool is_terminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string styled(std::FILE* stream, Style style, std::string_view text) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = is_terminal(stream) && (no_color == nullptr || *no_color == '\0');
  std::string_view code;
  switch (style) {
    case Style::plain:
      break;
    case Style::bold:
      code = "1";
      break;
    case Style::dim:
      code = "2";
      break;
    case Style::good:
      code = "32";
      break;
    case Style::warning:
      code = "33";
      break;
    case Style::error:
      code = "31";
      break;
  }
  if (!wanted || code.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string duration_text(std::int64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 60'000) return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const std::int64_t seconds = ms / 1000;
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + two(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + two(seconds % 3600 / 60) + " min";
}

std::string dollars(std::string_view decimal) {
  std::string out = "$" + std::string(decimal);
  const std::size_t point = out.find('.');
  if (point == std::string::npos) return out + ".00";
  if (out.size() - point == 2) out += '0';
  return out;
}

std::string counted(std::int64_t number, std::string_view noun) {
  return grouped(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); i += character_bytes(text, i)) columns += character_columns(text, i);
  return columns;
}

std::string one_line(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  const bool fits = columns_of(text) <= columns;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_bytes(text, i), wide = character_columns(text, i);
    if (!fits && used + wide + 1 > columns) return out + "…";
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F)
      out += ' ';
    else
      out += text.substr(i, size);
    i += size;
    used += wide;
  }
  return out;
}

}  // namespace palette::cli
