#include "dataset/seed_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/limits.h"
#include "contract/await.h"
#include "dataset/object_rows.h"
#include "dataset/test_folder.h"
#include "store/aws/test_s3_bucket.h"
#include "store/local/file_object_store.h"

namespace palette::dataset {
namespace {

using contract::all_of, contract::await, contract::error_text;

constexpr std::size_t kLargeBytes = 40 * limits::kMiB;

// Passes everything on and counts; can do something at a read or a put.
class WatchedStore final : public store::ObjectStore {
 public:
  explicit WatchedStore(store::ObjectStore& inner) : inner_(inner) {}

  std::map<std::string, int> ranges;
  std::function<void(const std::string& key)> before_put = [](const std::string&) {};
  std::function<Status(const std::string& key, std::uint64_t offset)> before_range =
      [](const std::string&, std::uint64_t) -> Status { return {}; };

  async::Task<Result<store::Object>> get(std::string key) override { return inner_.get(std::move(key)); }
  async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                             std::string etag) override {
    ++ranges[key];
    if (Status allowed = before_range(key, offset); !allowed) co_return std::unexpected(allowed.error());
    co_return co_await inner_.get_range(std::move(key), offset, size, std::move(etag));
  }
  async::Task<Result<store::ObjectInfo>> head(std::string key) override { return inner_.head(std::move(key)); }
  async::Task<Result<std::string>> put(std::string key, std::string body, store::PutCondition condition) override {
    return inner_.put(std::move(key), std::move(body), std::move(condition));
  }
  async::Task<Result<std::string>> put_file(std::string key, std::filesystem::path file,
                                            store::PutCondition condition) override {
    before_put(key);
    co_return co_await inner_.put_file(std::move(key), std::move(file), std::move(condition));
  }
  async::Task<Status> remove(std::string key) override { return inner_.remove(std::move(key)); }
  async::Task<Result<store::ListPage>> list(std::string prefix, std::string start_after, std::size_t limit) override {
    return inner_.list(std::move(prefix), std::move(start_after), limit);
  }
  std::string location(const std::string& key) const override { return "store:" + key; }

 private:
  store::ObjectStore& inner_;
};

std::string row_of(std::size_t i) {
  return "{\"_id\": \"r" + std::to_string(i) + "\", \"text\": \"" + std::string(i * 37 % 300, 'x') +
         " \\u00e9 ü\\n\\\"quoted\\\"\", \"n\": " + std::to_string(i) + "}";
}

// Rows of many lengths; `bytes` in all or a little more.
std::string large(SeedFormat format, std::size_t bytes = kLargeBytes) {
  std::string text;
  text.reserve(bytes + 1024);
  if (format == SeedFormat::json) text += "\xEF\xBB\xBF [\n";
  if (format == SeedFormat::csv) text += "_id,\"the \"\"text\"\"\"\r\n";
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    if (format == SeedFormat::json) {
      text += (i > 0 ? " ,\n  " : "") + row_of(i);
    } else if (format == SeedFormat::jsonl) {
      text += row_of(i) + (i % 5 == 0 ? "\r\n\n" : "\n");
    } else {
      text += std::to_string(i) + ",\"" + std::string(i * 37 % 300, 'y') + ", \"\"ü\"\"\r\nnext line\"\n";
    }
  }
  if (format == SeedFormat::json) text += "]\n";
  return text;
}

class SeedObject : public ::testing::Test {
 protected:
  void put(std::string key, std::string body) {
    const auto done = await(files_.put(std::move(key), std::move(body), {}));
    ASSERT_TRUE(done) << error_text(done);
  }
  Result<SeedData> open(std::string key) { return await(open_seed_object(places_, std::move(key))); }
  static Result<std::string> row(const SeedData& seeds, std::uint64_t index) { return await(seeds.row_text_of(index)); }
  std::string index_key(const std::string& key) {
    return seed_index_key(key, await(files_.head(key)).value_or(store::ObjectInfo{}).etag);
  }

  TestFolder folder_;
  async::BlockingPool pool_{2};
  store::FileObjectStore files_{folder_ / "objects", pool_};
  WatchedStore watched_{files_};
  SeedPlaces places_{&watched_, &pool_, folder_ / "spool"};
};

