// Objects in a bucket of S3. ETags are S3's own, with their quotes.
//
//   S3ObjectStore objects({.s3 = s3, .pool = &pool});
//   Result<std::string> etag = co_await objects.put("jobs/J/outputs/batch-0001.jsonl", body, {.if_absent = true});
//
// A put whose answer was lost looks whether it took effect (aws/s3.h), so that already_exists and changed are always
// another writer's doing. Keys that the store would refuse and others have put into the bucket (folder markers such as
// "seed-data/") are left out of listings.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/blocking.h"
#include "aws/s3.h"
#include "store/object_store.h"

namespace palette::store {

struct S3ObjectStoreParts {
  std::shared_ptr<aws::S3> s3;
  async::BlockingPool* pool = nullptr;  // reads the files that are put; must outlive the store
  std::string prefix = {};              // before every key: "" or one that ends with a slash
};

class S3ObjectStore final : public ObjectStore {
 public:
  explicit S3ObjectStore(S3ObjectStoreParts parts);

  async::Task<Result<Object>> get(std::string key) override;
  async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                             std::string etag) override;
  async::Task<Result<ObjectInfo>> head(std::string key) override;
  async::Task<Result<std::string>> put(std::string key, std::string body, PutCondition condition) override;
  // Read twice, a part at a time: once for its hash. A file whose put fails stays where it is.
  async::Task<Result<std::string>> put_file(std::string key, std::filesystem::path file,
                                            PutCondition condition) override;
  // One request at commit(), as long as it fits into a part (8 MiB); then parts, sent as they fill.
  async::Task<Result<std::unique_ptr<ObjectWriter>>> open_put(std::string key) override;
  async::Task<Status> remove(std::string key) override;
  async::Task<Result<ListPage>> list(std::string prefix, std::string start_after, std::size_t limit) override;
  std::string location(const std::string& key) const override;

 private:
  class Writer;

  Result<std::string> name_of(const std::string& key) const;

  S3ObjectStoreParts parts_;
};

}  // namespace palette::store
