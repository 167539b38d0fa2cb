// An object of any size, read piece by piece with little memory.
//
//   Result<std::unique_ptr<S3Stream>> stream = co_await s3.open("seed-data/u/seeds.jsonl");
//   for (;;) { Result<std::string> piece = co_await (*stream)->next(); if (!piece || piece->empty()) break; … }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "aws/s3.h"
#include "aws/s3_checksum.h"
#include "http/client.h"

namespace palette::aws {

// A connection that breaks, or that S3 closes while nobody reads, is made anew from where it broke: always of the same
// version of the object (If-Match), so that no two versions are mixed.
class S3Stream {
 public:
  // For S3::open(), which makes the first connection.
  S3Stream(std::shared_ptr<S3::State> state, std::string key, std::uint64_t offset);
  ~S3Stream();
  S3Stream(const S3Stream&) = delete;
  S3Stream& operator=(const S3Stream&) = delete;
  async::Task<Status> connect();

  // Of the whole object. Nothing is known of one that was opened at or past its end: size 0 and no ETag.
  const S3ObjectInfo& info() const { return info_; }

  // The next bytes; "" at the end, and from then on. changed when the object was replaced meanwhile, not_found when it
  // was removed; corrupt at the end, when the whole does not add up to its checksum. An error is given again by every
  // further call.
  async::Task<Result<std::string>> next();

 private:
  ServiceRequest request() const;
  Status check_answer(const http::ResponseStream& answer) const;
  void take(std::unique_ptr<http::ResponseStream> stream);
  async::Task<Status> pause_after(Error error);
  Result<std::string> finish();

  std::shared_ptr<S3::State> state_;
  std::string key_;
  std::uint64_t position_;
  S3ObjectInfo info_;
  bool is_begun_ = false, has_ended_ = false, size_is_known_ = false;
  std::unique_ptr<http::ResponseStream> stream_;
  std::optional<ChecksumOfObject> checksum_;
  std::optional<Error> failure_;
  int failed_ = 0;  // tries since something came
  std::int64_t progress_at_ms_ = 0;
};

// Whether the object has exactly those bytes: read to its end, unless its size tells.
async::Task<Result<bool>> has_same_bytes(std::shared_ptr<S3::State> state, std::string key, std::uint64_t size,
                                         std::string sha256);

}  // namespace palette::aws
