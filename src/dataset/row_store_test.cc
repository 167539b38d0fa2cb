#include "dataset/row_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "dataset/test_folder.h"

namespace palette::dataset {
namespace {

std::string row_number(int i) {
  return "{\"n\":" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), ' ') + "}";
}

TEST(RowStore, KeepsFewRowsInMemory) {
  TestFolder folder;
  RowStore rows(folder / "spool");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rows.add(row_number(i)));
  ASSERT_TRUE(rows.finish());
  EXPECT_FALSE(rows.is_spooled());
  EXPECT_FALSE(std::filesystem::exists(folder / "spool"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rows.row(static_cast<std::uint64_t>(i)).value(), row_number(i));
}

TEST(RowStore, SpoolsWhatIsOverTheLimit) {
  TestFolder folder;
  RowStore rows(folder / "made/when/needed", 10'000);
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(rows.add(row_number(i)));
  ASSERT_TRUE(rows.finish());
  EXPECT_TRUE(rows.is_spooled());
  EXPECT_EQ(rows.count(), kRows);
  for (int i = 0; i < kRows; ++i) ASSERT_EQ(rows.row(static_cast<std::uint64_t>(i)).value(), row_number(i));
}

TEST(RowStore, TheSpoolFileHasNoName) {
  TestFolder folder;
  RowStore rows(folder / "spool", 0);
  ASSERT_TRUE(rows.add("{}"));
  EXPECT_TRUE(rows.is_spooled());
  EXPECT_TRUE(std::filesystem::is_empty(folder / "spool"));
}

TEST(RowStore, ThreadsReadAtOnce) {
  TestFolder folder;
  RowStore rows(folder / "spool", 1'000);
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(rows.add(row_number(i)));
  ASSERT_TRUE(rows.finish());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 2'000; i += 3) wrong += rows.row(static_cast<std::uint64_t>(i)) != row_number(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(RowStore, RefusesALargeRowAndAnUnknownOne) {
  TestFolder folder;
  RowStore rows(folder / "spool");
  ASSERT_TRUE(rows.add(std::string(limits::kSeedRowBytesMax, 'x')));
  EXPECT_EQ(rows.add(std::string(limits::kSeedRowBytesMax + 1, 'x')).error().text(),
            "row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it");
  EXPECT_EQ(rows.row(1).error().text(), "seed row 1 was asked for, but there are 1");
}

TEST(RowStore, SaysWhenTheSpoolFolderCannotBeMade) {
  TestFolder folder;
  const auto file = folder.write("file", "");
  RowStore rows(file / "spool", 0);
  const Status added = rows.add("{}");
  EXPECT_EQ(without_folder(added.error().text(), file), "file/spool: mkdir: Not a directory");
}

}  // namespace
}  // namespace palette::dataset
