#include "store/local/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace palette::store {
namespace {

std::unexpected<Error> failed(std::string_view call, const std::filesystem::path& path) {
  const int failed_errno = errno;
  if (failed_errno == ENOTDIR || failed_errno == EISDIR || failed_errno == ENOTEMPTY) {
    return fail(ErrorKind::bad_input, "a file and a folder cannot have the same name here", path.native());
  }
  return std::unexpected(system_error(call, path.native(), failed_errno));
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (fd_ >= 0 && fd_ != other.fd_) ::close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FileDescriptor> open_file(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return failed("open", path);
  return FileDescriptor(fd);
}

Status write_all(const FileDescriptor& file, std::string_view data, const std::filesystem::path& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(file.get(), data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status sync_file(const FileDescriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) != 0) return failed("fsync", path);
  return {};
}

Status sync_folder(const std::filesystem::path& folder) {
  const Result<FileDescriptor> opened = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return std::unexpected(opened.error());
  return sync_file(*opened, folder);
}

Status write_new_file(const std::filesystem::path& path, std::string_view data) {
  const Result<FileDescriptor> file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return std::unexpected(file.error());
  if (Status ok = write_all(*file, data, path); !ok) return ok;
  return sync_file(*file, path);
}

Status make_folders(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0755) != 0) {
    if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
      if (Status ok = make_folders(folder.parent_path()); !ok) return ok;
      if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return failed("mkdir", folder);
    } else if (errno == EEXIST) {
      struct stat info{};
      if (::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
      errno = ENOTDIR;
      return failed("mkdir", folder);
    } else {
      return failed("mkdir", folder);
    }
  }
  return sync_folder(folder.has_parent_path() ? folder.parent_path() : ".");
}

Status rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", to);
  return {};
}

Status rename_if_absent(const std::filesystem::path& from, const std::filesystem::path& to) {
  // To a folder both calls would say that the name is taken.
  struct stat info{};
  if (::stat(to.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return failed("rename", to);
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return failed("renameat2", to);
  // A file system without RENAME_NOREPLACE (NFS, say): link(2) refuses a name that is taken just as well.
  if (::link(from.c_str(), to.c_str()) != 0) return failed("link", to);
  ::unlink(from.c_str());
  return {};
}

}  // namespace palette::store
