#include "store/local/temp_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/ids.h"

namespace palette::store {
namespace {

Result<FileDescriptor> lock_file(const std::filesystem::path& path) {
  Result<FileDescriptor> file = open_file(path, O_RDWR | O_CREAT);
  if (!file) return file;
  while (::flock(file->get(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(system_error("flock", path.native(), errno));
  }
  return file;
}

}  // namespace

TempFolder::~TempFolder() {
  std::error_code ignored;
  if (is_open_) std::filesystem::remove_all(own_, ignored);
}

Result<std::filesystem::path> TempFolder::new_path() {
  const std::lock_guard guard(mutex_);
  if (Status ok = open(); !ok) return std::unexpected(ok.error());
  return own_ / std::to_string(++files_);
}

Result<FileDescriptor> TempFolder::lock_root() {
  {
    const std::lock_guard guard(mutex_);
    if (Status ok = open(); !ok) return std::unexpected(ok.error());
  }
  return lock_file(folder_ / "lock");
}

Status TempFolder::open() {
  if (is_open_) return {};
  if (Status ok = make_folders(folder_); !ok) return ok;
  // Under the lock nobody finds a folder that was made but is not held yet.
  const Result<FileDescriptor> root_lock = lock_file(folder_ / "lock");
  if (!root_lock) return std::unexpected(root_lock.error());
  remove_left_overs();
  own_ = folder_ / random_hex_id();
  if (::mkdir(own_.c_str(), 0755) != 0) return std::unexpected(system_error("mkdir", own_.native(), errno));
  Result<FileDescriptor> own_lock = open_file(own_, O_RDONLY | O_DIRECTORY);
  if (!own_lock) return std::unexpected(own_lock.error());
  if (::flock(own_lock->get(), LOCK_EX | LOCK_NB) != 0) {
    return std::unexpected(system_error("flock", own_.native(), errno));
  }
  own_lock_ = std::move(*own_lock);
  is_open_ = true;
  return {};
}

void TempFolder::remove_left_overs() const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    if (!entry.is_directory(ignored)) continue;
    const Result<FileDescriptor> other = open_file(entry.path(), O_RDONLY | O_DIRECTORY);
    if (other && ::flock(other->get(), LOCK_EX | LOCK_NB) == 0) std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace palette::store
