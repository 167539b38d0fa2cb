#include "store/aws/s3_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "aws/s3_upload.h"
#include "contract/object_store_contract.h"
#include "store/aws/test_s3_bucket.h"
#include "store/local/test_folder.h"

namespace palette::contract {
namespace {

struct BucketStore {
  explicit BucketStore(async::BlockingPool& pool) {
    if (bucket.moto) objects = bucket.store_at(bucket.moto->url(), pool);
  }
  store::ObjectStore& store() { return *objects; }

  store::S3TestBucket bucket;
  std::unique_ptr<store::S3ObjectStore> objects;
};
INSTANTIATE_TYPED_TEST_SUITE_P(S3, ObjectStoreContract, BucketStore);

// Every third request meets a fault; PALETTE_FAULT_SEED chooses others. With a prefix before every key.
struct FaultyBucketStore {
  static constexpr bool kLosesAnswers = true;
  explicit FaultyBucketStore(async::BlockingPool& pool) {
    if (!bucket.moto) return;
    const char* seed = std::getenv("PALETTE_FAULT_SEED");
    proxy = bucket.proxy({"--seed",       seed == nullptr ? "1" : seed,
                          "--fault",      "500=0.04",
                          "--fault",      "500_after=0.05",
                          "--fault",      "503=0.05",
                          "--fault",      "conflict=0.06",
                          "--fault",      "cut_before=0.05",
                          "--fault",      "cut_after=0.07",
                          "--fault",      "half=0.04",
                          "--latency-ms", "1",
                          "--jitter-ms",  "3"});
    objects = bucket.store_at(proxy->url(), pool, "team/palette/");
  }
  store::ObjectStore& store() { return *objects; }

  store::S3TestBucket bucket;
  std::shared_ptr<testing::StandIn> proxy;
  std::unique_ptr<store::S3ObjectStore> objects;
};
INSTANTIATE_TYPED_TEST_SUITE_P(FaultyS3, ObjectStoreContract, FaultyBucketStore);

}  // namespace
}  // namespace palette::contract

namespace palette::store {
namespace {

using aws::S3Upload;
using contract::await;
using contract::error_text;

class S3ObjectStoreTest : public ::testing::Test {
 protected:
  S3ObjectStoreTest() {
    if (bucket_.moto) objects_ = bucket_.store_at(bucket_.moto->url(), pool_);
  }
  ObjectStore& objects() { return *objects_; }
  std::string body_of(const std::string& key) { return await(objects().get(key)).value_or(Object{}).body; }

