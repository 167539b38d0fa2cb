#include "aws/s3_listing.h"

#include <gtest/gtest.h>

#include "aws/s3_test_parts.h"

namespace palette::aws {
namespace {

std::string entry(const std::string& key, int size = 1) {
  return "<Contents><Key>" + key + "</Key><LastModified>2026-11-24T12:00:00.000Z</LastModified><ETag>&quot;e&quot;" +
         "</ETag><Size>" + std::to_string(size) + "</Size><StorageClass>STANDARD</StorageClass></Contents>";
}

std::string listing(const std::string& entries, bool more = false, const std::string& token = "", bool encoded = true) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>box</Name>" +
         std::string(encoded ? "<EncodingType>url</EncodingType>" : "") + "<IsTruncated>" + (more ? "true" : "false") +
         "</IsTruncated>" + (token.empty() ? "" : "<NextContinuationToken>" + token + "</NextContinuationToken>") +
         entries + "</ListBucketResult>";
}

TEST(S3Listing, AsksInOneQuery) {
  EXPECT_EQ(listing_query({}, ""), "list-type=2&encoding-type=url&max-keys=1000");
  EXPECT_EQ(listing_query({.prefix = "jobs/a b+é", .start_after = "x=&y", .keys_max = 7}, ""),
            "list-type=2&encoding-type=url&max-keys=7&prefix=jobs%2Fa%20b%2B%C3%A9&start-after=x%3D%26y");
  EXPECT_EQ(listing_query({.start_after = "x", .keys_max = 5'000}, "t/+="),
            "list-type=2&encoding-type=url&max-keys=1000&continuation-token=t%2F%2B%3D");
}

TEST(S3Listing, KeysAreDecodedWhenTheyAreEncoded) {
  const Result<S3Listing> encoded = parse_listing(listing(entry("a%2Fb+c%2Bd%0A%C3%A9%25", 7), true, "T"));
  ASSERT_TRUE(encoded) << encoded.error().text();
  ASSERT_EQ(encoded->page.objects.size(), 1u);
  EXPECT_EQ(encoded->page.objects[0].key, "a/b c+d\né%");
  EXPECT_EQ(encoded->page.objects[0].size, 7u);
  EXPECT_EQ(encoded->page.objects[0].etag, "\"e\"");
  EXPECT_TRUE(encoded->page.more);
  EXPECT_EQ(encoded->next_token, "T");
  // A stand-in that does not know the parameter says so by leaving the element out.
  EXPECT_EQ(parse_listing(listing(entry("a+b%2F&amp;"), false, "", false))->page.objects[0].key, "a+b%2F&");
}

TEST(S3Listing, RefusesWhatIsNone) {
  for (const std::string& bad :
       {std::string("{}"), std::string("<Error/>"), listing(entry("k", -1)), listing(entry("")), listing("", true)}) {
    const Result<S3Listing> parsed = parse_listing(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::corrupt);
  }
}

TEST(S3Listing, GoesOnBehindAPageThatIsEmpty) {
  S3Bench bench;
  bench.then(s3_reply(200, listing("", true, "t/1")));
  bench.then(s3_reply(200, listing(entry("k"))));
  const Result<S3Page> page = bench.run(bench.s3->list({.prefix = "p", .start_after = "a"}));
  ASSERT_TRUE(page) << error_text(page);
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_FALSE(page->more);
  EXPECT_EQ(bench.requests()[0].target, "/box?list-type=2&encoding-type=url&max-keys=1000&prefix=p&start-after=a");
  EXPECT_EQ(bench.requests()[1].target,
            "/box?list-type=2&encoding-type=url&max-keys=1000&prefix=p&continuation-token=t%2F1");
  EXPECT_EQ(bench.s3->stats().lists, 2);
}

TEST(S3Listing, ThatGoesBackIsRefused) {
  for (const std::string& entries : {entry("b") + entry("a"), entry("b") + entry("b"), entry("a")}) {
    S3Bench bench;
    bench.then(s3_reply(200, listing(entries, true, "t")));
    const Result<S3Page> page = bench.run(bench.s3->list({.start_after = "a"}));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().kind, ErrorKind::corrupt);
  }
}

TEST(S3Listing, IsTriedAgain) {
  S3Bench bench;
  bench.then(s3_refusal(503, "SlowDown"));
  bench.then(cut_reply());
  bench.then(s3_reply(200, listing(entry("k"))));
  ASSERT_TRUE(bench.run(bench.s3->list({})));
  EXPECT_EQ(bench.requests().size(), 3u);
  EXPECT_EQ(bench.s3->stats().lists, 3);
}

}  // namespace
}  // namespace palette::aws
