#include "aws/s3_listing.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "aws/s3_xml.h"
#include "aws/sigv4.h"

namespace palette::aws {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// As of a form: S3 writes a space as "+" there, and a plus sign as "%2B".
std::string url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_code =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (is_code) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Result<S3ObjectInfo> read_entry(const XmlElement& entry, bool is_encoded) {
  S3ObjectInfo info;
  const std::string_view key = entry.text_of("Key"), size = entry.text_of("Size");
  info.key = is_encoded ? url_decoded(key) : std::string(key);
  info.etag = std::string(entry.text_of("ETag"));
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), info.size);
  if (info.key.empty() || error != std::errc() || end != size.data() + size.size()) {
    return fail(ErrorKind::corrupt, "a listing of S3 has an entry with the key '" + info.key + "' and the size '" +
                                        std::string(size) + "'");
  }
  return info;
}

}  // namespace

std::string listing_query(const S3Query& query, std::string_view token) {
  constexpr std::size_t kKeysMax = 1'000;
  // The XML 1.0 of a listing cannot hold every key as it is; encoded it can.
  std::string out = "list-type=2&encoding-type=url&max-keys=" + std::to_string(std::min(query.keys_max, kKeysMax));
  if (!query.prefix.empty()) out += "&prefix=" + uri_encode(query.prefix, false);
  if (!token.empty()) {
    out += "&continuation-token=" + uri_encode(token, false);
  } else if (!query.start_after.empty()) {
    out += "&start-after=" + uri_encode(query.start_after, false);
  }
  return out;
}

Result<S3Listing> parse_listing(std::string_view document) {
  const Result<XmlElement> root = parse_xml(document);
  if (!root) return std::unexpected(root.error());
  if (root->name != "ListBucketResult") {
    return fail(ErrorKind::corrupt, "S3 answered a listing with <" + root->name + "> instead of <ListBucketResult>");
  }
  const bool is_encoded = root->text_of("EncodingType") == "url";
  S3Listing out;
  for (const XmlElement& child : root->children) {
    if (child.name != "Contents") continue;
    Result<S3ObjectInfo> info = read_entry(child, is_encoded);
    if (!info) return std::unexpected(info.error());
    out.page.objects.push_back(std::move(*info));
  }
  out.page.more = root->text_of("IsTruncated") == "true";
  out.next_token = std::string(root->text_of("NextContinuationToken"));
  if (out.page.more && out.next_token.empty() && out.page.objects.empty()) {
    return fail(ErrorKind::corrupt, "a listing of S3 says that more follows, and not where");
  }
  return out;
}

}  // namespace palette::aws