  async::BlockingPool pool_{2};
  S3TestBucket bucket_;
  std::unique_ptr<S3ObjectStore> objects_;
};

std::string text_of(std::size_t bytes) {
  std::string text;
  text.reserve(bytes + 16);
  for (std::uint64_t i = 0; text.size() < bytes; ++i) text += std::to_string(i * 2'654'435'761u) + "\n";
  text.resize(bytes);
  return text;
}

TEST_F(S3ObjectStoreTest, TellsWhereAnObjectIs) {
  EXPECT_EQ(objects().location("jobs/a b"), "s3://" + bucket_.name + "/jobs/a b");
}

TEST_F(S3ObjectStoreTest, ALargeFileGoesInParts) {
  const std::string text = text_of(2 * S3Upload::kPartBytes + 12'345);
  TestFolder folder;
  std::ofstream(folder.path / "file", std::ios::binary) << text;
  const Result<std::string> etag =
      await(objects().put_file("exports/dataset.jsonl", folder.path / "file", {.if_absent = true}));
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_TRUE(etag->ends_with("-3\"")) << *etag;
  EXPECT_FALSE(std::filesystem::exists(folder.path / "file"));
  EXPECT_EQ(body_of("exports/dataset.jsonl"), text);
  const Result<ObjectInfo> info = await(objects().head("exports/dataset.jsonl"));
  ASSERT_TRUE(info) << error_text(info);
  EXPECT_EQ(info->etag, *etag);
  EXPECT_EQ(info->size, text.size());
  // Once more: the condition is not met, the file stays.
  std::ofstream(folder.path / "file", std::ios::binary) << text;
  EXPECT_EQ(await(objects().put_file("exports/dataset.jsonl", folder.path / "file", {.if_absent = true})).error().kind,
            ErrorKind::already_exists);
  EXPECT_TRUE(std::filesystem::exists(folder.path / "file"));
}

TEST_F(S3ObjectStoreTest, AFileOfExactlyOnePartIsOneRequest) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{S3Upload::kPartBytes}}) {
    const std::string text = text_of(size);
    TestFolder folder;
    std::ofstream(folder.path / "file", std::ios::binary) << text;
    const Result<std::string> etag = await(objects().put_file("k", folder.path / "file"));
    ASSERT_TRUE(etag) << error_text(etag);
    EXPECT_EQ(etag->find('-'), std::string::npos) << *etag;
    EXPECT_TRUE(body_of("k") == text);
  }
}

TEST_F(S3ObjectStoreTest, AWriterSendsItsPartsAsTheyFill) {
  const std::string text = text_of(2 * S3Upload::kPartBytes);
  auto writer = await(objects().open_put("journal/a"));
  ASSERT_TRUE(writer) << error_text(writer);
  for (std::size_t at = 0; at < text.size(); at += 3'000'000) {
    ASSERT_TRUE(await((*writer)->append(text.substr(at, 3'000'000))));
  }
  EXPECT_EQ(await(objects().get("journal/a")).error().kind, ErrorKind::not_found);
  const Result<std::string> etag = await((*writer)->commit());
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_TRUE(etag->ends_with("-2\"")) << *etag;
  EXPECT_TRUE(body_of("journal/a") == text);
}

TEST_F(S3ObjectStoreTest, FolderMarkersAreNoObjects) {
  const auto s3 = aws::s3_at(contract::process_loop(), bucket_.moto->url(), bucket_.name);
  for (const char* name : {"a/", "a//b", "b/x", "c/", "d/"}) {
    ASSERT_TRUE(await(s3->put(name, aws::S3Body::of_text(""))));
  }
  for (const std::size_t limit : {1u, 2u, 1'000u}) {
    std::vector<std::string> keys;
    for (bool more = true; more;) {
      const Result<ListPage> page = await(objects().list("", keys.empty() ? "" : keys.back(), limit));
      ASSERT_TRUE(page) << error_text(page);
      for (const ObjectInfo& info : page->objects) keys.push_back(info.key);
      more = page->more;
    }
    EXPECT_THAT(keys, ::testing::ElementsAre("b/x"));
  }
}

TEST_F(S3ObjectStoreTest, OddKeysAreListedAsTheyWerePut) {
  const std::vector<std::string> keys = {"+",           "a b",      "a%2fb", "a+b",
                                         "a&b=c;d?e#f", "a<b>\"c'", "é/ü",   "~!@$^*(){}[]|\\"};
  for (const std::string& key : keys) ASSERT_TRUE(await(objects().put(key, key))) << key;
  const auto listed = await(list_all(objects(), ""));
  ASSERT_TRUE(listed) << error_text(listed);
  std::vector<std::string> got;
  for (const ObjectInfo& info : *listed) got.push_back(info.key);
  EXPECT_THAT(got, ::testing::UnorderedElementsAreArray(keys));
  for (const std::string& key : keys) {
    EXPECT_EQ(body_of(key), key);
    EXPECT_EQ(await(list_all(objects(), key))->size(), 1u) << key;
  }
}

TEST_F(S3ObjectStoreTest, TwoPrefixesDoNotSeeEachOther) {
  const auto one = bucket_.store_at(bucket_.moto->url(), pool_, "one/");
  const auto two = bucket_.store_at(bucket_.moto->url(), pool_, "two/");
  ObjectStore& first = *one;
  ASSERT_TRUE(await(first.put("k", "1")));
  EXPECT_EQ(await(two->get("k")).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(await(list_all(*two, ""))->empty());
  EXPECT_EQ(await(list_all(*one, "")).value().at(0).key, "k");
  EXPECT_EQ(body_of("one/k"), "1");
  EXPECT_EQ(one->location("k"), "s3://" + bucket_.name + "/one/k");
}

TEST_F(S3ObjectStoreTest, ABucketThatIsNotThereIsNoEmptyStart) {
  const S3ObjectStoreParts parts{
      .s3 = aws::s3_at(contract::process_loop(), bucket_.moto->url(), "palette-absent-" + random_hex_id()),
      .pool = &pool_,
      .prefix = {}};
  S3ObjectStore absent(parts);
  EXPECT_EQ(await(absent.get("checkpoint.json")).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(await(list_all(absent, "")).error().kind, ErrorKind::bad_input);
}

// --- scripted faults: each rule of a lost answer, end to end

class FaultyS3ObjectStoreTest : public S3ObjectStoreTest {
 protected:
  FaultyS3ObjectStoreTest() {
    if (!bucket_.moto) return;
    proxy_ = bucket_.proxy({});
    faulty_ = bucket_.store_at(proxy_->url(), pool_);
  }
  ObjectStore& faulty() { return *faulty_; }
  // The next `count` requests with that operation get the fault.
  void script(const std::string& kind, const std::string& operation, int count = 1) {
    const Result<std::string> told = proxy_->ask("POST", "/_proxy/faults",
                                                 R"({"faults": [{"kind": ")" + kind + R"(", "op": ")" + operation +
                                                     R"(", "count": )" + std::to_string(count) + "}]}");
    ASSERT_TRUE(told) << error_text(told);
  }

