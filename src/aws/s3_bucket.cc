#include "aws/s3_bucket.h"

#include <algorithm>
#include <utility>

#include "aws/xml_element.h"

namespace palette::aws {
namespace {

const ServiceName kS3{.host_prefix = "s3", .signing_name = "s3", .sdk_id = "S3"};

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

// User guide, "General purpose bucket naming rules"; those of before 2018 had upper-case letters and underscores too.
Status check_bucket_name(std::string_view name) {
  constexpr std::size_t kBytesMin = 3, kBytesMax = 255;
  const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
  if (name.size() >= kBytesMin && name.size() <= kBytesMax && std::ranges::all_of(name, allowed) &&
      is_letter_or_digit(name.front()) && name.find("..") == std::string_view::npos) {
    return {};
  }
  return fail(ErrorKind::bad_input, "'" + std::string(name.substr(0, kBytesMax)) +
                                        "' is no name of an S3 bucket; expected 3 to 63 lower-case letters, digits, "
                                        "dots and hyphens (not an ARN, not s3://…)");
}

// As a part of a host name. A dot would make it two, which the certificate *.s3.{region}.amazonaws.com is not for.
bool is_host_label(std::string_view name) {
  constexpr std::size_t kBytesMax = 63;
  return name.size() <= kBytesMax && name.back() != '-' &&
         std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

Result<http::Url> own_endpoint(std::string_view region) {
  Environment nothing_told;
  nothing_told.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  return endpoint_of(kS3, region, nothing_told);
}

}  // namespace

http::Url S3Bucket::address() const {
  http::Url out = endpoint;
  if (!by_path) out.host = name + "." + out.host;
  return out;
}

std::string S3Bucket::path() const { return by_path ? "/" + name : ""; }

Result<S3Bucket> s3_bucket_of(std::string name, std::string region, const Environment& environment) {
  if (Status ok = check_bucket_name(name); !ok) return std::unexpected(ok.error());
  Result<http::Url> endpoint = endpoint_of(kS3, region, environment);
  if (!endpoint) return std::unexpected(endpoint.error());
  const Result<http::Url> own = own_endpoint(region);
  S3Bucket bucket;
  bucket.is_told = !own || own->text() != endpoint->text();
  bucket.by_path = bucket.is_told || !is_host_label(name);
  bucket.endpoint = std::move(*endpoint);
  bucket.name = std::move(name);
  // A stand-in takes any region, but a signature has one.
  bucket.region = region.empty() ? "us-east-1" : std::move(region);
  return bucket;
}

Result<S3Bucket> s3_bucket_in(S3Bucket bucket, std::string region) {
  Result<http::Url> endpoint = own_endpoint(region);  // checks the region too: it comes from outside
  if (!endpoint) return std::unexpected(endpoint.error());
  if (!bucket.is_told) bucket.endpoint = std::move(*endpoint);
  bucket.region = std::move(region);
  return bucket;
}

std::string region_told_by(const ServiceFailure& failure) {
  const bool misplaced = failure.status == 301 || failure.status == 307 || failure.status == 400;
  if (!misplaced || !failure.response) return "";
  const std::string_view header = failure.response->headers.get("x-amz-bucket-region");
  if (!header.empty()) return std::string(header);
  return xml_element(failure.response->body, "Region").value_or("");
}

}  // namespace palette::aws
