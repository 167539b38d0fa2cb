#include "store/aws/s3_object_store.h"

#include <algorithm>
#include <utility>

#include "aws/s3_upload.h"
#include "base/fault.h"
#include "base/limits.h"
#include "store/aws/s3_put_file.h"
#include "store/object_key.h"

namespace palette::store {
namespace {

using aws::S3Body;
using aws::S3Upload;

aws::S3Condition s3_condition(PutCondition condition) {
  return {.if_absent = condition.if_absent, .if_match = std::move(condition.if_match)};
}

}  // namespace

S3ObjectStore::S3ObjectStore(S3ObjectStoreParts parts) : parts_(std::move(parts)) {}

// The key as the bucket has it.
Result<std::string> S3ObjectStore::name_of(const std::string& key) const {
  if (Status ok = check_object_key(key); !ok) return std::unexpected(ok.error());
  std::string name = parts_.prefix + key;
  if (parts_.prefix.empty()) return name;
  if (Status ok = check_object_key(name); !ok) return std::unexpected(ok.error());
  return name;
}

std::string S3ObjectStore::location(const std::string& key) const { return parts_.s3->location(parts_.prefix + key); }

async::Task<Result<Object>> S3ObjectStore::get(std::string key) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  Result<aws::S3Object> object = co_await parts_.s3->get(std::move(*name));
  if (!object) co_return std::unexpected(std::move(object.error()));
  co_return Object{std::move(object->body), std::move(object->etag)};
}

async::Task<Result<std::string>> S3ObjectStore::get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                                          std::string etag) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  co_return co_await parts_.s3->get_range(std::move(*name), offset, size, std::move(etag));
}

async::Task<Result<ObjectInfo>> S3ObjectStore::head(std::string key) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  Result<aws::S3ObjectInfo> info = co_await parts_.s3->head(std::move(*name));
  if (!info) co_return std::unexpected(std::move(info.error()));
  co_return ObjectInfo{std::move(key), info->size, std::move(info->etag)};
}

async::Task<Result<std::string>> S3ObjectStore::put(std::string key, std::string body, PutCondition condition) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  fault::durable_write("object.before_put " + key);
  S3Body content = S3Body::of_text(std::move(body));
  aws::S3Condition s3_only = s3_condition(std::move(condition));
  Result<std::string> etag = co_await parts_.s3->put(std::move(*name), std::move(content), std::move(s3_only));
  if (etag) fault::durable_write("object.after_put " + key);
  co_return etag;
}

async::Task<Result<std::string>> S3ObjectStore::put_file(std::string key, std::filesystem::path file,
                                                         PutCondition condition) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  aws::S3Condition s3_only = s3_condition(std::move(condition));
  co_return co_await put_file_into_s3(parts_.s3, std::move(*name), std::move(file), std::move(s3_only), parts_.pool);
}

// Gathers a part, and sends it when more comes than fits. An upload that is not completed gives itself up.
class S3ObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(std::shared_ptr<aws::S3> s3, std::string name) : s3_(std::move(s3)), name_(std::move(name)) {}

  async::Task<Status> append(std::string piece) override {
    for (std::size_t at = 0; at < piece.size();) {
      if (part_.size() >= S3Upload::kPartBytes) {
        Status sent = co_await send_part();
        if (!sent) co_return sent;
      }
      const std::size_t size = std::min<std::size_t>(piece.size() - at, S3Upload::kPartBytes - part_.size());
      part_.append(piece, at, size);
      at += size;
    }
    co_return Status{};
  }

  async::Task<Result<std::string>> commit() override {
    fault::durable_write("object.before_put " + name_);
    Result<std::string> etag = co_await commit_parts();
    if (etag) fault::durable_write("object.after_put " + name_);
    co_return etag;
  }

 private:
  async::Task<Result<std::string>> commit_parts() {
    if (!upload_) {
      S3Body body = S3Body::of_text(std::exchange(part_, {}));
      co_return co_await s3_->put(name_, std::move(body));
    }
    if (Status sent = co_await send_part(); !sent) co_return std::unexpected(sent.error());
    co_return co_await upload_->complete();
  }

  async::Task<Status> send_part() {
    if (!upload_) {
      Result<std::unique_ptr<S3Upload>> upload = co_await s3_->start_upload(name_);
      if (!upload) co_return std::unexpected(upload.error());
      upload_ = std::move(*upload);
    }
    S3Body body = S3Body::of_text(std::exchange(part_, {}));
    co_return co_await upload_->add(std::move(body));
  }

  std::shared_ptr<aws::S3> s3_;
  std::string name_;
  std::string part_;  // what is not sent yet: never empty while an upload is open
  std::unique_ptr<S3Upload> upload_;
};

async::Task<Result<std::unique_ptr<ObjectWriter>>> S3ObjectStore::open_put(std::string key) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  co_return std::make_unique<Writer>(parts_.s3, std::move(*name));
}

async::Task<Status> S3ObjectStore::remove(std::string key) {
  Result<std::string> name = name_of(key);
  if (!name) co_return std::unexpected(name.error());
  fault::durable_write("object.before_remove " + key);
  Status removed = co_await parts_.s3->remove(std::move(*name));
  if (removed) fault::durable_write("object.after_remove " + key);
  co_return removed;
}

async::Task<Result<ListPage>> S3ObjectStore::list(std::string prefix, std::string start_after, std::size_t limit) {
  if (Status ok = check_object_prefix(prefix); !ok) co_return std::unexpected(ok.error());
  if (limit == 0) co_return ListPage{};
  aws::S3Query query;
  query.prefix = parts_.prefix + prefix;
  if (!start_after.empty()) query.start_after = parts_.prefix + start_after;
  query.keys_max = std::min(limit, limits::kListPageKeys);
  for (;;) {
    Result<aws::S3Page> page = co_await parts_.s3->list(query);
    if (!page) co_return std::unexpected(std::move(page.error()));
    ListPage out;
    out.more = page->more;
    if (!page->objects.empty()) query.start_after = page->objects.back().key;
    for (aws::S3ObjectInfo& info : page->objects) {
      info.key.erase(0, parts_.prefix.size());
      if (check_object_key(info.key)) out.objects.push_back({std::move(info.key), info.size, std::move(info.etag)});
    }
    // A page of nothing but markers says nothing to the caller, who could not go on behind it.
    if (!out.objects.empty() || !out.more) co_return out;
  }
}

}  // namespace palette::store