  std::shared_ptr<testing::StandIn> proxy_;
  std::unique_ptr<S3ObjectStore> faulty_;
};

// DESIGN.md section 6, promise 1: a lost answer is our own write, and equal bytes alone are not.
TEST_F(FaultyS3ObjectStoreTest, ALostAnswerOfAConditionalPutIsOurOwn) {
  for (const char* kind : {"cut_after", "500_after", "half"}) {
    const std::string key = std::string("batch-") + kind;
    script(kind, "PUT");
    const Result<std::string> etag = await(faulty().put(key, "mine", {.if_absent = true}));
    ASSERT_TRUE(etag) << kind << ": " << error_text(etag);
    EXPECT_EQ(*etag, await(objects().head(key)).value().etag);
    script(kind, "PUT");
    EXPECT_EQ(await(faulty().put(key, "mine", {.if_absent = true})).error().kind, ErrorKind::already_exists) << kind;
    script(kind, "PUT");
    const Result<std::string> second = await(faulty().put(key, "changed", {.if_match = *etag}));
    ASSERT_TRUE(second) << kind << ": " << error_text(second);
    EXPECT_EQ(*second, await(objects().head(key)).value().etag);
    script(kind, "PUT");
    EXPECT_EQ(await(faulty().put(key, "changed", {.if_match = *etag})).error().kind, ErrorKind::changed) << kind;
  }
}

TEST_F(FaultyS3ObjectStoreTest, EveryRequestOfAnUploadMayFail) {
  const std::string text = text_of(2 * S3Upload::kPartBytes + 7);
  TestFolder folder;
  int n = 0;
  for (const char* operation : {"CREATE_MULTIPART", "PUT_PART", "COMPLETE_MULTIPART"}) {
    for (const char* kind : {"500", "503", "cut_before", "cut_after", "500_after", "half"}) {
      const std::string key = "exports/" + std::to_string(n++);
      std::ofstream(folder.path / "file", std::ios::binary) << text;
      script(kind, operation, 2);
      const Result<std::string> etag = await(faulty().put_file(key, folder.path / "file", {.if_absent = true}));
      ASSERT_TRUE(etag) << operation << " " << kind << ": " << error_text(etag);
      EXPECT_EQ(*etag, await(objects().head(key)).value().etag);
      EXPECT_TRUE(body_of(key) == text) << operation << " " << kind;
      ASSERT_TRUE(proxy_->ask("POST", "/_proxy/reset"));
    }
  }
}

TEST_F(FaultyS3ObjectStoreTest, AnUploadThatMeetsAnotherWriterStartsAgain) {
  const std::string text = text_of(S3Upload::kPartBytes + 7);
  TestFolder folder;
  std::ofstream(folder.path / "file", std::ios::binary) << text;
  script("conflict", "COMPLETE_MULTIPART");
  const Result<std::string> etag = await(faulty().put_file("k", folder.path / "file", {.if_absent = true}));
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_TRUE(body_of("k") == text);
  const std::string stats = proxy_->ask("GET", "/_proxy/stats").value();
  EXPECT_THAT(stats, ::testing::HasSubstr(R"("CREATE_MULTIPART":2)"));
  EXPECT_THAT(stats, ::testing::HasSubstr(R"("ABORT_MULTIPART":1)"));
}

}  // namespace
}  // namespace palette::store
