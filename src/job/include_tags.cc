#include "job/include_tags.h"

#include <algorithm>
#include <array>
#include <optional>

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 4> kKeywords = {"include", "import", "from", "extends"};
constexpr std::string_view kBlanks = " \t\r\n";

// The text after `{%`, up to its `%}` outside of strings.
std::string_view tag_content(std::string_view text) {
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != '\0') {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        quote = '\0';
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text.substr(i).starts_with("%}")) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), text.size()));
}

// A string at the beginning of `rest`, which is then cut off.
std::optional<std::string> take_string(std::string_view& rest) {
  if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return std::nullopt;
  const std::size_t end = rest.find(rest[0], 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string name(rest.substr(1, end - 1));
  rest = without_blanks(rest.substr(end + 1));
  return name;
}

// One string, or a list of them; empty when something else is among them.
std::vector<std::string> take_names(std::string_view& rest) {
  std::vector<std::string> names;
  const bool is_list = rest.starts_with('[') || rest.starts_with('(');
  if (is_list) rest = without_blanks(rest.substr(1));
  while (std::optional<std::string> name = take_string(rest)) {
    names.push_back(std::move(*name));
    if (!is_list) return rest.empty() || first_word(rest).size() > 0 ? names : std::vector<std::string>();
    if (rest.starts_with(',')) rest = without_blanks(rest.substr(1));
  }
  if (!rest.starts_with(']') && !rest.starts_with(')')) return {};
  rest = without_blanks(rest.substr(1));
  return names;
}

}  // namespace

std::vector<IncludeTag> include_tags(std::string_view text) {
  std::vector<IncludeTag> tags;
  std::size_t at = 0;
  const auto skip_past = [&](std::string_view end) {
    at = std::min(text.find(end, at), text.size() - end.size()) + end.size();
  };
  while ((at = text.find('{', at)) != std::string_view::npos && at + 1 < text.size()) {
    const char kind = text[at + 1];
    at += 2;
    if (kind == '#') skip_past("#}");
    if (kind == '{') skip_past("}}");
    if (kind != '%') continue;
    const std::string_view content = tag_content(text.substr(at));
    std::string_view rest = content;
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.ends_with('-') || rest.ends_with('+')) rest.remove_suffix(1);
    rest = without_blanks(rest);
    const std::string_view keyword = first_word(rest);
    at += content.size();
    if (keyword == "raw") skip_past("endraw");
    if (std::ranges::find(kKeywords, keyword) == kKeywords.end()) continue;
    rest = without_blanks(rest.substr(keyword.size()));
    const auto offset = static_cast<std::size_t>(rest.data() - text.data());
    IncludeTag tag{std::string(keyword), take_names(rest)};
    if (tag.names.empty()) continue;
    tag.ignore_missing = keyword == "include" && rest.starts_with("ignore");
    const std::string_view before = text.substr(0, text.find_first_of("'\"", offset) + 1);
    tag.line = 1 + static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
    tag.column = static_cast<std::uint32_t>(before.size() - (before.rfind('\n') + 1) + 1);
    tags.push_back(std::move(tag));
  }
  return tags;
}

}  // namespace palette::job
