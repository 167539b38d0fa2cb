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

// Gives a file that is not published yet a time of modification that no other version of its object has. To be called
// after its last write and before it is synced.
Status stamp_version(const FileDescriptor& file, const std::filesystem::path& path);

// Size, time of modification to the nanosecond, and inode: a version's file is written once, stamped, and then only
// ever replaced. So no content is read, and most writers, who never look at the ETag, pay nothing for it. Where the
// file system keeps times less exactly than to the microsecond (or a file that was put there by hand has such a time),
// two versions could be alike: there it is 128 bits of the content's SHA-256, up to 8 MiB.
Result<std::string> object_etag(const FileDescriptor& file, const std::filesystem::path& path, const struct stat& info);

// Bytes [offset, offset + size) of the file, fewer at its end.
Result<std::string> read_bytes(const FileDescriptor& file, const std::filesystem::path& path, std::uint64_t offset,
                               std::uint64_t size);

}  // namespace palette::store
