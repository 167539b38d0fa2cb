#include "aws/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace palette::aws {
namespace {

// Closes at the end of the scope.
struct OpenFile {
  int fd = -1;
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path) {
  const OpenFile file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return std::unexpected(system_error("open", path.native(), errno));
  }
  std::string text;
  std::array<char, 16 * limits::kKiB> buffer;
  for (;;) {
    const ssize_t count = ::read(file.fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(system_error("read", path.native(), errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kSmallFileBytesMax) {
      return fail(ErrorKind::too_large,
                  "the file is larger than " + std::to_string(kSmallFileBytesMax / limits::kMiB) +
                      " MiB, which no such file is; check the path",
                  path.native());
    }
  }
}

Result<std::string> read_token_file(const std::filesystem::path& path) {
  Result<std::optional<std::string>> text = read_small_file(path);
  if (!text) return std::unexpected(text.error());
  if (!*text) return fail(ErrorKind::bad_input, "there is no such token file; check the path", path.native());
  const std::size_t first = (*text)->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(ErrorKind::bad_input, "the token file is empty", path.native());
  std::string token = (*text)->substr(first, (*text)->find_last_not_of(" \t\r\n") - first + 1);
  if (has_control_characters(token)) {
    return fail(ErrorKind::bad_input, "the token has line ends or control characters inside; it must be one line",
                path.native());
  }
  return token;
}

std::filesystem::path expand_home(std::string_view path, const Environment& environment) {
  if (!path.starts_with("~/")) return std::filesystem::path(path);
  return environment.home / path.substr(2);
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace palette::aws
