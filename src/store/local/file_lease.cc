#include "store/local/file_lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace palette::store {
namespace {

constexpr int kReopensMax = 10;

std::string read_owner(const FileDescriptor& file) {
  char buffer[512];
  const ssize_t size = ::pread(file.get(), buffer, sizeof buffer, 0);
  return std::string(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
}

bool is_file_of_path(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat locked{}, named{};
  return ::fstat(file.get(), &locked) == 0 && ::stat(path.c_str(), &named) == 0 && locked.st_dev == named.st_dev &&
         locked.st_ino == named.st_ino;
}

Status lock_now(const FileDescriptor& file, const std::filesystem::path& path) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return std::unexpected(system_error("flock", path.native(), errno));
    const std::string owner = read_owner(file);
    return fail(ErrorKind::held, "held by " + (owner.empty() ? "another process" : owner), path.native());
  }
  return {};
}

}  // namespace

Result<FileLease> FileLease::acquire(const std::filesystem::path& path, std::string_view owner_text) {
  if (path.has_parent_path()) {
    if (Status ok = make_folders(path.parent_path()); !ok) return std::unexpected(ok.error());
  }
  for (int opens = 0; opens < kReopensMax; ++opens) {
    Result<FileDescriptor> file = open_file(path, O_RDWR | O_CREAT);
    if (!file) return std::unexpected(file.error());
    if (Status ok = lock_now(*file, path); !ok) return std::unexpected(ok.error());
    // Somebody removed the file between our open and our lock: the lock of a file without a name keeps nobody out.
    if (!is_file_of_path(*file, path)) continue;
    if (::ftruncate(file->get(), 0) != 0) return std::unexpected(system_error("ftruncate", path.native(), errno));
    if (Status ok = write_all(*file, owner_text, path); !ok) return std::unexpected(ok.error());
    return FileLease(std::move(*file));
  }
  return fail(ErrorKind::io, "the file is removed as fast as it is made", path.native());
}

bool FileLease::is_held(const std::filesystem::path& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return false;
  std::ifstream locks("/proc/locks");
  if (!locks) return true;
  // 1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234567 0 EOF
  const std::string inode = ":" + std::to_string(file.st_ino) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find("FLOCK") != std::string::npos && line.find(inode) != std::string::npos) return true;
  }
  return false;
}

std::string FileLease::this_process(UtcTime since) {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '?';
  return "host " + std::string(host) + ", process " + std::to_string(::getpid()) + ", since " + since.to_iso();
}

}  // namespace palette::store
