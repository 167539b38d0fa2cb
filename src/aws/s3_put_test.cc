// What is put, under which condition, and what becomes of a put whose answer was lost.
#include <gtest/gtest.h>

#include "aws/s3.h"
#include "aws/s3_checksum.h"
#include "aws/s3_state.h"
#include "aws/s3_test_parts.h"
#include "base/hash.h"

namespace palette::aws {
namespace {

const http::Headers kTagged = {{"ETag", "\"e1\""}};

Result<std::string> put(S3Bench& bench, std::string body, S3Condition condition = {}) {
  return bench.run(bench.s3->put("k", S3Body::of_text(std::move(body)), std::move(condition)));
}

TEST(S3Put, SendsTheBodyWithItsSums) {
  S3Bench bench;
  bench.then(s3_reply(200, "", kTagged));
  EXPECT_EQ(put(bench, "data").value(), "\"e1\"");
  EXPECT_EQ(bench.requests()[0].method, "PUT");
  EXPECT_EQ(bench.requests()[0].body, "data");
  EXPECT_EQ(bench.header(0, "x-amz-content-sha256"), sha256_hex("data"));
  EXPECT_EQ(bench.header(0, "x-amz-checksum-crc32"), crc32_header(crc32_of("data")));
  EXPECT_EQ(bench.header(0, "if-none-match"), "");
  EXPECT_EQ(bench.header(0, "if-match"), "");
  EXPECT_EQ(bench.header(0, kWriteIdHeader), "");
}

TEST(S3Put, ConditionsBecomeHeadersAndTheirRefusalsKinds) {
  S3Bench bench;
  bench.then(s3_refusal(412, "PreconditionFailed", "<Condition>If-None-Match</Condition>"));
  EXPECT_EQ(put(bench, "x", {.if_absent = true}).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(bench.header(0, "if-none-match"), "*");
  bench.then(s3_refusal(412, "PreconditionFailed"));
  EXPECT_EQ(put(bench, "x", {.if_match = "\"e\""}).error().kind, ErrorKind::changed);
  EXPECT_EQ(bench.header(1, "if-match"), "\"e\"");
  bench.then(s3_refusal(404, "NoSuchKey"));
  EXPECT_EQ(put(bench, "x", {.if_match = "\"e\""}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(put(bench, "x", {.if_absent = true, .if_match = "e"}).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(bench.requests().size(), 3u) << "two conditions at once are not sent, and a plain refusal is final";
}

// A server with one object, which does what S3 does, but loses the answers that it is told to lose.
struct OneObject {
  explicit OneObject(S3Bench& bench) {
    bench.script->answer = [this](const http::ServerRequest& request) { return answer(request); };
  }

  http::ServerReply answer(const http::ServerRequest& request) {
    if (request.method != "PUT") {
      if (!exists) return s3_refusal(404, "NoSuchKey");
      http::Headers headers = {{"ETag", etag}};
      if (keeps_metadata && !write_id.empty()) headers.add(std::string(kWriteIdHeader), write_id);
      if (request.method == "HEAD") headers.add("Content-Length", std::to_string(body.size()));
      return s3_reply(200, request.method == "HEAD" ? "" : body, headers);
    }
    const bool is_met = request.headers.get("if-none-match") == "*" ? !exists : request.headers.get("if-match") == etag;
    if (!is_met) return s3_refusal(412, "PreconditionFailed");
    if (loses_before) return --loses_before, cut_reply();
    exists = true;
    body = request.body;
    write_id = std::string(request.headers.get(kWriteIdHeader));
    etag = "\"" + sha256_hex(body).substr(0, 8) + "\"";
    if (after_put) after_put();
    if (loses_after) return --loses_after, cut_reply();
    return s3_reply(200, "", {{"ETag", etag}});
  }

  bool exists = false, keeps_metadata = true;
  int loses_before = 0, loses_after = 0;
  std::string body, etag, write_id;
  std::function<void()> after_put;
};

TEST(S3Put, ALostAnswerIsFoundToBeOurOwnWrite) {
  for (const bool keeps_metadata : {true, false}) {
    S3Bench bench;
    OneObject object(bench);
    object.keeps_metadata = keeps_metadata;
    object.loses_after = 1;
    const Result<std::string> etag = put(bench, "mine", {.if_absent = true});
    ASSERT_TRUE(etag) << error_text(etag);
    EXPECT_EQ(*etag, object.etag);
    object.loses_after = 1;
    const Result<std::string> second = put(bench, "mine too", {.if_match = *etag});
    ASSERT_TRUE(second) << error_text(second);
    EXPECT_EQ(*second, object.etag);
    EXPECT_EQ(object.body, "mine too");
  }
}

TEST(S3Put, ALostRequestGoesAgain) {
  S3Bench bench;
  OneObject object(bench);
  object.loses_before = 2;
  ASSERT_TRUE(put(bench, "mine", {.if_absent = true}));
  EXPECT_EQ(object.body, "mine");
}

// The answer is lost, and the object that is met is another's: of other bytes, or of the same under another's id.
TEST(S3Put, AnothersObjectIsNotOurs) {
  for (const std::string theirs : {"theirs", "mine"}) {
    S3Bench bench;
    OneObject object(bench);
    object.loses_before = 1;
    int puts = 0;
    const auto plain = bench.script->answer;
    bench.script->answer = [&](const http::ServerRequest& request) {
      if (request.method == "PUT" && puts++ == 1) {
        object.exists = true;
        object.body = theirs;
        object.etag = "\"theirs\"";
        object.write_id = "another";
      }
      return plain(request);
    };
    EXPECT_EQ(put(bench, "mine", {.if_absent = true}).error().kind, ErrorKind::already_exists) << theirs;
    EXPECT_EQ(object.write_id, "another");
  }
}

TEST(S3Put, WithoutMetadataTheBytesDecide) {
  for (const std::string theirs : {"theirs", "eniM", "mine"}) {
    S3Bench bench;
    OneObject object(bench);
    object.keeps_metadata = false;
    object.loses_after = 1;
    object.after_put = [&] { object.body = theirs; };
    const Result<std::string> etag = put(bench, "mine", {.if_absent = true});
    EXPECT_EQ(etag.has_value(), theirs == "mine") << error_text(etag);
  }
}

TEST(S3Put, WhatWasRemovedMeanwhileIsToBePutAgain) {
  S3Bench bench;
  bench.then(cut_reply());
  bench.then(s3_refusal(412, "PreconditionFailed"));
  bench.then(s3_reply(404));
  EXPECT_EQ(put(bench, "x", {.if_absent = true}).error().kind, ErrorKind::conflict);
}

TEST(S3Put, AnObjectThatCannotBeReadBackIsAnError) {
  S3Bench bench({.tries_max = 2, .base_ms = 0});
  bench.then(cut_reply());
  bench.then(s3_refusal(412, "PreconditionFailed"));
  for (int i = 0; i < 2; ++i) bench.then(s3_reply(503));
  EXPECT_EQ(put(bench, "x", {.if_absent = true}).error().kind, ErrorKind::unavailable);
}

// A body that comes in pieces, from a text.
class TextSource final : public http::BodySource {
 public:
  explicit TextSource(std::string text, std::uint64_t size_told) : text_(std::move(text)), size_(size_told) {}
  std::uint64_t size() const override { return size_; }
  async::Task<Result<std::string>> next() override { return piece(this); }
  Status rewind() override {
    ++rewinds;
    at_ = 0;
    return {};
  }
  int rewinds = 0;

 private:
  static async::Task<Result<std::string>> piece(TextSource* self) {
    std::string out = self->text_.substr(self->at_, 1'000);
    self->at_ += out.size();
    co_return out;
  }
  std::string text_;
  std::uint64_t size_;
  std::size_t at_ = 0;
};

TEST(S3Put, ABodyInPiecesIsHashedFirstAndSentAtEachTryFromItsStart) {
  S3Bench bench;
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i);
  auto source = std::make_shared<TextSource>(text, text.size());
  Result<S3Body> body = bench.run(S3Body::of_source(source));
  ASSERT_TRUE(body) << error_text(body);
  EXPECT_EQ(body->sha256, sha256_hex(text));
  bench.then(s3_refusal(500, "InternalError"));
  bench.then(s3_reply(200, "", kTagged));
  ASSERT_TRUE(bench.run(bench.s3->put("k", std::move(*body))));
  ASSERT_EQ(bench.requests().size(), 2u);
  for (const std::size_t n : {0u, 1u}) {
    EXPECT_EQ(bench.requests()[n].body, text);
    EXPECT_EQ(bench.header(n, "x-amz-content-sha256"), sha256_hex(text)) << "over http nothing goes unsigned";
    EXPECT_EQ(bench.header(n, "x-amz-checksum-crc32"), crc32_header(crc32_of(text)));
  }
}

TEST(S3Put, ASourceThatChangesWhileItIsReadIsRefused) {
  S3Bench bench;
  for (const std::uint64_t size : {2u, 4u}) {
    const Result<S3Body> body = bench.run(S3Body::of_source(std::make_shared<TextSource>("abc", size)));
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().kind, ErrorKind::bad_input);
  }
}

}  // namespace
}  // namespace palette::aws
