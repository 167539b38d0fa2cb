// S3 against moto, by itself and through the fault proxy: what a scripted server cannot vouch for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/s3_stream.h"
#include "aws/s3_test_parts.h"
#include "aws/s3_upload.h"
#include "base/ids.h"
#include "support/stand_in.h"

namespace palette::aws {
namespace {

class S3Moto : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto started = testing::StandIn::moto();
    if (!started && started.error().kind == ErrorKind::not_found) GTEST_SKIP() << started.error().text();
    ASSERT_TRUE(started) << started.error().text();
    moto_ = *started;
    make_bucket(loop_, moto_->url(), bucket_);
    s3_ = s3_at(loop_, moto_->url(), bucket_);
  }

  template <class T>
  T run(async::Task<T> task) {
    return loop_.run(std::move(task));
  }
  Result<std::string> put(const std::string& key, std::string body, S3Condition condition = {}) {
    return run(s3_->put(key, S3Body::of_text(std::move(body)), std::move(condition)));
  }
  Result<std::string> read_all(S3& s3, const std::string& key) {
    Result<std::unique_ptr<S3Stream>> stream = run(s3.open(key));
    if (!stream) return std::unexpected(stream.error());
    for (std::string all;;) {
      Result<std::string> piece = run((*stream)->next());
      if (!piece) return piece;
      if (piece->empty()) return all;
      all += *piece;
    }
  }

  async::EventLoop loop_;
  std::string bucket_ = "palette-" + random_hex_id().substr(0, 16);
  std::shared_ptr<testing::StandIn> moto_;
  std::shared_ptr<S3> s3_;
};

TEST_F(S3Moto, RemovesOnlyTheVersionThatIsNamed) {
  const Result<std::string> etag = put("k", "one");
  ASSERT_TRUE(etag) << error_text(etag);
  ASSERT_TRUE(put("k", "two"));
  EXPECT_EQ(run(s3_->remove("k", *etag)).error().kind, ErrorKind::changed);
  EXPECT_EQ(run(s3_->get("k")).value().body, "two");
  EXPECT_TRUE(run(s3_->remove("k", run(s3_->head("k")).value().etag)));
  EXPECT_EQ(run(s3_->head("k")).error().kind, ErrorKind::not_found);
}

TEST_F(S3Moto, ListsBeyondAPage) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(put("p/" + std::to_string(i), "x"));
  const Result<S3Page> page = run(s3_->list({.prefix = "p/", .start_after = "p/1", .keys_max = 3}));
  ASSERT_TRUE(page) << error_text(page);
  ASSERT_EQ(page->objects.size(), 3u);
  EXPECT_EQ(page->objects[0].key, "p/2");
  EXPECT_EQ(page->objects[0].etag, run(s3_->head("p/2")).value().etag);
  EXPECT_TRUE(page->more);
}

// Half of the answers break off: the stream goes on where they did.
TEST_F(S3Moto, AStreamComesWholeThroughBreaks) {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + "\n";
  ASSERT_TRUE(put("large", text));
  EXPECT_TRUE(read_all(*s3_, "large").value() == text);
  const auto proxy =
      testing::StandIn::fault_proxy(*moto_, {"--seed", "3", "--fault", "half=0.5", "--fault", "503=0.1"});
  ASSERT_TRUE(proxy) << error_text(proxy);
  const auto faulty = s3_at(loop_, (*proxy)->url(), bucket_);
  for (int i = 0; i < 5; ++i) {
    const Result<std::string> all = read_all(*faulty, "large");
    ASSERT_TRUE(all) << error_text(all);
    EXPECT_TRUE(*all == text);
  }
  const std::string stats = (*proxy)->ask("GET", "/_proxy/stats").value();
  EXPECT_THAT(stats, ::testing::HasSubstr("\"half\":")) << "nothing broke";
}

// What we count is what is paid for: against the proxy's own count.
TEST_F(S3Moto, CountsWhatItAsks) {
  const auto proxy = testing::StandIn::fault_proxy(*moto_, {});
  ASSERT_TRUE(proxy) << error_text(proxy);
  s3_ = s3_at(loop_, (*proxy)->url(), bucket_);
  ASSERT_TRUE(put("k", "x"));
  ASSERT_TRUE(put("l", "x", {.if_absent = true}));
  ASSERT_TRUE(run(s3_->get("k")));
  ASSERT_TRUE(run(s3_->head("k")));
  ASSERT_TRUE(run(s3_->list({})));
  ASSERT_TRUE(run(s3_->remove("k")));
  const S3Stats stats = s3_->stats();
  EXPECT_EQ(stats.puts, 2);
  EXPECT_EQ(stats.gets, 2);
  EXPECT_EQ(stats.lists, 1);
  EXPECT_EQ(stats.deletes, 1);
  EXPECT_THAT((*proxy)->ask("GET", "/_proxy/stats").value(), ::testing::HasSubstr("\"requests\":6"));
}

}  // namespace
}  // namespace palette::aws
