#include "aws/s3_stream.h"

#include <gtest/gtest.h>

#include <charconv>

#include "aws/s3_state.h"
#include "aws/s3_test_parts.h"
#include "base/hash.h"

namespace palette::aws {
namespace {

// A server with one object, which breaks off in the middle as often as it is told.
struct LargeObject {
  explicit LargeObject(S3Bench& bench) {
    for (int i = 0; body.size() < 300'000; ++i) body += std::to_string(i) + ",";
    bench.script->answer = [this](const http::ServerRequest& request) { return answer(request); };
  }

  http::ServerReply answer(const http::ServerRequest& request) {
    const std::string_view match = request.headers.get("if-match"), range = request.headers.get("range");
    if (!match.empty() && match != etag) return s3_refusal(412, "PreconditionFailed");
    std::size_t from = 0;
    if (!range.empty()) std::from_chars(range.data() + 6, range.data() + range.size(), from);
    if (from >= body.size() && !range.empty()) return s3_refusal(416, "InvalidRange");
    http::Headers headers = {{"ETag", etag}};
    if (!range.empty()) {
      headers.add("Content-Range", "bytes " + std::to_string(from) + "-" + std::to_string(body.size() - 1) + "/" +
                                       std::to_string(body.size()));
    }
    if (range.empty() && !checksum.empty()) headers.add("x-amz-checksum-crc32", checksum);
    http::ServerReply reply = s3_reply(range.empty() ? 200 : 206, body.substr(from), headers);
    if (breaks > 0) {
      --breaks;
      reply.ending = http::Ending::half;
    }
    if (after) after();
    return reply;
  }

  std::string body, etag = "\"v1\"", checksum;
  int breaks = 0;
  std::function<void()> after;
};

async::Task<Result<std::string>> read_all(S3Stream* stream) {
  std::string all;
  for (;;) {
    const Result<std::string> piece = co_await stream->next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    all += *piece;
  }
}

std::unique_ptr<S3Stream> opened(S3Bench& bench, std::uint64_t offset = 0) {
  Result<std::unique_ptr<S3Stream>> stream = bench.run(bench.s3->open("k", offset));
  EXPECT_TRUE(stream) << error_text(stream);
  return stream ? std::move(*stream) : nullptr;
}

TEST(S3Stream, GivesTheObjectInPieces) {
  S3Bench bench;
  LargeObject object(bench);
  object.checksum = crc32_header(crc32_of(object.body));
  const auto stream = opened(bench);
  EXPECT_EQ(stream->info().size, object.body.size());
  EXPECT_EQ(stream->info().etag, "\"v1\"");
  const Result<std::string> first = bench.run(stream->next());
  ASSERT_TRUE(first);
  EXPECT_LT(first->size(), 200'000u) << "not the whole at once";
  EXPECT_EQ(*first + bench.run(read_all(stream.get())).value(), object.body);
  EXPECT_EQ(bench.run(stream->next()).value(), "") << "the end stays the end";
  EXPECT_EQ(bench.requests().size(), 1u);
}

TEST(S3Stream, GoesOnWhereItBroke) {
  S3Bench bench;
  LargeObject object(bench);
  object.checksum = crc32_header(crc32_of(object.body));
  object.breaks = 3;
  const auto stream = opened(bench);
  EXPECT_EQ(bench.run(read_all(stream.get())).value(), object.body);
  ASSERT_EQ(bench.requests().size(), 4u);
  EXPECT_EQ(bench.header(1, "range"), "bytes=" + std::to_string(object.body.size() / 2) + "-");
  EXPECT_EQ(bench.header(1, "if-match"), "\"v1\"");
  EXPECT_EQ(bench.s3->stats().gets, 4);
}

TEST(S3Stream, NeverMixesTwoVersions) {
  S3Bench bench;
  LargeObject object(bench);
  object.breaks = 1;
  object.after = [&] { object.etag = "\"v2\""; };
  const auto stream = opened(bench);
  const Result<std::string> all = bench.run(read_all(stream.get()));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind, ErrorKind::changed);
  EXPECT_NE(all.error().message.find("replaced while it was read"), std::string::npos) << all.error().message;
  EXPECT_EQ(bench.run(stream->next()).error().kind, ErrorKind::changed) << "an error stays";
}

TEST(S3Stream, BeginsAnywhere) {
  S3Bench bench;
  LargeObject object(bench);
  object.checksum = "AAAAAA==";  // of the whole: nothing to go by here
  object.breaks = 1;
  const auto stream = opened(bench, 1'000);
  EXPECT_EQ(stream->info().size, object.body.size());
  EXPECT_EQ(bench.run(read_all(stream.get())).value(), object.body.substr(1'000));
  for (const std::uint64_t past : {object.body.size(), object.body.size() + 7}) {
    EXPECT_EQ(bench.run(opened(bench, past)->next()).value(), "");
  }
}

TEST(S3Stream, TellsAtItsEndWhenItDoesNotAddUp) {
  S3Bench bench;
  LargeObject object(bench);
  object.checksum = "AAAAAA==";
  const auto stream = opened(bench);
  EXPECT_EQ(bench.run(read_all(stream.get())).error().kind, ErrorKind::corrupt);
}

TEST(S3Stream, OpeningIsTriedAgainAndRefusalsAreTold) {
  S3Bench bench;
  bench.then(s3_refusal(503, "SlowDown"));
  bench.then(cut_reply());
  bench.then(s3_refusal(404, "NoSuchKey"));
  EXPECT_EQ(bench.run(bench.s3->open("k")).error().kind, ErrorKind::not_found);
  EXPECT_EQ(bench.requests().size(), 3u);
  bench.then(s3_refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"));
  bench.then(s3_reply(200, "x", {{"ETag", "\"e\""}}));
  EXPECT_EQ(bench.run(opened(bench)->next()).value(), "x");
  EXPECT_NE(bench.header(4, "authorization").find("/eu-west-1/s3/"), std::string::npos);
}

TEST(S3Stream, RefusesWhatItDidNotAskFor) {
  S3Bench bench;
  bench.then(s3_reply(200, "whole", {{"ETag", "\"e\""}}));
  EXPECT_EQ(bench.run(bench.s3->open("k", 2)).error().kind, ErrorKind::corrupt);
  bench.then(s3_reply(206, "ole", {{"ETag", "\"e\""}, {"Content-Range", "bytes 3-4/5"}}));
  EXPECT_EQ(bench.run(bench.s3->open("k", 2)).error().kind, ErrorKind::corrupt);
  bench.then(s3_reply(200, "whole"));
  EXPECT_EQ(bench.run(bench.s3->open("k")).error().kind, ErrorKind::corrupt) << "no version to stay with";
}

TEST(S3Stream, GivesUpWhenNothingComesAnyMore) {
  S3Bench bench({.tries_max = 3, .base_ms = 0});
  LargeObject object(bench);
  object.breaks = 1;
  const auto plain = bench.script->answer;
  bench.script->answer = [&](const http::ServerRequest& request) {
    return request.headers.get("range").empty() ? plain(request) : s3_refusal(503, "SlowDown");
  };
  const auto stream = opened(bench);
  const Result<std::string> all = bench.run(read_all(stream.get()));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind, ErrorKind::throttled);
  EXPECT_EQ(bench.requests().size(), 3u) << "the break counts as a try";
}

}  // namespace
}  // namespace palette::aws
