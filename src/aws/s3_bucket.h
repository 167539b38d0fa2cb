// Which bucket, and how it is reached: by its own host name, or (stand-ins, names with dots) by the path.
#pragma once

#include <string>
#include <string_view>

#include "aws/environment.h"
#include "aws/service.h"
#include "base/result.h"

namespace palette::aws {

struct S3Bucket {
  std::string name;
  std::string region;       // what requests are signed for
  http::Url endpoint = {};  // of the service, without the bucket
  bool is_told = false;     // the endpoint was set by the user and stays, whatever the region
  bool by_path = false;     // endpoint/bucket/key, not bucket.endpoint/key

  // Where requests go, and what their path begins with: "" or "/bucket".
  http::Url address() const;
  std::string path() const;
  std::string location(std::string_view key) const { return "s3://" + name + "/" + std::string(key); }
};

// The endpoint is what endpoint_of() says for S3 (AWS_ENDPOINT_URL_S3, …, or the region's own). bad_input for a name
// that no bucket can have, and for what endpoint_of() refuses.
Result<S3Bucket> s3_bucket_of(std::string name, std::string region, const Environment& environment);

// The same bucket as another region has it; bad_input for what is no region.
Result<S3Bucket> s3_bucket_in(S3Bucket bucket, std::string region);

// Which region a refusal says that the bucket is in: x-amz-bucket-region, or <Region> of its body. "" when it says
// none, or is no refusal for being in the wrong place.
std::string region_told_by(const ServiceFailure& failure);

}  // namespace palette::aws