async::Task<Status> compare_all(const SeedData* of_object, const SeedData* of_file, std::uint64_t step) {
  for (std::uint64_t i = 0; i < of_file->rows(); i += step) {
    const auto got = co_await of_object->row_text_of(i), wanted = of_file->row_text(i);
    if (!got) co_return std::unexpected(got.error());
    if (*got != wanted.value()) co_return fail(ErrorKind::internal, "row " + std::to_string(i) + " is " + *got);
  }
  co_return Status{};
}

TEST_F(SeedObject, ALargeOneHasTheRowsOfTheFile) {
  for (const SeedFormat format : {SeedFormat::jsonl, SeedFormat::csv, SeedFormat::json}) {
    const std::string name = "seeds." + std::string(to_string(format));
    const std::string text = large(format);
    const auto of_file = SeedData::open(folder_.write(name, text), folder_ / "spool");
    ASSERT_TRUE(of_file) << error_text(of_file);
    put("s/" + name, text);
    const auto seeds = open("s/" + name);
    ASSERT_TRUE(seeds) << error_text(seeds);
    EXPECT_EQ(seeds->rows(), of_file->rows());
    EXPECT_EQ(seeds->sha256(), of_file->sha256());
    EXPECT_EQ(seeds->text_sample(100'000).value(), of_file->text_sample(100'000).value());

    watched_.ranges.clear();
    const Status same = await(compare_all(&*seeds, &*of_file, 1));
    EXPECT_TRUE(same) << name << ": " << error_text(same);
    const int windows = static_cast<int>(text.size() / ObjectRows::kWindowBytes);
    EXPECT_LE(watched_.ranges["s/" + name], windows * 11 / 10) << "rows in sequence are read many at a time";
    EXPECT_EQ(row(*seeds, seeds->rows() - 1).value(), of_file->row_text(seeds->rows() - 1).value());
  }
}

TEST_F(SeedObject, FirstRowsOfALargeOneAreAtHand) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto seeds = open("s.jsonl");
  ASSERT_TRUE(seeds) << error_text(seeds);
  ASSERT_GT(seeds->rows_at_hand(), 1000u);
  ASSERT_LT(seeds->rows_at_hand(), seeds->rows());
  EXPECT_EQ(seeds->row(999)->at("n"), 999);
  const auto beyond = seeds->row_text(seeds->rows_at_hand());
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind, ErrorKind::internal);
}

TEST_F(SeedObject, TheIndexIsMadeOnce) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto first = open("s.jsonl");
  ASSERT_TRUE(first) << error_text(first);
  const int head = watched_.ranges["s.jsonl"] - 6;  // 40 MiB are six pieces of 8 MiB, the last of a few bytes
  EXPECT_GT(head, 0);
  EXPECT_EQ(watched_.ranges[index_key("s.jsonl")], 0);
  watched_.ranges.clear();
  const auto second = open("s.jsonl");
  ASSERT_TRUE(second) << error_text(second);
  EXPECT_EQ(watched_.ranges["s.jsonl"], head) << "only the rows at hand";
  EXPECT_EQ(watched_.ranges[index_key("s.jsonl")], 1);
  EXPECT_EQ(second->sha256(), first->sha256());
  EXPECT_EQ(second->rows_at_hand(), first->rows_at_hand());
  EXPECT_EQ(row(*second, 150'000).value(), row(*first, 150'000).value());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "spool")) << "nothing is left behind";
}

