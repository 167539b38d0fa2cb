#include "store/aws/s3_file_body.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "store/local/object_etag.h"

namespace palette::store {
namespace {

class FilePart final : public http::BodySource {
 public:
  FilePart(std::shared_ptr<const FileToPut> file, std::uint64_t offset, std::uint64_t size, async::BlockingPool& pool)
      : file_(std::move(file)), offset_(offset), size_(size), pool_(pool) {}

  std::uint64_t size() const override { return size_; }

  async::Task<Result<std::string>> next() override {
    constexpr std::uint64_t kPieceBytes = 256 * limits::kKiB;
    const std::uint64_t wanted = std::min(kPieceBytes, size_ - done_);
    Result<std::string> piece = co_await pool_.run(
        [file = file_, at = offset_ + done_, wanted] { return read_bytes(file->descriptor, file->path, at, wanted); });
    if (piece) done_ += piece->size();
    co_return piece;
  }

  Status rewind() override {
    done_ = 0;
    return {};
  }

 private:
  std::shared_ptr<const FileToPut> file_;
  std::uint64_t offset_, size_;
  std::uint64_t done_ = 0;
  async::BlockingPool& pool_;
};

}  // namespace

Result<std::shared_ptr<const FileToPut>> open_file_to_put(const std::filesystem::path& path) {
  Result<FileDescriptor> descriptor = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!descriptor) return std::unexpected(descriptor.error());
  struct stat info{};
  if (::fstat(descriptor->get(), &info) != 0) return std::unexpected(system_error("fstat", path.native(), errno));
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorKind::bad_input, "what is to be put is no regular file", path.native());
  }
  auto file = std::make_shared<FileToPut>();
  file->descriptor = std::move(*descriptor);
  file->path = path;
  file->size = static_cast<std::uint64_t>(info.st_size);
  return file;
}

std::shared_ptr<http::BodySource> file_part(std::shared_ptr<const FileToPut> file, std::uint64_t offset,
                                            std::uint64_t size, async::BlockingPool& pool) {
  return std::make_shared<FilePart>(std::move(file), offset, size, pool);
}

}  // namespace palette::store
