// A file, or a part of one, as what is put into S3: read on the pool, a little at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "async/blocking.h"
#include "base/result.h"
#include "http/client.h"
#include "store/local/file.h"

namespace palette::store {

struct FileToPut {
  FileDescriptor descriptor;
  std::filesystem::path path;
  std::uint64_t size = 0;
};

// Opens a regular file, not through a link. not_found when there is none; bad_input for what is something else.
Result<std::shared_ptr<const FileToPut>> open_file_to_put(const std::filesystem::path& path);

// Bytes [offset, offset + size) of it; `pool` must outlive the source.
std::shared_ptr<http::BodySource> file_part(std::shared_ptr<const FileToPut> file, std::uint64_t offset,
                                            std::uint64_t size, async::BlockingPool& pool);

}  // namespace palette::store
