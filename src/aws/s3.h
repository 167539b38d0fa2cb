// One bucket of S3: whole objects, ranges and streams, conditional writes, listings, uploads in parts.
//
//   S3 s3(*s3_bucket_of("my-bucket", region, environment), parts);
//   Result<std::string> etag = co_await s3.put("jobs/J/spec.json", S3Body::of_text(body), {.if_absent = true});
//
// Every call is tried again while that may help (retried_service.h; besides it 409, BadDigest and what came damaged).
// Kinds of errors: not_found (no such object), already_exists (If-None-Match), changed (If-Match), conflict (409 again
// and again: another writer is at it), denied, bad_input (also: no such bucket), unavailable, throttled, timeout,
// corrupt (what came is not what S3 says it keeps), too_large.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/retried_service.h"
#include "aws/s3_body.h"
#include "aws/s3_bucket.h"
#include "aws/service.h"
#include "base/result.h"

namespace palette::aws {

struct S3Object {
  std::string body;
  std::string etag;  // as S3 writes it, with its quotes
};

struct S3ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;
};

// At most one of them; both at once are bad_input.
struct S3Condition {
  bool if_absent = false;                    // If-None-Match: *
  std::optional<std::string> if_match = {};  // If-Match
};

struct S3Query {
  std::string prefix = {};
  std::string start_after = {};
  std::size_t keys_max = 1'000;  // S3 gives no more at once
};

struct S3Page {
  std::vector<S3ObjectInfo> objects;  // in byte order of the keys
  bool more = false;                  // go on with start_after = the last key; never after an empty page
};

// Requests that went out, tries included, by what they cost.
struct S3Stats {
  std::int64_t gets = 0;  // and HEAD
  std::int64_t puts = 0;  // and what multipart uploads take
  std::int64_t lists = 0;
  std::int64_t deletes = 0;  // free, as is giving up an upload
};

class S3Stream;
class S3Upload;

class S3 {
 public:
  // `parts.clock` must outlive it; its calls may outlive it themselves. `rules.also` and `rules.check` are its own.
  S3(S3Bucket bucket, ServiceParts parts, RetryRules rules = {});
  ~S3();

  // Verified by its checksum where S3 has one of the whole. too_large over limits::kObjectBytesMax.
  async::Task<Result<S3Object>> get(std::string key);
  // Bytes [offset, offset + size), cut at the end of the object; "" past it. With an `etag` only of that version:
  // `changed` when it is another one now.
  async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                             std::string etag = {});
  // Of any size, piece by piece, from `offset` on (s3_stream.h).
  async::Task<Result<std::unique_ptr<S3Stream>>> open(std::string key, std::uint64_t offset = 0);
  async::Task<Result<S3ObjectInfo>> head(std::string key);

  // Gives the ETag. A conditional put whose answer was lost and that then finds an object looks whether it is its own.
  async::Task<Result<std::string>> put(std::string key, S3Body body, S3Condition condition = {});
  // Many parts of one object (s3_upload.h).
  async::Task<Result<std::unique_ptr<S3Upload>>> start_upload(std::string key);

  // Removing what is not there is no error, unless `if_match` is given: not_found or changed.
  async::Task<Status> remove(std::string key, std::optional<std::string> if_match = {});

  async::Task<Result<S3Page>> list(S3Query query);

  std::string location(std::string_view key) const;
  S3Stats stats() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