TEST_F(SeedObject, AnIndexThatAnotherWorkerWasFasterWithIsTheSame) {
  put("s.jsonl", large(SeedFormat::jsonl));
  std::string others;
  watched_.before_put = [&](const std::string& key) {
    others = key;
    folder_.write("objects/" + key, "theirs");
  };
  const auto seeds = open("s.jsonl");
  ASSERT_TRUE(seeds) << error_text(seeds);
  EXPECT_EQ(others, index_key("s.jsonl"));
  EXPECT_EQ(await(files_.get(others))->body, "theirs");
  EXPECT_TRUE(row(*seeds, 150'000));
}

TEST_F(SeedObject, ABadIndexIsToldNotUsed) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const std::string key = index_key("s.jsonl");
  for (const char* body : {"", "what is this", "12345678{}\x02\x00\x00\x00PALSEED1"}) {
    put(key, body);
    const auto seeds = open("s.jsonl");
    ASSERT_FALSE(seeds) << body;
    EXPECT_EQ(seeds.error().kind, ErrorKind::corrupt);
    EXPECT_TRUE(seeds.error().text().starts_with("store:" + key + ": this is no index of seed data: "))
        << seeds.error().text();
  }
}

TEST_F(SeedObject, AReplacedObjectIsToldNotRead) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto seeds = open("s.jsonl");
  ASSERT_TRUE(seeds) << error_text(seeds);
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto gone = row(*seeds, 100'000);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::changed);
  EXPECT_EQ(gone.error().message, "the seed data was replaced since it was opened");
  const auto fresh = open("s.jsonl");
  ASSERT_TRUE(fresh) << error_text(fresh);
  EXPECT_TRUE(row(*fresh, 100'000));
}

TEST_F(SeedObject, AnObjectThatIsReplacedWhileItIsReadIsTold) {
  put("s.jsonl", large(SeedFormat::jsonl));
  watched_.before_range = [&](const std::string& key, std::uint64_t offset) -> Status {
    if (offset > 0 && key == "s.jsonl") folder_.write("objects/s.jsonl", "{\"a\":1}\n");
    return {};
  };
  const auto seeds = open("s.jsonl");
  ASSERT_FALSE(seeds);
  EXPECT_EQ(seeds.error().kind, ErrorKind::changed);
  EXPECT_EQ(seeds.error().message, "the seed data was replaced while it was read; start again");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "spool"));
}

TEST_F(SeedObject, WhatIsWrongInALargeOneIsToldWithItsPlace) {
  const std::string good = large(SeedFormat::jsonl);
  const auto lines = std::to_string(std::ranges::count(good, '\n') + 1);
  put("s.jsonl", good + "{\"a\": oops}\n");
  const auto seeds = open("s.jsonl");
  ASSERT_FALSE(seeds);
  EXPECT_EQ(seeds.error().kind, ErrorKind::bad_input);
  EXPECT_TRUE(seeds.error().text().starts_with("store:s.jsonl:" + lines + ":7: ")) << seeds.error().text();
  put("b.jsonl", good + "{\"a\": \"\xFF\"}\n");
  EXPECT_TRUE(open("b.jsonl").error().text().starts_with("store:b.jsonl:" + lines + ":8: the byte 0xFF"));
}

TEST_F(SeedObject, NeighboursThatAreAskedForAtOnceAreReadOnce) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto seeds = open("s.jsonl");
  ASSERT_TRUE(seeds) << error_text(seeds);
  watched_.ranges.clear();
  std::vector<async::Task<Result<std::string>>> asks;
  for (std::uint64_t i = 100'000; i < 100'256; ++i) asks.push_back(seeds->row_text_of(i));
  for (const auto& got : await(all_of(std::move(asks)))) EXPECT_TRUE(got) << error_text(got);
  EXPECT_LE(watched_.ranges["s.jsonl"], 2);
}

