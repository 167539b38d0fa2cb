// ListObjectsV2: what is asked, and what comes back.
#pragma once

#include <string>
#include <string_view>

#include "aws/s3.h"
#include "base/result.h"

namespace palette::aws {

struct S3Listing {
  S3Page page;
  std::string next_token;  // opaque; where the listing goes on
};

// The query string; with a token of the page before instead of start_after, when there is one.
std::string listing_query(const S3Query& query, std::string_view token);

// corrupt for what is no ListBucketResult, and for one that goes on and says not where.
Result<S3Listing> parse_listing(std::string_view document);

}  // namespace palette::aws
