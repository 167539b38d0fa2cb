// Where objects live: a folder on one machine (local/file_object_store.h), an S3 bucket in AWS. The semantics are
// S3's: whole objects, conditional writes, strongly consistent listing in byte order of the keys.
// tests/contract/object_store_contract.h holds every implementation to them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"

namespace palette::store {

struct Object {
  std::string body;
  std::string etag;  // names this version of the content; opaque
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // may be empty in a listing
};

struct PutCondition {
  bool if_absent = false;                    // S3 If-None-Match: *  -> already_exists
  std::optional<std::string> if_match = {};  // S3 If-Match: etag    -> changed, or not_found when absent
};

struct ListPage {
  std::vector<ObjectInfo> objects;  // in byte order of the keys
  bool more = false;                // go on with start_after = the last key
};

// An object that is written piece by piece, so that the whole is never in memory. It appears at commit(), whole, over
// what had its key; destroyed before, it leaves nothing.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  // After an error no other call may follow.
  virtual async::Task<Status> append(std::string piece) = 0;
  // Durable when it returns: gives the ETag.
  virtual async::Task<Result<std::string>> commit() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Errors: not_found; io, denied, unavailable, timeout.
  virtual async::Task<Result<Object>> get(std::string key) = 0;
  // Bytes [offset, offset + size), cut at the end of the object. With an `etag` only of that version: `changed` when it
  // is another one now.
  virtual async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                                     std::string etag = {}) = 0;
  virtual async::Task<Result<ObjectInfo>> head(std::string key) = 0;

  // Durable when it returns: gives the ETag. Errors: already_exists, changed, conflict (409: try again), bad_input
  // (a key that is empty, absolute, too long, or has an empty, "." or ".." component).
  virtual async::Task<Result<std::string>> put(std::string key, std::string body, PutCondition condition = {}) = 0;
  // Moves a file into the store: the same promises, without its content in memory. `file` is gone afterwards.
  virtual async::Task<Result<std::string>> put_file(std::string key, std::filesystem::path file,
                                                    PutCondition condition = {}) = 0;

  // Errors as of put. The store must outlive the writer. As it is here it gathers the pieces and puts them.
  virtual async::Task<Result<std::unique_ptr<ObjectWriter>>> open_put(std::string key);

  // Removing what is not there is no error.
  virtual async::Task<Status> remove(std::string key) = 0;

  // Up to `limit` keys (at most limits::kListPageKeys) that start with `prefix` and come after `start_after`.
  virtual async::Task<Result<ListPage>> list(std::string prefix, std::string start_after = {},
                                             std::size_t limit = 1000) = 0;

  // Where a human finds the object: a path, or s3://…
  virtual std::string location(const std::string& key) const = 0;
};

// Every key under `prefix` after `start_after`, page by page, to `limit` keys (too_large past it).
async::Task<Result<std::vector<ObjectInfo>>> list_all(ObjectStore& objects, std::string prefix,
                                                      std::string start_after = {}, std::size_t limit = 10'000'000);

}  // namespace palette::store