TEST_F(SeedObject, WhatCouldNotBeReadIsReadWhenItIsAskedForAgain) {
  put("s.jsonl", large(SeedFormat::jsonl));
  const auto seeds = open("s.jsonl");
  ASSERT_TRUE(seeds) << error_text(seeds);
  watched_.before_range = [](const std::string&, std::uint64_t) -> Status {
    return fail(ErrorKind::unavailable, "away");
  };
  std::vector<async::Task<Result<std::string>>> asks;
  for (std::uint64_t i = 100'000; i < 100'003; ++i) asks.push_back(seeds->row_text_of(i));
  for (const auto& got : await(all_of(std::move(asks)))) EXPECT_EQ(error_text(got), "unavailable: store:s.jsonl: away");
  watched_.before_range = [](const std::string&, std::uint64_t) -> Status { return {}; };
  EXPECT_TRUE(row(*seeds, 100'000));
}

TEST_F(SeedObject, NeighboursFarApartAreNotReadAlong) {
  std::string text = "[";
  for (int i = 0; i < 40; ++i) {
    text += (i > 0 ? "," : "") + std::string(limits::kMiB / 2, ' ') + "{\"n\":" + std::to_string(i) + "}";
  }
  put("s.json", text + "]");
  const auto seeds = open("s.json");
  ASSERT_TRUE(seeds) << error_text(seeds);
  ASSERT_EQ(seeds->rows(), 40u);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(row(*seeds, i).value(), "{\"n\":" + std::to_string(i) + "}");
}

TEST_F(SeedObject, ASmallOneIsReadAtOnce) {
  put("s.csv", "a,b\n1,x\n");
  const auto seeds = open("s.csv");
  ASSERT_TRUE(seeds) << error_text(seeds);
  EXPECT_EQ(seeds->rows_at_hand(), 1u);
  EXPECT_EQ(seeds->row_text(0).value(), R"({"a":"1","b":"x"})");
  EXPECT_EQ(row(*seeds, 0).value(), R"({"a":"1","b":"x"})");
  EXPECT_EQ(watched_.ranges["s.csv"], 1);
}

TEST_F(SeedObject, ErrorsOfASmallOne) {
  put("empty.jsonl", "");
  put("bad.jsonl", "{\"a\":1}\n[]\n");
  put("odd.txt", "x");
  put("bad.parquet", "no parquet");
  put("empty.parquet", "");
  EXPECT_EQ(error_text(open("empty.jsonl")),
            "bad_input: store:empty.jsonl: this file is empty; it must hold one JSON object a line");
  EXPECT_EQ(error_text(open("bad.jsonl")), "bad_input: store:bad.jsonl:2:1: row 2 is a list; a row must be an object");
  EXPECT_EQ(error_text(open("odd.txt")),
            "bad_input: store:odd.txt: the extension '.txt' does not tell a format of seed data; name the file .json, "
            ".jsonl, .ndjson, .csv or .parquet");
  EXPECT_EQ(open("absent.jsonl").error().kind, ErrorKind::not_found);
  EXPECT_EQ(open("bad.parquet").error().kind, ErrorKind::bad_input);
  EXPECT_EQ(error_text(open("empty.parquet")),
            "bad_input: store:empty.parquet: this file is empty; it must be a Parquet file of at least one row");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "spool"));
}

// The same in a bucket, where an index goes up in parts and ETags have quotes.
TEST(SeedObjectInS3, ALargeOneIsIndexedAndReadByRanges) {
  const store::S3TestBucket bucket;
  if (!bucket.moto) return;
  TestFolder folder;
  async::BlockingPool pool(2);
  const auto objects = bucket.store_at(bucket.moto->url(), pool);
  WatchedStore watched(*objects);
  const SeedPlaces places{&watched, &pool, folder / "spool"};
  const std::string text = large(SeedFormat::csv, 20 * limits::kMiB);
  const auto of_file = SeedData::open(folder.write("seeds.csv", text), folder / "spool");
  ASSERT_TRUE(of_file) << error_text(of_file);
  const auto put = await(objects->put("seed-data/ann/seeds.csv", text, {}));
  ASSERT_TRUE(put) << error_text(put);
  for (int opened = 1; opened <= 2; ++opened) {
    watched.ranges.clear();
    const auto seeds = await(open_seed_object(places, "seed-data/ann/seeds.csv"));
    ASSERT_TRUE(seeds) << error_text(seeds);
    EXPECT_EQ(seeds->sha256(), of_file->sha256());
    EXPECT_EQ(watched.ranges[seed_index_key("seed-data/ann/seeds.csv", *put)], opened - 1);
    const Status same = await(compare_all(&*seeds, &*of_file, 997));
    EXPECT_TRUE(same) << error_text(same);
  }
  const auto kept = await(objects->list("seed-data/ann/", "", 10));
  ASSERT_EQ(kept->objects.size(), 2u);
  EXPECT_THAT(kept->objects[1].key, ::testing::MatchesRegex("seed-data/ann/seeds.csv.[0-9a-f]+.index"));
  ASSERT_TRUE(await(objects->put("seed-data/ann/seeds.csv", "a\n1\n", {})));
  EXPECT_EQ(await(open_seed_object(places, "seed-data/ann/seeds.csv"))->rows(), 1u);
}

}  // namespace
}  // namespace palette::dataset
