#include "aws/s3_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "async/task_group.h"
#include "async/timer.h"
#include "aws/s3_checksum.h"
#include "aws/s3_state.h"
#include "aws/s3_test_parts.h"

namespace palette::aws {
namespace {

using ::testing::HasSubstr;

const char* const kBegun =
    "<InitiateMultipartUploadResult><UploadId>U/1+&amp;</UploadId></InitiateMultipartUploadResult>";
const char* const kDone =
    "<?xml version=\"1.0\"?>\n  \n<CompleteMultipartUploadResult><ETag>&quot;whole-3&quot;</ETag>"
    "</CompleteMultipartUploadResult>";

// What the server answers to each of the four requests of an upload.
struct UploadServer {
  explicit UploadServer(S3Bench& bench) {
    bench.script->answer = [this](const http::ServerRequest& request) { return answer(request); };
  }

  http::ServerReply answer(const http::ServerRequest& request) {
    if (request.method == "DELETE") {
      ++aborts;
      return s3_reply(204);
    }
    if (request.method == "PUT") return part(request);
    if (request.method == "HEAD") return head();
    if (request.target.ends_with("?uploads=")) {
      write_id = std::string(request.headers.get(kWriteIdHeader));
      return s3_reply(200, kBegun);
    }
    ++completions;
    if (complete) return complete(request);
    return s3_reply(200, kDone);
  }
  http::ServerReply part(const http::ServerRequest& request) {
    if (fail_part && request.target.find(*fail_part) != std::string::npos) return s3_refusal(403, "AccessDenied");
    parts[request.target] = request.body;
    return s3_reply(200, "", {{"ETag", "\"<" + request.body.substr(0, 1) + ">\""}});
  }
  http::ServerReply head() const {
    return s3_reply(200, "", {{"ETag", "\"own\""}, {"Content-Length", "1"}, {std::string(kWriteIdHeader), head_id}});
  }

