// Small text files on this machine: profiles, tokens, the SSO cache. They are read where they are needed, on the loop:
// a few KiB, at start and then about once an hour, and never grown beyond the limit here.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "aws/environment.h"
#include "base/limits.h"
#include "base/result.h"

namespace palette::aws {

inline constexpr std::size_t kSmallFileBytesMax = 1 * limits::kMiB;

// The file's bytes; none when there is no such file. io when it cannot be read, too_large beyond the limit.
Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path);

// A file that must be there and holds one token: without the blanks around it. bad_input when it is absent, empty, or
// has line ends or control characters inside (they would end the header that carries it).
Result<std::string> read_token_file(const std::filesystem::path& path);

// "~/x" below the home folder; everything else as it is.
std::filesystem::path expand_home(std::string_view path, const Environment& environment);

// Has the text bytes that cannot stand in a header (below 0x20 but the tab, or 0x7f)?
bool has_control_characters(std::string_view text);

}  // namespace palette::aws
