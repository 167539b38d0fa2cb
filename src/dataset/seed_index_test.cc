#include "dataset/seed_index.h"

#include <gtest/gtest.h>

#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

Result<SeedIndex> open(const TestFolder& folder, const std::string& bytes, std::uint64_t object_bytes = 100) {
  auto file = SpoolFile::create(folder / "spool").value();
  EXPECT_TRUE(file->append(bytes) && file->flush());
  return SeedIndex::open(std::move(file), bytes.size(), SeedFormat::csv, object_bytes);
}

std::string told(const Result<SeedIndex>& index) { return index ? "" : index.error().text(); }

const SeedSummary kTwoRows{.format = SeedFormat::csv,
                           .object_bytes = 100,
                           .rows = 2,
                           .sha256 = "ab12",
                           .head_rows = 1,
                           .header = {"a", "the \"b\""}};

TEST(SeedIndex, IsReadAsItWasWritten) {
  TestFolder folder;
  const TextSpan last{(std::uint64_t{1} << 43) - 1 - limits::kSeedRowBytesMax, limits::kSeedRowBytesMax};
  SeedSummary summary = kTwoRows;
  summary.object_bytes = std::uint64_t{1} << 43;
  const auto index = open(folder, seed_entry({7, 0}) + seed_entry(last) + seed_trailer(summary), summary.object_bytes);
  ASSERT_TRUE(index) << told(index);
  EXPECT_EQ(index->summary(), summary);
  EXPECT_EQ(index->span_of(0).value(), (TextSpan{7, 0}));
  EXPECT_EQ(index->span_of(1).value(), last);
}

TEST(SeedIndex, WhatIsNoneIsTold) {
  TestFolder folder;
  const std::string entry = seed_entry({0, 10});
  const auto with = [&](auto change) {
    SeedSummary summary = kTwoRows;
    change(summary);
    return told(open(folder, entry + entry + seed_trailer(summary)));
  };
  const std::string good = entry + entry + seed_trailer(kTwoRows);
  ASSERT_EQ(told(open(folder, good)), "");
  const std::string what = "this is no index of seed data: ", todo = "; remove it, it is made again";
  EXPECT_EQ(told(open(folder, "PALSEED")), what + "it has only 7 bytes" + todo);
  EXPECT_EQ(told(open(folder, good + "x")), what + "it does not end as one does" + todo);
  EXPECT_EQ(told(open(folder, entry + good)), what + "it has not one entry for each of 2 rows" + todo);
  EXPECT_EQ(told(open(folder, good.substr(8))), what + "it has not one entry for each of 2 rows" + todo);
  EXPECT_EQ(told(open(folder, std::string("\xFF\xFF\x00\x00", 4) + "PALSEED1")),
            what + "its trailer is larger than the whole" + todo);
  EXPECT_EQ(told(open(folder, std::string("{}\x02\x00\x00\x00", 6) + "PALSEED1")),
            what + "its trailer lacks a member" + todo);
  EXPECT_EQ(told(open(folder, std::string("{?\x02\x00\x00\x00", 6) + "PALSEED1")),
            what + "its trailer cannot be read" + todo);
  EXPECT_EQ(with([](SeedSummary& s) { s.rows = 0; }), what + "its numbers of rows cannot be" + todo);
  EXPECT_EQ(with([](SeedSummary& s) { s.head_rows = 3; }), what + "its numbers of rows cannot be" + todo);
  EXPECT_EQ(with([](SeedSummary& s) { s.object_bytes = 99; }), what + "it is one of other data" + todo);
  EXPECT_EQ(with([](SeedSummary& s) { s.format = SeedFormat::json; }), what + "it is one of other data" + todo);
  EXPECT_EQ(with([](SeedSummary& s) { s.format = SeedFormat::parquet; }),
            what + "the format 'parquet' is not known" + todo);
}

TEST(SeedIndex, ARowBehindTheEndIsTold) {
  TestFolder folder;
  const auto index = open(folder, seed_entry({0, 100}) + seed_entry({91, 10}) + seed_trailer(kTwoRows));
  ASSERT_TRUE(index) << told(index);
  EXPECT_TRUE(index->span_of(0));
  const auto beyond = index->span_of(1);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind, ErrorKind::corrupt);
}

// The pass finds where each row stands, however the bytes come.
TEST(SeedIndexer, FindsEveryRow) {
  TestFolder folder;
  const std::string texts[] = {
      "\xEF\xBB\xBF{\"a\":1}\r\n\n  \n{\"a\": \"ü\"}",
      " [ {\"a\":1} ,\n{\"a\": \"ü]},\" } ]",
      "a,b\r\n1,\"x\"\"\n,\"\n\nü,\n",
  };
  const SeedFormat formats[] = {SeedFormat::jsonl, SeedFormat::json, SeedFormat::csv};
  const std::vector<std::string> rows[] = {
      {"{\"a\":1}\r", "{\"a\": \"ü\"}"}, {"{\"a\":1} ", "{\"a\": \"ü]},\" } "}, {"1,\"x\"\"\n,\"\n", "ü,\n"}};
  for (int i = 0; i < 3; ++i) {
    for (std::size_t step = 1; step <= texts[i].size(); ++step) {
      SeedIndexer indexer(formats[i], SpoolFile::create(folder / "spool").value());
      for (std::size_t at = 0; at < texts[i].size(); at += step) {
        const Status taken = indexer.take(std::string_view(texts[i]).substr(at, step), at + step >= texts[i].size());
        ASSERT_TRUE(taken) << taken.error().text();
      }
      const Result<SeedIndex> index = indexer.finish();
      ASSERT_TRUE(index) << told(index);
      ASSERT_EQ(index->summary().rows, 2u);
      EXPECT_EQ(index->summary().head_rows, 2u);
      EXPECT_EQ(index->summary().object_bytes, texts[i].size());
      EXPECT_EQ(index->summary().header.size(), formats[i] == SeedFormat::csv ? 2u : 0u);
      for (std::size_t row = 0; row < 2; ++row) {
        const TextSpan span = index->span_of(row).value();
        EXPECT_EQ(texts[i].substr(span.begin, span.size), rows[i][row]) << "in steps of " << step;
      }
    }
  }
}

}  // namespace
}  // namespace palette::dataset
