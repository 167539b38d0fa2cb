#include "dataset/file_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fault.h"
#include "base/limits.h"

namespace palette::dataset {
namespace {

constexpr std::size_t kBufferBytes = 256 * limits::kKiB;

}  // namespace

Status write_all(int descriptor, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(system_error("write", name, errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::unique_ptr<FileSink>> FileSink::create(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::unexpected(system_error("open", file.string(), errno));
  return std::unique_ptr<FileSink>(new FileSink(file.string(), descriptor));
}

FileSink::~FileSink() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FileSink::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    if (Status flushed = flush(); !flushed) return flushed;
    if (bytes.size() >= kBufferBytes) return write_all(descriptor_, bytes, name_);
  }
  if (buffer_.capacity() < kBufferBytes) buffer_.reserve(kBufferBytes);
  buffer_ += bytes;
  return {};
}

Status FileSink::flush() {
  Status status = write_all(descriptor_, buffer_, name_);
  buffer_.clear();
  return status;
}

Status FileSink::finish() {
  if (Status flushed = flush(); !flushed) return flushed;
  fault::durable_write("dataset");
  if (::fsync(descriptor_) != 0) return std::unexpected(system_error("fsync", name_, errno));
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) return std::unexpected(system_error("close", name_, errno));
  return {};
}

}  // namespace palette::dataset
