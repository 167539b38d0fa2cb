// Service: answers and bodies that come in pieces.
#include <gtest/gtest.h>

#include "aws/s3_test_parts.h"
#include "base/hash.h"

namespace palette::aws {
namespace {

// Credentials that were refused are replaced by the next.
class Renewable final : public CredentialProvider {
 public:
  async::Task<Result<Credentials>> get() override { return given(this); }
  void expire(const Credentials&) override { ++expired; }
  int expired = 0;

 private:
  static async::Task<Result<Credentials>> given(Renewable* self) {
    Credentials out;
    out.keys = {"AK" + std::to_string(self->expired), "secret-key", ""};
    out.source = "test";
    co_return out;
  }
};

class Pieces final : public http::BodySource {
 public:
  explicit Pieces(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  async::Task<Result<std::string>> next() override { return piece(this); }
  Status rewind() override {
    if (broken) return fail(ErrorKind::io, "the disk is broken");
    at_ = 0;
    return {};
  }
  bool broken = false;

 private:
  static async::Task<Result<std::string>> piece(Pieces* self) {
    std::string out = self->text_.substr(self->at_, 3);
    self->at_ += out.size();
    co_return out;
  }
  std::string text_;
  std::size_t at_ = 0;
};

struct StreamBench : S3Bench {
  StreamBench() {
    ServiceParts parts;
    parts.http = std::shared_ptr<http::Client>(std::shared_ptr<void>(), &client);
    parts.credentials = provider;
    parts.clock = &clock;
    service = std::make_unique<Service>(ServiceName{.host_prefix = "s3", .signing_name = "s3", .sdk_id = "S3"},
                                        *http::Url::parse("http://127.0.0.1:" + std::to_string(server->port())),
                                        "us-east-1", parts);
  }
  ServiceRequest request(std::string method = "GET") const {
    ServiceRequest out;
    out.method = std::move(method);
    out.path = "/k";
    return out;
  }

  std::shared_ptr<Renewable> provider = std::make_shared<Renewable>();
  std::unique_ptr<Service> service;
};

TEST(ServiceStream, IsRefusedLikeACall) {
  StreamBench bench;
  bench.then(s3_refusal(503, "SlowDown"));
  const ServiceStream stream = bench.run(bench.service->open(bench.request()));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().error.kind, ErrorKind::throttled);
  EXPECT_EQ(stream.error().code, "SlowDown");
  EXPECT_EQ(stream.error().status, 503);
  ASSERT_TRUE(stream.error().response);
  EXPECT_NE(stream.error().response->body.find("SlowDown"), std::string::npos);
  bench.then(cut_reply());
  const ServiceStream lost = bench.run(bench.service->open(bench.request()));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().status, 0);
  EXPECT_TRUE(lost.error().sent);
}

TEST(ServiceStream, GoesAgainWithNewCredentials) {
  StreamBench bench;
  bench.then(s3_refusal(400, "ExpiredToken"));
  bench.then(s3_reply(200, "body"));
  ServiceStream stream = bench.run(bench.service->open(bench.request()));
  ASSERT_TRUE(stream) << stream.error().error.text();
  EXPECT_EQ(bench.run((*stream)->next()).value(), "body");
  EXPECT_EQ(bench.provider->expired, 1);
  EXPECT_NE(bench.header(1, "authorization").find("Credential=AK1/"), std::string::npos);
}

TEST(ServiceBody, FromASourceGoesFromItsStartAtEachAttempt) {
  StreamBench bench;
  bench.then(s3_refusal(400, "ExpiredToken"));
  bench.then(s3_reply(200));
  ServiceRequest request = bench.request("PUT");
  request.body_source = std::make_shared<Pieces>("0123456789");
  request.payload_sha256 = sha256_hex("0123456789");
  ASSERT_TRUE(bench.run(bench.service->call(std::move(request))));
  ASSERT_EQ(bench.requests().size(), 2u);
  for (const std::size_t n : {0u, 1u}) {
    EXPECT_EQ(bench.requests()[n].body, "0123456789");
    EXPECT_EQ(bench.header(n, "content-length"), "10");
    EXPECT_EQ(bench.header(n, "x-amz-content-sha256"), sha256_hex("0123456789"));
  }
}

TEST(ServiceBody, FromASourceIsNotSentUnsigned) {
  StreamBench bench;
  ServiceRequest request = bench.request("PUT");
  auto source = std::make_shared<Pieces>("0123456789");
  request.body_source = source;
  EXPECT_EQ(bench.run(bench.service->call(request)).error().error.kind, ErrorKind::internal);
  request.payload_sha256 = sha256_hex("0123456789");
  source->broken = true;
  const ServiceOutcome unread = bench.run(bench.service->call(request));
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().error.kind, ErrorKind::io);
  EXPECT_FALSE(unread.error().sent);
  EXPECT_TRUE(bench.requests().empty());
}

TEST(ServiceBody, ThatIsSharedIsTheOneThatIsSent) {
  StreamBench bench;
  bench.then(s3_reply(200));
  ServiceRequest request = bench.request("PUT");
  request.shared_body = std::make_shared<const std::string>("shared");
  ASSERT_TRUE(bench.run(bench.service->call(std::move(request))));
  EXPECT_EQ(bench.requests()[0].body, "shared");
  EXPECT_EQ(bench.header(0, "x-amz-content-sha256"), sha256_hex("shared"));
}

}  // namespace
}  // namespace palette::aws