  std::map<std::string, std::string> parts;
  std::optional<std::string> fail_part;
  std::function<http::ServerReply(const http::ServerRequest&)> complete;
  std::string write_id, head_id;
  int aborts = 0, completions = 0;
};

async::Task<Result<std::string>> upload_parts(S3* s3, std::vector<std::string> parts, S3Condition condition) {
  Result<std::unique_ptr<S3Upload>> upload = co_await s3->start_upload("k");
  if (!upload) co_return std::unexpected(upload.error());
  for (std::string& part : parts) {
    S3Body body = S3Body::of_text(std::move(part));
    const Status added = co_await (*upload)->add(std::move(body));
    if (!added) {
      if (const Status given_up = co_await (*upload)->give_up(); !given_up) co_return std::unexpected(given_up.error());
      co_return std::unexpected(added.error());
    }
  }
  co_return co_await (*upload)->complete(std::move(condition));
}

Result<std::string> send(S3Bench& bench, std::vector<std::string> parts, S3Condition condition = {}) {
  return bench.run(upload_parts(bench.s3.get(), std::move(parts), std::move(condition)));
}

TEST(S3Upload, MakesOneObjectOfItsParts) {
  S3Bench bench;
  UploadServer server(bench);
  const Result<std::string> etag = send(bench, {"aaa", "bb", "c"}, {.if_match = "\"old\""});
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_EQ(*etag, "\"whole-3\"");
  EXPECT_EQ(server.parts, (std::map<std::string, std::string>{{"/box/k?partNumber=1&uploadId=U%2F1%2B%26", "aaa"},
                                                              {"/box/k?partNumber=2&uploadId=U%2F1%2B%26", "bb"},
                                                              {"/box/k?partNumber=3&uploadId=U%2F1%2B%26", "c"}}));
  const http::ServerRequest& begin = bench.requests().front();
  EXPECT_EQ(begin.headers.get("x-amz-checksum-algorithm"), "CRC32");
  EXPECT_EQ(begin.headers.get("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(begin.headers.find("if-match"), nullptr) << "the condition belongs to the end";
  const http::ServerRequest& end = bench.requests().back();
  EXPECT_EQ(end.method, "POST");
  EXPECT_EQ(end.target, "/box/k?uploadId=U%2F1%2B%26");
  EXPECT_EQ(end.headers.get("if-match"), "\"old\"");
  EXPECT_EQ(end.headers.get("x-amz-mp-object-size"), "6");
  EXPECT_EQ(end.headers.get("x-amz-checksum-crc32"), crc32_header(crc32_of("aaabbc")));
  EXPECT_EQ(end.body,
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;&lt;a&gt;&quot;</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&quot;&lt;b&gt;&quot;</ETag></Part>"
            "<Part><PartNumber>3</PartNumber><ETag>&quot;&lt;c&gt;&quot;</ETag></Part></CompleteMultipartUpload>");
  EXPECT_EQ(server.aborts, 0);
  EXPECT_EQ(bench.s3->stats().puts, 5);
}

TEST(S3Upload, OfNoPartsIsAnEmptyObject) {
  S3Bench bench;
  UploadServer server(bench);
  ASSERT_TRUE(send(bench, {}));
  EXPECT_EQ(server.parts.begin()->second, "");
}

// At most four parts are on their way, and there are four: a server that answers only when it has as many.
struct Gate {
  int now = 0, most = 0;
};

async::Task<http::ServerReply> slow_part(Gate* gate, S3Script* script, http::ServerRequest request) {
  if (request.method != "PUT") co_return script->answer(request);
  gate->most = std::max(gate->most, ++gate->now);
  (void)co_await async::sleep_for(20);
  --gate->now;
  co_return script->answer(request);
}

// The same answers, but parts take their time.
struct SlowUploads {
  explicit SlowUploads(S3Bench& its_bench) : bench(its_bench), server(bench) {
    auto slow = http::Server::listen(bench.loop.context().get_executor(), {},
                                     [gate = &gate, script = bench.script.get()](http::ServerRequest request) {
                                       return slow_part(gate, script, std::move(request));
                                     });
    if (!slow) throw std::runtime_error(slow.error().text());
    listening = std::move(*slow);
    s3 = s3_at(bench.loop, "http://127.0.0.1:" + std::to_string(listening->port()), "box", {.base_ms = 0});
  }

  S3Bench& bench;
  UploadServer server;
  Gate gate;
  std::unique_ptr<http::Server> listening;
  std::shared_ptr<S3> s3;
};

TEST(S3Upload, HasFourPartsOnTheirWay) {
  S3Bench bench;
  SlowUploads slow(bench);
  const std::vector<std::string> twelve(12, "part");
  ASSERT_TRUE(bench.run(upload_parts(slow.s3.get(), twelve, {})));
  EXPECT_EQ(slow.gate.most, S3Upload::kPartsInFlightMax);
  EXPECT_EQ(slow.server.parts.size(), 12u);
}

async::Task<void> keep_outcome(async::Task<Result<std::string>> task, std::optional<Result<std::string>>* outcome) {
  outcome->emplace(co_await std::move(task));
}

TEST(S3Upload, ThatIsCancelledIsGivenUp) {
  S3Bench bench;
  SlowUploads slow(bench);
  std::optional<Result<std::string>> outcome;
  async::TaskGroup group(bench.loop.context().get_executor());
  group.spawn(keep_outcome(upload_parts(slow.s3.get(), std::vector<std::string>(9, "part"), {}), &outcome));
  for (int i = 0; i < 1'000 && slow.gate.now < 4; ++i) ASSERT_TRUE(bench.run(async::sleep_for(1)));
  group.cancel();
  for (int i = 0; i < 1'000 && slow.server.aborts == 0; ++i) ASSERT_TRUE(bench.run(async::sleep_for(1)));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(slow.server.aborts, 1) << "though nobody waits for it any more";
  EXPECT_EQ(slow.server.completions, 0);
  EXPECT_EQ(group.running(), 0u);
}

TEST(S3Upload, APartThatFailsGivesUpTheWhole) {
  S3Bench bench;
  UploadServer server(bench);
  server.fail_part = "partNumber=2&";
  const Result<std::string> etag = send(bench, {"a", "b", "c", "d", "e", "f", "g"});
  ASSERT_FALSE(etag);
  EXPECT_EQ(etag.error().kind, ErrorKind::denied);
  EXPECT_EQ(server.aborts, 1);
  EXPECT_EQ(server.completions, 0);
  EXPECT_EQ(bench.requests().back().method, "DELETE") << "after the last part";
}

TEST(S3Upload, ASuccessThatTellsOfAnErrorIsTriedAgain) {
  S3Bench bench;
  UploadServer server(bench);
  server.complete = [&](const http::ServerRequest&) {
    if (server.completions == 1) return s3_reply(200, " \n <Error><Code>InternalError</Code></Error>");
    if (server.completions == 2) return s3_reply(200, "   ");
    return s3_reply(200, kDone);
  };
  const Result<std::string> etag = send(bench, {"a"});
  EXPECT_TRUE(etag) << error_text(etag);
  EXPECT_EQ(server.completions, 3);
}

TEST(S3Upload, ConditionsThatAreNotMetAreTold) {
  struct Case {
    int status;
    const char* code;
    S3Condition condition;
    ErrorKind kind;
  };
  for (const Case& one : {Case{412, "PreconditionFailed", {.if_absent = true}, ErrorKind::already_exists},
                          Case{412, "PreconditionFailed", {.if_match = "e"}, ErrorKind::changed},
                          Case{200, "PreconditionFailed", {.if_absent = true}, ErrorKind::already_exists},
                          Case{404, "NoSuchKey", {.if_match = "e"}, ErrorKind::not_found},
                          Case{409, "ConditionalRequestConflict", {.if_absent = true}, ErrorKind::conflict},
                          Case{404, "NoSuchUpload", {}, ErrorKind::conflict}}) {
    S3Bench bench;
    UploadServer server(bench);
    server.complete = [&](const http::ServerRequest&) { return s3_refusal(one.status, one.code); };
    const Result<std::string> etag = send(bench, {"a"}, one.condition);
    ASSERT_FALSE(etag);
    EXPECT_EQ(etag.error().kind, one.kind) << one.status << " " << one.code << ": " << etag.error().text();
    EXPECT_EQ(server.completions, 1) << "after a 409 an upload starts again from its beginning";
    EXPECT_EQ(server.aborts, 1);
  }
}

TEST(S3Upload, ALostAnswerIsFoundToBeOurOwnObject) {
  for (const bool is_own : {true, false}) {
    for (const char* code : {"NoSuchUpload", "PreconditionFailed"}) {
      S3Bench bench;
      UploadServer server(bench);
      server.complete = [&](const http::ServerRequest&) {
        if (server.completions == 1) return cut_reply();
        server.head_id = is_own ? server.write_id : "another";
        return s3_refusal(code[0] == 'N' ? 404 : 412, code);
      };
      const Result<std::string> etag = send(bench, {"a"}, {.if_absent = true});
      EXPECT_EQ(etag.has_value(), is_own) << code << " " << error_text(etag);
      if (is_own) EXPECT_EQ(*etag, "\"own\"");
      EXPECT_EQ(server.aborts, is_own ? 0 : 1);
    }
  }
}

async::Task<Status> begin_and_leave(S3* s3) {
  Result<std::unique_ptr<S3Upload>> upload = co_await s3->start_upload("k");
  if (!upload) co_return std::unexpected(upload.error());
  S3Body body = S3Body::of_text("a");
  co_return co_await (*upload)->add(std::move(body));
}

TEST(S3Upload, WhatIsNeitherCompletedNorGivenUpIsRemoved) {
  S3Bench bench;
  UploadServer server(bench);
  ASSERT_TRUE(bench.run(begin_and_leave(bench.s3.get())));
  for (int i = 0; i < 200 && server.aborts == 0; ++i) ASSERT_TRUE(bench.run(async::sleep_for(5)));
  EXPECT_EQ(server.aborts, 1);
  EXPECT_EQ(server.completions, 0);
}

TEST(S3Upload, WhatCannotBeRemovedIsSaid) {
  S3Bench bench;
  UploadServer server(bench);
  const auto plain = bench.script->answer;
  bench.script->answer = [&](const http::ServerRequest& request) {
    return request.method == "DELETE" ? s3_refusal(403, "AccessDenied") : plain(request);
  };
  server.complete = [&](const http::ServerRequest&) { return s3_refusal(400, "InvalidPart"); };
  const Result<std::string> etag = send(bench, {"a"});
  ASSERT_FALSE(etag);
  EXPECT_EQ(etag.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(etag.error().message, HasSubstr("InvalidPart"));
  EXPECT_THAT(etag.error().message, HasSubstr("its parts could not be removed either: S3 answered AccessDenied"));
}

}  // namespace
}  // namespace palette::aws
