#include "aws/profile_file.h"

#include <cctype>

namespace palette::aws {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Without a comment that a blank precedes.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool mark = text[i] == '#' || text[i] == ';';
    if (mark && (i == 0 || is_blank(text[i - 1]))) return trimmed(text.substr(0, i));
  }
  return trimmed(text);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// `profile  "my dev"` is "profile my dev".
std::string section_key(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    if (c == '"' || c == '\'') continue;
    if (!is_blank(c)) {
      out += c;
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view path) : path_(path) {}

  Status line(std::string_view text) {
    ++number_;
    if (trimmed(text).empty() || text.front() == '#' || text.front() == ';') return {};
    if (text.front() == '[') return section(text);
    return is_blank(text.front()) ? continuation(text) : property(text);
  }

  ProfileSections take() { return std::move(sections_); }

 private:
  std::unexpected<Error> bad(std::string message) const {
    Error error{ErrorKind::bad_input, std::move(message), std::string(path_)};
    error.line = number_;
    return std::unexpected(std::move(error));
  }

  Status section(std::string_view text) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return bad("the section has no ']' at its end, as in [profile dev]");
    const std::string_view rest = trimmed(text.substr(end + 1));
    if (!rest.empty() && rest.front() != '#' && rest.front() != ';') {
      return bad("text follows the ']' of the section; put it on a line of its own");
    }
    const std::string key = section_key(text.substr(1, end - 1));
    if (key.empty()) return bad("the section has no name, as in [profile dev]");
    section_ = &sections_[key];
    property_.clear();
    return {};
  }

  Status property(std::string_view text) {
    if (section_ == nullptr) return bad("the line stands before the first section; begin with one, such as [default]");
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return bad("the line has no '='; expected 'name = value'");
    property_ = lower(trimmed(text.substr(0, equals)));
    if (property_.empty()) return bad("there is no name before the '='; expected 'name = value'");
    section_->values[property_] = std::string(without_comment(text.substr(equals + 1)));
    section_->nested.erase(property_);
    return {};
  }

  Status continuation(std::string_view text) {
    if (section_ == nullptr || property_.empty()) {
      return bad("the line is indented and there is no property before it that it could belong to");
    }
    const std::string_view content = without_comment(text);
    if (content.empty()) return {};
    std::string& value = section_->values[property_];
    if (!value.empty()) {
      value += '\n';
      value += content;
      return {};
    }
    const std::size_t equals = content.find('=');
    const std::string name = equals == std::string_view::npos ? "" : lower(trimmed(content.substr(0, equals)));
    if (name.empty()) return bad("the line belongs to '" + property_ + "'; expected 'name = value'");
    section_->nested[property_][name] = std::string(trimmed(content.substr(equals + 1)));
    return {};
  }

  std::string_view path_;
  std::uint32_t number_ = 0;
  ProfileSections sections_;
  ProfileSection* section_ = nullptr;
  std::string property_;  // the last one, in lower case
};

}  // namespace

std::string_view ProfileSection::get(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::string_view() : std::string_view(found->second);
}

void ProfileSection::merge(const ProfileSection& other) {
  for (const auto& [name, value] : other.values) values[name] = value;
  for (const auto& [name, inner] : other.nested) nested[name] = inner;
}

Result<ProfileSections> parse_profile_file(std::string_view text, std::string_view path) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark, as editors of Windows write
  Parser parser(path);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (const Status parsed = parser.line(line); !parsed) return std::unexpected(parsed.error());
  }
  return parser.take();
}

}  // namespace palette::aws
