// Who works on a job: a kernel file lock, free at once when its process dies, however it dies.
//
//   Result<FileLease> lease = FileLease::acquire(data_dir / "leases/J", FileLease::this_process(clock.now()));
//   if (!lease) return std::unexpected(lease.error());   // held: the message names the holder
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/local/file.h"

namespace palette::store {

// Held until it is destroyed. The file stays: removing it would let two hold "the" lock of one name.
class FileLease {
 public:
  // Takes the lease without waiting and writes `owner_text` into the file; makes the folder. Errors: held.
  static Result<FileLease> acquire(const std::filesystem::path& path, std::string_view owner_text);

  // Does any process hold the lease now? Only looks (in the kernel's list, /proc/locks), so that it keeps nobody out;
  // yes when the list cannot be read.
  static bool is_held(const std::filesystem::path& path);

  // "host melon, process 4711, since 2026-11-23T10:00:00.000Z"
  static std::string this_process(UtcTime since);

  FileLease(FileLease&&) noexcept = default;
  FileLease& operator=(FileLease&&) noexcept = default;
  ~FileLease() = default;

 private:
  explicit FileLease(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace palette::store
