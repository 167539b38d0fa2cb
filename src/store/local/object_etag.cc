#include "store/local/object_etag.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/hash.h"
#include "base/limits.h"

namespace palette::store {
namespace {

constexpr std::size_t kHashedBytesMax = 8 * limits::kMiB;

// No time that was stamped here and kept whole is a multiple of a microsecond.
bool is_coarse(const struct timespec& time) { return time.tv_nsec % 1000 == 0; }

std::string stat_etag(const struct stat& info) {
  return std::to_string(info.st_size) + "-" + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec) + "-" + std::to_string(info.st_ino);
}

}  // namespace

Result<struct stat> stat_object(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return std::unexpected(system_error("fstat", path.native(), errno));
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::not_found, "not a file", path.native());
  return info;
}

Status stamp_version(const FileDescriptor& file, const std::filesystem::path& path) {
  struct timespec now[2] = {};
  ::clock_gettime(CLOCK_REALTIME, &now[1]);
  now[0] = {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
  // The kernel's own stamp is as coarse as its tick: two versions written within milliseconds could have the same one.
  if (is_coarse(now[1])) ++now[1].tv_nsec;
  if (::futimens(file.get(), now) != 0) return std::unexpected(system_error("futimens", path.native(), errno));
  return {};
}

Result<std::string> object_etag(const FileDescriptor& file, const std::filesystem::path& path,
                                const struct stat& info) {
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kHashedBytesMax || !is_coarse(info.st_mtim)) return stat_etag(info);
  const Result<std::string> body = read_bytes(file, path, 0, size);
  if (!body) return std::unexpected(body.error());
  return sha256_hex(*body).substr(0, 32);
}

Result<std::string> read_bytes(const FileDescriptor& file, const std::filesystem::path& path, std::uint64_t offset,
                               std::uint64_t size) {
  std::string bytes;
  int failed_errno = 0;
  bytes.resize_and_overwrite(size, [&](char* data, std::size_t capacity) {
    std::size_t got = 0;
    while (got < capacity) {
      const ssize_t n = ::pread(file.get(), data + got, capacity - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) failed_errno = errno;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  });
  if (failed_errno != 0) return std::unexpected(system_error("pread", path.native(), failed_errno));
  return bytes;
}

}  // namespace palette::store
