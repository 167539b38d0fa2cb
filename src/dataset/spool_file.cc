#include "dataset/spool_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/limits.h"
#include "dataset/file_sink.h"

namespace palette::dataset {
namespace {

constexpr std::size_t kBufferBytes = 64 * limits::kKiB;

}  // namespace

Result<std::unique_ptr<SpoolFile>> SpoolFile::create(const std::filesystem::path& folder) {
  auto file = create_named(folder);
  if (!file) return file;
  ::unlink((*file)->name_.c_str());
  (*file)->has_name_ = false;
  return file;
}

Result<std::unique_ptr<SpoolFile>> SpoolFile::create_named(const std::filesystem::path& folder) {
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  if (ec) return std::unexpected(system_error("mkdir", folder.string(), ec.value()));
  std::string name = (folder / "seed-spool-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(system_error("mkostemp", name, errno));
  return std::unique_ptr<SpoolFile>(new SpoolFile(std::move(name), descriptor));
}

SpoolFile::~SpoolFile() {
  ::close(descriptor_);
  if (has_name_) ::unlink(name_.c_str());  // nothing is there when it was moved away
}

Status SpoolFile::append(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Status{} : flush();
}

Status SpoolFile::flush() {
  Status written = write_all(descriptor_, buffer_, name_);
  buffer_.clear();
  return written;
}

Result<std::string> SpoolFile::read(std::uint64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::pread(descriptor_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(system_error("pread", name_, errno));
    if (count == 0)
      return fail(ErrorKind::io, "the spool file of the seed data is shorter than what was written", name_);
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace palette::dataset
