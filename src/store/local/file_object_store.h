// Objects as files of a folder: the key is the path below the root, the semantics are S3's.
//
//   FileObjectStore objects(data_dir, pool);
//   Result<std::string> etag = co_await objects.put("jobs/J/outputs/batch-0001.jsonl", body, {.if_absent = true});
//
// Several processes may use the same root. Every put is durable when it returns: a file in `.tmp` is written, synced,
// renamed and its folder synced. A removal is at once seen by everybody; a power cut may bring back what its last
// seconds removed. What a folder tree cannot do and S3 can: hold "a" and "a/b" at once (bad_input). The root's own
// `.tmp` is no key.
#pragma once

#include <filesystem>
#include <string>

#include "async/blocking.h"
#include "store/local/temp_folder.h"
#include "store/object_store.h"

namespace palette::store {

class FileObjectStore final : public ObjectStore {
 public:
  // Makes nothing: the root appears with the first put. `pool` does the work and must outlive the store.
  FileObjectStore(std::filesystem::path root, async::BlockingPool& pool);

  async::Task<Result<Object>> get(std::string key) override;
  async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                             std::string etag) override;
  async::Task<Result<ObjectInfo>> head(std::string key) override;
  async::Task<Result<std::string>> put(std::string key, std::string body, PutCondition condition) override;
  // Renamed where the file is on the root's file system, else copied. A file whose put fails stays where it is.
  async::Task<Result<std::string>> put_file(std::string key, std::filesystem::path file,
                                            PutCondition condition) override;
  async::Task<Result<std::unique_ptr<ObjectWriter>>> open_put(std::string key) override;
  async::Task<Status> remove(std::string key) override;
  async::Task<Result<ListPage>> list(std::string prefix, std::string start_after, std::size_t limit) override;
  std::string location(const std::string& key) const override;

 private:
  class Writer;

  // What the pool's threads run.
  Result<std::unique_ptr<ObjectWriter>> open_put_now(const std::string& key);
  Result<Object> get_now(const std::string& key) const;
  Result<std::string> get_range_now(const std::string& key, std::uint64_t offset, std::uint64_t size,
                                    const std::string& etag) const;
  Result<ObjectInfo> head_now(const std::string& key) const;
  Result<std::string> put_now(const std::string& key, std::string_view body, const PutCondition& condition);
  Result<std::string> put_file_now(const std::string& key, const std::filesystem::path& file,
                                   const PutCondition& condition);
  Status remove_now(const std::string& key);

  Result<std::filesystem::path> path_of(const std::string& key) const;
  Status check_before_writing(const std::filesystem::path& path, const PutCondition& condition) const;
  Status publish(const std::string& key, const std::filesystem::path& from, const std::filesystem::path& path,
                 const PutCondition& condition);
  Status rename_once(const std::filesystem::path& from, const std::filesystem::path& path,
                     const PutCondition& condition);
  Status check_match(const std::filesystem::path& path, const std::string& etag) const;
  void remove_empty_folders(std::filesystem::path folder) const;

  std::filesystem::path root_;
  async::BlockingPool& pool_;
  TempFolder temp_;
};

}  // namespace palette::store
