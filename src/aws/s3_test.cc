#include "aws/s3.h"

#include <gtest/gtest.h>

#include "aws/s3_checksum.h"
#include "aws/s3_test_parts.h"
#include "base/hash.h"

namespace palette::aws {
namespace {

const http::Headers kTagged = {{"ETag", "\"e1\""}};

// --- reading

TEST(S3, GetsAnObjectAsItIsKept) {
  S3Bench bench;
  bench.then(s3_reply(200, "body", {{"ETag", "\"e1\""}, {"Content-Encoding", "gzip"}}));
  const Result<S3Object> object = bench.run(bench.s3->get("jobs/a b+é"));
  ASSERT_TRUE(object) << error_text(object);
  EXPECT_EQ(object->body, "body") << "not unpacked, though it is said to be packed";
  EXPECT_EQ(object->etag, "\"e1\"");
  EXPECT_EQ(bench.requests()[0].method, "GET");
  EXPECT_EQ(bench.requests()[0].target, "/box/jobs/a%20b%2B%C3%A9");
  EXPECT_EQ(bench.header(0, "x-amz-checksum-mode"), "ENABLED");
  EXPECT_EQ(bench.header(0, "x-amz-content-sha256"), sha256_hex(""));
  EXPECT_EQ(bench.header(0, "accept-encoding"), "");
  EXPECT_NE(bench.header(0, "authorization").find("/us-east-1/s3/aws4_request"), std::string::npos);
  EXPECT_EQ(bench.s3->stats().gets, 1);
}

TEST(S3, WhatCameDamagedIsAskedForAgain) {
  const http::Headers headers = {{"ETag", "\"e\""}, {"x-amz-checksum-crc32", crc32_header(crc32_of("right"))}};
  S3Bench bench;
  bench.then(s3_reply(200, "wrong", headers));
  bench.then(s3_reply(200, "right", headers));
  EXPECT_EQ(bench.run(bench.s3->get("k")).value().body, "right");
  S3Bench damaged;
  for (int i = 0; i < 5; ++i) damaged.then(s3_reply(200, "wrong", headers));
  const Result<S3Object> object = damaged.run(damaged.s3->get("k"));
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(object.error().text().starts_with("s3://box/k: what came of the object has the checksum"))
      << object.error().text();
  EXPECT_EQ(damaged.requests().size(), 3u);
}

TEST(S3, GetsARange) {
  S3Bench bench;
  bench.then(s3_reply(206, "3456", {{"Content-Range", "bytes 3-6/10"}}));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 4)).value(), "3456");
  EXPECT_EQ(bench.header(0, "range"), "bytes=3-6");
  EXPECT_EQ(bench.header(0, "x-amz-checksum-mode"), "") << "a sum of the whole says nothing of a range";
  bench.then(s3_reply(206, "89", {{"Content-Range", "bytes 8-9/10"}}));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 8, UINT64_MAX)).value(), "89");
  EXPECT_EQ(bench.header(1, "range"), "bytes=8-");
  bench.then(s3_refusal(416, "InvalidRange"));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 10, 1)).value(), "");
  bench.then(s3_reply(200, "", kTagged));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 0)).value(), "");
  EXPECT_EQ(bench.requests()[3].method, "HEAD");
  bench.then(s3_reply(200, "0123456789", kTagged));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 4)).error().kind, ErrorKind::corrupt);
}

TEST(S3, GetsARangeOfOneVersionOnly) {
  S3Bench bench;
  bench.then(s3_reply(206, "3456", {{"Content-Range", "bytes 3-6/10"}}));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 4, "\"e\"")).value(), "3456");
  EXPECT_EQ(bench.header(0, "if-match"), "\"e\"");
  bench.then(s3_refusal(412, "PreconditionFailed"));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 4, "\"e\"")).error().kind, ErrorKind::changed);
  bench.then(s3_reply(200, "", kTagged));
  EXPECT_EQ(bench.run(bench.s3->get_range("k", 3, 0, "\"another\"")).error().kind, ErrorKind::changed);
}

TEST(S3, TheHeadTellsSizeAndETag) {
  S3Bench bench;
  bench.then(s3_reply(200, "", {{"ETag", "\"e\""}, {"Content-Length", "123"}}));
  const Result<S3ObjectInfo> info = bench.run(bench.s3->head("k"));
  ASSERT_TRUE(info) << error_text(info);
  EXPECT_EQ(info->size, 123u);
  EXPECT_EQ(info->etag, "\"e\"");
  EXPECT_EQ(bench.requests()[0].method, "HEAD");
}

TEST(S3, ARefusalOfHeadIsExplainedByAGet) {
  S3Bench bench;
  bench.then(s3_reply(403));
  bench.then(s3_refusal(403, "AccessDenied"));
  const Result<S3ObjectInfo> info = bench.run(bench.s3->head("k"));
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::denied);
  EXPECT_NE(info.error().message.find("AccessDenied"), std::string::npos) << info.error().message;
  EXPECT_EQ(bench.header(1, "range"), "bytes=0-0");
  bench.then(s3_reply(400));
  bench.then(s3_reply(206, "x", {{"Content-Range", "bytes 0-0/7"}}));  // the reason is gone
  bench.then(s3_reply(200, "", {{"ETag", "\"e\""}, {"Content-Length", "7"}}));
  EXPECT_EQ(bench.run(bench.s3->head("k")).value().size, 7u);
}

// --- what refusals mean

struct Refused {
  int status;
  const char* code;
  ErrorKind kind;
};

