// The system calls that durable files are made of, as values: each names the call and the file when it fails. A path
// that needs a folder where a file is, or a file where a folder is, gives bad_input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace palette::store {

// An open file, closed at the end of its scope.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added and mode 0644.
Result<FileDescriptor> open_file(const std::filesystem::path& path, int flags);

Status write_all(const FileDescriptor& file, std::string_view data, const std::filesystem::path& path);
// fsync(2): what was written is on the disk when it returns.
Status sync_file(const FileDescriptor& file, const std::filesystem::path& path);
// The names in the folder are on the disk when it returns; not_found when the folder is gone.
Status sync_folder(const std::filesystem::path& folder);
// A new file with that content, on the disk.
Status write_new_file(const std::filesystem::path& path, std::string_view data);

// Makes `folder` and what is missing above it; each is on the disk when it returns.
Status make_folders(const std::filesystem::path& folder);

// Gives the file `from` the name `to`, atomically; a file that has that name is replaced.
Status rename_over(const std::filesystem::path& from, const std::filesystem::path& to);
// The same; already_exists when something has that name. Of many at once one wins.
Status rename_if_absent(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace palette::store
