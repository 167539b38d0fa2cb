// What the files of S3 share: the service of the bucket's region, tries and counts. Not for others.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/retried_service.h"
#include "aws/s3.h"
#include "base/random.h"

namespace palette::aws {

// What a request costs, and which of its refusals are worth another try.
enum class S3Call : std::uint8_t { get, put, complete, list, remove };

// The object keeps under this header who put it, so that a writer whose answer was lost knows its own.
inline constexpr std::string_view kWriteIdHeader = "x-amz-meta-plot-palette-write";

struct S3::State {
  State(S3Bucket its_bucket, ServiceParts its_parts, RetryRules its_rules);

  // `request.path` is that of the object (path_of), or "" for the bucket. A refusal for being in the wrong region
  // teaches the region, and the request goes out once more.
  static async::Task<RetriedOutcome> call(std::shared_ptr<State> state, S3Call kind, ServiceRequest request);
  // One try, the answer to be read in pieces; the region is learnt here too.
  static async::Task<ServiceStream> open(std::shared_ptr<State> state, ServiceRequest request);

  // The answer to HEAD. Its refusals have no body: where one does not explain itself, a GET of a byte is asked why.
  static async::Task<RetriedOutcome> head(std::shared_ptr<State> state, std::string key);
  // The ETag of the object when it is the one that was put with `write_id`: by that id or, where the store kept none,
  // by its bytes (`body`, when there is one). Nothing when it is another's; conflict when there is none any more.
  static async::Task<Result<std::optional<std::string>>> own_write(std::shared_ptr<State> state, std::string key,
                                                                   std::string write_id, const S3Body* body);

  std::string path_of(std::string_view key) const;
  std::string location(std::string_view key) const { return bucket.location(key); }
  // The one place where a refusal becomes the error that S3's callers know.
  Error error_of(const ServiceFailure& failure, std::string_view key, const S3Condition& condition = {}) const;

  double random_unit() { return random.unit(); }
  void count(S3Call kind, int tries);
  // True when another try, in the region that `failure` tells, makes sense.
  bool learn_region(const ServiceFailure& failure, const std::string& used_region);
  void make_services();
  RetriedService& service_for(S3Call kind);

  S3Bucket bucket;
  ServiceParts parts;
  RetryRules rules;
  S3Stats stats;
  CounterRandom random;
  std::shared_ptr<Service> service;
  std::unique_ptr<RetriedService> calls, completions;
};

// Of a 2xx answer: its ETag; corrupt when it has none.
Result<std::string> etag_of(const http::Response& response, const std::string& where);

// Is the answer to CompleteMultipartUpload one that says what became of it? It may be 200 and yet tell, in its body,
// that S3 failed on the way. For RetryRules::check.
Status check_completion(const http::Response& response);

// The headers of a condition; bad_input for two at once.
Status add_condition(http::Headers& headers, const S3Condition& condition, const std::string& where);

}  // namespace palette::aws