TEST(S3, RefusalsHaveTheirKinds) {
  for (const Refused& refused :
       {Refused{404, "NoSuchKey", ErrorKind::not_found}, Refused{404, "NoSuchBucket", ErrorKind::bad_input},
        Refused{403, "AccessDenied", ErrorKind::denied}, Refused{400, "InvalidArgument", ErrorKind::bad_input}}) {
    S3Bench bench;
    bench.then(s3_refusal(refused.status, refused.code));
    const Result<S3Object> object = bench.run(bench.s3->get("k"));
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().kind, refused.kind) << object.error().text();
    EXPECT_EQ(object.error().where, "s3://box/k");
    EXPECT_EQ(bench.requests().size(), 1u) << refused.code;
  }
}

TEST(S3, WhatMayHelpIsTriedAgain) {
  for (const Refused& refused :
       {Refused{503, "SlowDown", ErrorKind::throttled}, Refused{500, "InternalError", ErrorKind::unavailable},
        Refused{503, "ServiceUnavailable", ErrorKind::unavailable}, Refused{400, "RequestTimeout", ErrorKind::timeout},
        Refused{400, "BadDigest", ErrorKind::bad_input}, Refused{409, "OperationAborted", ErrorKind::conflict},
        Refused{400, "XAmzContentSHA256Mismatch", ErrorKind::bad_input},
        Refused{409, "ConditionalRequestConflict", ErrorKind::conflict}}) {
    S3Bench bench;
    bench.then(s3_refusal(refused.status, refused.code));
    bench.then(cut_reply());
    bench.then(s3_reply(200, "", kTagged));
    const Result<std::string> etag = bench.run(bench.s3->put("k", S3Body::of_text("x")));
    EXPECT_TRUE(etag) << error_text(etag);
    EXPECT_EQ(bench.requests().size(), 3u) << refused.code;
    EXPECT_EQ(bench.s3->stats().puts, 3);
    S3Bench for_ever({.tries_max = 4, .base_ms = 0});
    for_ever.script->answer = [&](const http::ServerRequest&) { return s3_refusal(refused.status, refused.code); };
    const Result<std::string> refusal = for_ever.run(for_ever.s3->put("k", S3Body::of_text("x")));
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().kind, refused.kind) << refusal.error().text();
    EXPECT_EQ(for_ever.requests().size(), 4u) << refused.code;
  }
}

// --- the region

TEST(S3, LearnsTheRegionOfTheBucket) {
  const std::vector<http::ServerReply> refusals = {
      s3_reply(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}}),
      s3_refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
      s3_reply(307, "<Error><Code>TemporaryRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}})};
  for (const http::ServerReply& refusal : refusals) {
    S3Bench bench;
    bench.then(refusal);
    bench.then(s3_reply(200, "x", kTagged));
    bench.then(s3_reply(200, "y", kTagged));
    EXPECT_EQ(bench.run(bench.s3->get("k")).value().body, "x");
    EXPECT_EQ(bench.run(bench.s3->get("k")).value().body, "y");
    ASSERT_EQ(bench.requests().size(), 3u) << "it is kept";
    EXPECT_NE(bench.header(0, "authorization").find("/us-east-1/s3/"), std::string::npos);
    EXPECT_NE(bench.header(1, "authorization").find("/eu-west-1/s3/"), std::string::npos);
    EXPECT_NE(bench.header(2, "authorization").find("/eu-west-1/s3/"), std::string::npos);
  }
}

TEST(S3, GoesToAnotherRegionOnce) {
  S3Bench bench;
  bench.then(s3_refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"));
  bench.then(s3_refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-2</Region>"));
  EXPECT_FALSE(bench.run(bench.s3->get("k")));
  EXPECT_EQ(bench.requests().size(), 2u);
  // What is no region is not believed, and one that is told with a success neither.
  S3Bench other;
  other.then(s3_refusal(400, "AuthorizationHeaderMalformed", "<Region>evil.example/</Region>"));
  EXPECT_EQ(other.run(other.s3->get("k")).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(other.requests().size(), 1u);
}

// --- removing

TEST(S3, RemovesAnObject) {
  S3Bench bench;
  bench.then(s3_reply(204));
  EXPECT_TRUE(bench.run(bench.s3->remove("k")));
  EXPECT_EQ(bench.requests()[0].method, "DELETE");
  EXPECT_EQ(bench.header(0, "if-match"), "");
  bench.then(s3_refusal(404, "NoSuchKey"));
  EXPECT_TRUE(bench.run(bench.s3->remove("k")));
  bench.then(s3_refusal(404, "NoSuchBucket"));
  EXPECT_EQ(bench.run(bench.s3->remove("k")).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(bench.s3->stats().deletes, 3);
}

TEST(S3, RemovesOnlyTheVersionThatIsNamed) {
  S3Bench bench;
  bench.then(s3_refusal(412, "PreconditionFailed"));
  EXPECT_EQ(bench.run(bench.s3->remove("k", "\"e\"")).error().kind, ErrorKind::changed);
  EXPECT_EQ(bench.header(0, "if-match"), "\"e\"");
  bench.then(s3_refusal(404, "NoSuchKey"));
  EXPECT_EQ(bench.run(bench.s3->remove("k", "\"e\"")).error().kind, ErrorKind::not_found);
  bench.then(cut_reply());  // it may have been removed by the try whose answer was lost
  bench.then(s3_refusal(404, "NoSuchKey"));
  EXPECT_TRUE(bench.run(bench.s3->remove("k", "\"e\"")));
}

}  // namespace
}  // namespace palette::aws
