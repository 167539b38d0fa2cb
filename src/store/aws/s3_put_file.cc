#include "store/aws/s3_put_file.h"

#include <algorithm>
#include <utility>

#include "async/timer.h"
#include "aws/s3_upload.h"
#include "base/fault.h"
#include "store/aws/s3_file_body.h"

namespace palette::store {
namespace {

using aws::S3Body;
using aws::S3Upload;

constexpr int kUploadsMax = 4;  // of one file, when another writer got in between

// Larger parts for a file that would have too many of them.
std::uint64_t part_bytes_of(std::uint64_t size) {
  return std::max(S3Upload::kPartBytes, (size + S3Upload::kPartsMax - 1) / S3Upload::kPartsMax);
}

async::Task<Status> add_parts(S3Upload* upload, std::shared_ptr<const FileToPut> file, async::BlockingPool* pool) {
  const std::uint64_t part_bytes = part_bytes_of(file->size);
  for (std::uint64_t offset = 0; offset < file->size; offset += part_bytes) {
    const std::uint64_t size = std::min(part_bytes, file->size - offset);
    Result<S3Body> part = co_await S3Body::of_source(file_part(file, offset, size, *pool));
    if (!part) co_return std::unexpected(part.error());
    Status added = co_await upload->add(std::move(*part));
    if (!added) co_return added;
  }
  co_return Status{};
}

async::Task<Result<std::string>> upload_file(std::shared_ptr<aws::S3> s3, std::string name,
                                             std::shared_ptr<const FileToPut> file, aws::S3Condition condition,
                                             async::BlockingPool* pool) {
  Result<std::unique_ptr<S3Upload>> upload = co_await s3->start_upload(name);
  if (!upload) co_return std::unexpected(upload.error());
  Status added = co_await add_parts(upload->get(), std::move(file), pool);
  if (added) co_return co_await (*upload)->complete(std::move(condition));
  Error error = std::move(added.error());
  if (const Status removed = co_await (*upload)->give_up(); !removed && error.kind != ErrorKind::cancelled) {
    error.message += "; its parts could not be removed either: " + removed.error().message;
  }
  co_return std::unexpected(std::move(error));
}

async::Task<Result<std::string>> put_small_file(std::shared_ptr<aws::S3> s3, std::string name,
                                                std::shared_ptr<const FileToPut> file, aws::S3Condition condition,
                                                async::BlockingPool* pool) {
  const std::uint64_t size = file->size;
  Result<S3Body> body = co_await S3Body::of_source(file_part(std::move(file), 0, size, *pool));
  if (!body) co_return std::unexpected(body.error());
  co_return co_await s3->put(std::move(name), std::move(*body), std::move(condition));
}

Status remove_file(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) return std::unexpected(system_error("remove", path.native(), error.value()));
  return {};
}

// Upload after upload, until nobody gets in between.
async::Task<Result<std::string>> upload_until_it_stands(std::shared_ptr<aws::S3> s3, std::string name,
                                                        std::shared_ptr<const FileToPut> file,
                                                        aws::S3Condition condition, async::BlockingPool* pool) {
  for (int uploads = 1;; ++uploads) {
    Result<std::string> etag = co_await upload_file(s3, name, file, condition, pool);
    const bool goes_again = !etag && etag.error().kind == ErrorKind::conflict && uploads < kUploadsMax;
    if (!goes_again) co_return etag;
    // The upload itself takes so long that who collided does not collide again at the same moment.
    constexpr std::int64_t kPause_ms = 100;
    if (const Status slept = co_await async::sleep_for(kPause_ms); !slept) co_return std::unexpected(slept.error());
  }
}

}  // namespace

async::Task<Result<std::string>> put_file_into_s3(std::shared_ptr<aws::S3> s3, std::string name,
                                                  std::filesystem::path file, aws::S3Condition condition,
                                                  async::BlockingPool* pool) {
  if (condition.if_absent && condition.if_match) {
    co_return fail(ErrorKind::bad_input, "a put is conditional on absence or on an ETag, not on both",
                   s3->location(name));
  }
  const auto opened = co_await pool->run([file] { return open_file_to_put(file); });
  if (!opened) co_return std::unexpected(opened.error());
  fault::durable_write("object.before_put " + name);
  const bool is_small = (*opened)->size <= S3Upload::kPartBytes;
  Result<std::string> etag = is_small ? co_await put_small_file(s3, name, *opened, condition, pool)
                                      : co_await upload_until_it_stands(s3, name, *opened, condition, pool);
  if (!etag) co_return etag;
  fault::durable_write("object.after_put " + name);
  const Status removed = co_await pool->run([file] { return remove_file(file); });
  if (!removed) co_return std::unexpected(removed.error());
  co_return etag;
}

}  // namespace palette::store
