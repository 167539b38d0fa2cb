#include "job/document.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "base/utf8.h"
#include "job/scalar_source.h"

namespace palette::job {
namespace {

Error error_at(const std::string& file, std::string_view text, std::size_t offset, std::string message) {
  const std::string_view before = text.substr(0, offset);
  Error error{ErrorKind::bad_input, std::move(message), file};
  error.line = 1 + static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  error.column = static_cast<std::uint32_t>(offset - (before.rfind('\n') + 1) + 1);
  return error;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Mark Node::position_of(std::uint32_t line, std::uint32_t column) const {
  if (is_block) return Mark{mark.line + line, column + indent};
  if (!source.empty()) return position_in_source(*this, line, column);
  if (line == 1 && !is_folded) return Mark{mark.line, mark.column + indent + column - 1};
  return mark;
}

Json Node::to_json() const {
  switch (kind) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return boolean;
    case Kind::integer:
      return integer;
    case Kind::number:
      return number;
    case Kind::string:
      return boost::json::string(text);
    case Kind::list: {
      JsonArray array;
      for (const Node& item : items) array.push_back(item.to_json());
      return array;
    }
    case Kind::map: {
      JsonObject object;
      for (const Member& member : members) object[member.key] = member.value.to_json();
      return object;
    }
  }
  return nullptr;
}

std::string Node::describe() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::boolean:
    case Kind::integer:
    case Kind::number:
      return text;
    case Kind::string: {
      std::string quoted;
      append_json_string(quoted, text.size() > 60 ? std::string(utf8_prefix(text, 57)) + "..." : text);
      return quoted;
    }
    case Kind::list:
      return "a list";
    case Kind::map:
      return "an object";
  }
  return {};
}

Result<std::string> read_document_text(const std::filesystem::path& file) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec)) {
    return fail(ErrorKind::bad_input, "this is a folder; a YAML or JSON file is expected", file.string());
  }
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return fail(ErrorKind::not_found, "this file does not exist", file.string());
  if (fd < 0)
    return fail(ErrorKind::bad_input, std::string("this file cannot be read: ") + std::strerror(errno), file.string());
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > limits::kJobFileBytesMax) break;
  }
  const int read_errno = errno;
  ::close(fd);
  if (got < 0) return std::unexpected(system_error("read", file.string(), read_errno));
  if (text.size() > limits::kJobFileBytesMax) {
    return fail(ErrorKind::bad_input, "the file is larger than 4 MiB, the most that a job or template file may have",
                file.string());
  }
  return text;
}

Result<Document> load_document(const std::filesystem::path& file) {
  const Result<std::string> text = read_document_text(file);
  if (!text) return std::unexpected(text.error());
  return parse_document(file.string(), *text);
}

Result<Document> parse_document(std::string file, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return std::unexpected(error_at(file, text, bad, "this byte is not valid UTF-8; save the file as UTF-8"));
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return std::unexpected(error_at(file, text, nul, "there is a NUL byte here; save the file as plain text in UTF-8"));
  }
  const bool json = std::filesystem::path(file).extension() == ".json";
  Result<Node> root = json ? parse_json_node(text) : parse_yaml_node(text);
  if (!root) return std::unexpected(root.error().at(file));
  return Document{std::move(file), std::move(*root)};
}

}  // namespace palette::job
