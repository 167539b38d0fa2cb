// An object that is sent in parts, several at once. It appears at complete(), whole.
//
//   Result<std::unique_ptr<S3Upload>> upload = co_await s3.start_upload("jobs/J/exports/dataset.jsonl");
//   while (…) if (Status sent = co_await (*upload)->add(S3Body::of_text(part)); !sent) …
//   Result<std::string> etag = co_await (*upload)->complete();
//
// Parts of an upload that nobody completes or gives up (the process was killed) stay in the bucket, invisible and paid
// for, until a lifecycle rule AbortIncompleteMultipartUpload removes them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "aws/s3.h"
#include "base/limits.h"

namespace palette::aws {

// Lives on one loop.
class S3Upload {
 public:
  static constexpr std::uint64_t kPartBytes = 8 * limits::kMiB;  // S3 takes 5 MiB to 5 GiB, the last may be smaller
  static constexpr std::size_t kPartsMax = 10'000;
  static constexpr int kPartsInFlightMax = 4;

  // For S3::start_upload().
  static async::Task<Result<std::unique_ptr<S3Upload>>> start(std::shared_ptr<S3::State> s3, std::string key);

  // Not completed: what is in flight is cancelled and the parts are removed, by a task of its own.
  ~S3Upload();
  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  // Sends the next part, and returns when fewer than kPartsInFlightMax are on their way. An error may be that of a part
  // before; it is given again by every further call, and only giving up is left. too_large after kPartsMax parts.
  async::Task<Status> add(S3Body part);

  // Waits for the parts and makes the object of them (of none: an empty one). Gives the ETag. Errors as of S3::put;
  // conflict (another writer was at the object, or somebody removed the parts) means: once more from the beginning.
  // After an error everything is given up.
  async::Task<Result<std::string>> complete(S3Condition condition = {});

  // Removes the parts; returns when that is done, or has failed.
  async::Task<Status> give_up();

  struct State;

 private:
  explicit S3Upload(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace palette::aws
