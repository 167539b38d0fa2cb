// ETags of files: opaque names of a version of the content.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/local/file.h"

namespace palette::store {

// The stat of a regular file; not_found for anything else.
Result<struct stat> stat_object(const FileDescriptor& file, const std::filesystem::path& path);

// Up to 8 MiB: 128 bits of the content's SHA-256. Above it, where reading the file would cost seconds: size, time of
// modification and inode, which a new version changes as well. `info` is the file's stat after it got its name.
std::string object_etag(std::string_view body, const struct stat& info);
Result<std::string> object_etag(const FileDescriptor& file, const std::filesystem::path& path, const struct stat& info);

// Bytes [offset, offset + size) of the file, fewer at its end.
Result<std::string> read_bytes(const FileDescriptor& file, const std::filesystem::path& path, std::uint64_t offset,
                               std::uint64_t size);

}  // namespace palette::store
