#include "store/local/file_object_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <set>

#include "base/limits.h"
#include "contract/object_store_contract.h"
#include "store/local/child_process.h"
#include "store/local/test_folder.h"

namespace palette::contract {
namespace {

struct FileStore {
  explicit FileStore(async::BlockingPool& pool) : objects(folder.path / "root", pool) {}
  store::ObjectStore& store() { return objects; }

  store::TestFolder folder;
  store::FileObjectStore objects;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectStoreContract, FileStore);

}  // namespace
}  // namespace palette::contract

namespace palette::store {
namespace {

using contract::await;
using contract::error_text;

// Another process's view of the root: a store of its own, on threads of its own.
struct OwnStore {
  explicit OwnStore(const std::filesystem::path& root) : files(root, pool) {}
  async::BlockingPool pool{2};
  FileObjectStore files;
  ObjectStore& objects = files;
};

std::size_t files_below(const std::filesystem::path& folder) {
  std::size_t files = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    if (entry.is_regular_file()) ++files;
  }
  return files;
}

TEST(FileObjectStore, ReadingMakesNothing) {
  TestFolder folder;
  OwnStore own(folder.path / "root");
  EXPECT_EQ(await(own.objects.get("k")).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(await(own.objects.list(""))->objects.empty());
  EXPECT_TRUE(await(own.objects.remove("k")));
  EXPECT_FALSE(std::filesystem::exists(folder.path / "root"));
}

TEST(FileObjectStore, TheFileIsWhereTheLocationSays) {
  TestFolder folder;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("jobs/J/spec.json", "{}")));
  EXPECT_EQ(own.objects.location("jobs/J/spec.json"), (folder.path / "jobs/J/spec.json").native());
  EXPECT_TRUE(std::filesystem::exists(folder.path / "jobs/J/spec.json"));
}

TEST(FileObjectStore, AFileAndAFolderOfOneNameAreRefused) {
  TestFolder folder;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("a", "x")));
  ASSERT_TRUE(await(own.objects.put("f/x", "x")));
  for (const bool if_absent : {false, true}) {
    for (const char* key : {"a/b", "a/b/c", "f"}) {
      const auto put = await(own.objects.put(key, "x", {.if_absent = if_absent}));
      ASSERT_FALSE(put) << key;
      EXPECT_EQ(put.error().kind, ErrorKind::bad_input) << key << " " << error_text(put);
    }
  }
  // Once the last object of the folder is gone, its name is free.
  ASSERT_TRUE(await(own.objects.remove("f/x")));
  EXPECT_TRUE(await(own.objects.put("f", "x")));
}

TEST(FileObjectStore, ItsOwnFolderIsNoKeyAndInNoListing) {
  TestFolder folder;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("k", "x")));
  ASSERT_TRUE(std::filesystem::exists(folder.path / ".tmp/lock"));
  for (const char* key : {".tmp", ".tmp/lock", ".tmp/a/b"}) {
    EXPECT_EQ(await(own.objects.get(key)).error().kind, ErrorKind::bad_input) << key;
    EXPECT_EQ(await(own.objects.put(key, "x")).error().kind, ErrorKind::bad_input) << key;
  }
  for (const char* prefix : {"", ".", ".tmp", ".tmp/"}) {
    for (const ObjectInfo& info : await(own.objects.list(prefix))->objects) EXPECT_EQ(info.key, "k");
  }
  EXPECT_TRUE(await(own.objects.put(".tmp2/x", "x")));
}

TEST(FileObjectStore, AFailedPutLeavesNoFile) {
  TestFolder folder;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("k", "x")));
  EXPECT_FALSE(await(own.objects.put("k", "y", {.if_match = "other"})));
  EXPECT_FALSE(await(own.objects.put("k", "y", {.if_absent = true})));
  EXPECT_FALSE(await(own.objects.put("k/y", "y")));
  EXPECT_EQ(files_below(folder.path), 2u);  // k and the lock
}

TEST(FileObjectStore, AFileWhosePutFailsStays) {
  TestFolder folder, elsewhere;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("k", "x")));
  const auto path = elsewhere.path / "file";
  std::ofstream(path) << "y";
  EXPECT_EQ(await(own.objects.put_file("k", path, {.if_absent = true})).error().kind, ErrorKind::already_exists);
  EXPECT_TRUE(std::filesystem::exists(path));
  // A link would be moved instead of its file.
  std::filesystem::create_symlink(path, elsewhere.path / "link");
  EXPECT_FALSE(await(own.objects.put_file("l", elsewhere.path / "link")));
  EXPECT_FALSE(await(own.objects.put_file("l", elsewhere.path)));
}

TEST(FileObjectStore, MovesAFileInFromAnotherFileSystem) {
  struct stat here{}, memory{};
  if (::stat("/dev/shm", &memory) != 0 || ::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "no /dev/shm";
  TestFolder folder;
  ASSERT_EQ(::stat(folder.path.c_str(), &here), 0);
  if (here.st_dev == memory.st_dev) GTEST_SKIP() << "/dev/shm is on the same file system";
  OwnStore own(folder.path);
  const std::filesystem::path path = "/dev/shm/palette-test-" + random_hex_id();
  const std::string content(3 * limits::kMiB + 1, 'x');
  std::ofstream(path) << content;
  const auto etag = await(own.objects.put_file("k", path));
  ASSERT_TRUE(etag) << error_text(etag);
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto object = await(own.objects.get("k"));
  EXPECT_EQ(object->body, content);
  EXPECT_EQ(object->etag, *etag);
}

TEST(FileObjectStore, ALargeObjectHasAnETagAsWell) {
  TestFolder folder, elsewhere;
  OwnStore own(folder.path);
  const std::string content(9 * limits::kMiB, 'x');
  const auto first = await(own.objects.put("k", content));
  ASSERT_TRUE(first) << error_text(first);
  EXPECT_EQ(await(own.objects.head("k"))->etag, *first);
  EXPECT_EQ(await(own.objects.get("k"))->etag, *first);
  const auto second = await(own.objects.put("k", content, {.if_match = *first}));
  ASSERT_TRUE(second) << error_text(second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(await(own.objects.put("k", content, {.if_match = *first})).error().kind, ErrorKind::changed);
  std::ofstream(elsewhere.path / "file") << content;
  const auto moved = await(own.objects.put_file("k", elsewhere.path / "file", {.if_match = *second}));
  ASSERT_TRUE(moved) << error_text(moved);
  EXPECT_EQ(await(own.objects.head("k"))->etag, *moved);
}

TEST(FileObjectStore, VersionsOfEqualSizeWithinOneTickHaveTheirOwnETags) {
  TestFolder folder;
  OwnStore own(folder.path);
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    const auto etag = await(own.objects.put("k", i % 2 == 0 ? "even" : "odd."));
    ASSERT_TRUE(etag) << error_text(etag);
    ASSERT_EQ(await(own.objects.head("k"))->etag, *etag);
    EXPECT_TRUE(seen.insert(*etag).second) << i;
  }
}

// As on a file system that keeps whole seconds: neither time nor size tell the versions apart.
TEST(FileObjectStore, WhereTimesAreCoarseTheContentDecides) {
  TestFolder folder;
  OwnStore own(folder.path);
  const struct timespec whole_second[2] = {{.tv_sec = 1'700'000'000, .tv_nsec = 0},
                                           {.tv_sec = 1'700'000'000, .tv_nsec = 0}};
  std::set<std::string> seen;
  for (const char* body : {"first", "other"}) {
    ASSERT_TRUE(await(own.objects.put("k", body)));
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder.path / "k").c_str(), whole_second, 0), 0);
    const std::string etag = await(own.objects.get("k"))->etag;
    EXPECT_EQ(await(own.objects.head("k"))->etag, etag);
    EXPECT_TRUE(seen.insert(etag).second) << body;
  }
  EXPECT_EQ(await(own.objects.put("k", "third", {.if_match = *seen.begin() + "x"})).error().kind, ErrorKind::changed);
  EXPECT_TRUE(await(own.objects.put("k", "third", {.if_match = await(own.objects.head("k"))->etag})));
}

TEST(FileObjectStore, WhatAKilledProcessLeftIsRemoved) {
  TestFolder folder;
  ChildProcess killed([&](ChildProcess& self) {
    TempFolder temp(folder.path / ".tmp");
    std::ofstream(*temp.new_path()) << "half";
    self.tell_ready();
    self.wait_for_kill();
    return 0;
  });
  ASSERT_TRUE(killed.wait_ready());
  ChildProcess alive([&](ChildProcess& self) {
    TempFolder temp(folder.path / ".tmp");
    std::ofstream(*temp.new_path()) << "half";
    self.tell_ready();
    self.wait_for_kill();
    return 0;
  });
  ASSERT_TRUE(alive.wait_ready());
  killed.kill_and_wait();
  EXPECT_EQ(files_below(folder.path / ".tmp"), 3u);  // two halves and the lock
  OwnStore own(folder.path);
  EXPECT_TRUE(await(own.objects.list(""))->objects.empty());
  ASSERT_TRUE(await(own.objects.put("k", "x")));
  EXPECT_EQ(files_below(folder.path / ".tmp"), 2u);  // the half of the living one stays
}

// DESIGN.md section 6, promise 1, between processes.
TEST(FileObjectStore, OfTwoProcessesOnePutIfAbsentWins) {
  TestFolder folder;
  constexpr int kKeys = 100;
  const auto put_all = [&](const std::string& who) {
    OwnStore own(folder.path);
    int won = 0;
    for (int i = 0; i < kKeys; ++i) {
      const auto put = await(own.objects.put("race/" + std::to_string(i), who, {.if_absent = true}));
      if (put) ++won;
      if (!put && put.error().kind != ErrorKind::already_exists) return 200;
    }
    return won;
  };
  ChildProcess child([&](ChildProcess&) { return put_all("child"); });
  const int own_wins = put_all("parent");
  EXPECT_EQ(own_wins + child.wait(), kKeys);
  OwnStore own(folder.path);
  int ours = 0;
  for (int i = 0; i < kKeys; ++i) ours += await(own.objects.get("race/" + std::to_string(i)))->body == "parent";
  EXPECT_EQ(ours, own_wins);
}

TEST(FileObjectStore, OfTwoProcessesNoUpdateIsLost) {
  TestFolder folder;
  {
    OwnStore own(folder.path);
    ASSERT_TRUE(await(own.objects.put("counter", "0")));
  }
  const auto count = [&](ChildProcess&) {
    OwnStore own(folder.path);
    return await(contract::count_up(&own.objects, 50)) ? 0 : 1;
  };
  ChildProcess one(count), two(count);
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(two.wait(), 0);
  OwnStore own(folder.path);
  EXPECT_EQ(await(own.objects.get("counter"))->body, "100");
}

template <class T>
async::Task<Error> error_of(async::Task<T> task) {
  const T result = co_await std::move(task);
  co_return result ? Error{} : result.error();
}

// Puts and removals in one folder: a put never meets a folder that is removed under it.
TEST(FileObjectStore, RemovingTheLastObjectDoesNotDisturbPuts) {
  TestFolder folder;
  async::BlockingPool pool(8);
  FileObjectStore files(folder.path, pool);
  ObjectStore& objects = files;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(await(objects.put("a/b/c/" + std::to_string(i), "x")));
    std::vector<async::Task<Error>> tasks;
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(error_of(objects.remove("a/b/c/" + std::to_string(i))));
      tasks.push_back(error_of(objects.put("a/b/d/" + std::to_string(i), "x", {.if_absent = i % 2 == 0})));
    }
    for (const Error& error : await(contract::all_of(std::move(tasks)))) EXPECT_EQ(error.text(), "");
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(await(objects.remove("a/b/d/" + std::to_string(i))));
    EXPECT_FALSE(std::filesystem::exists(folder.path / "a"));
  }
}

TEST(FileObjectStore, LinksToFilesAreListedAndLinksToFoldersAreNot) {
  TestFolder folder;
  OwnStore own(folder.path);
  ASSERT_TRUE(await(own.objects.put("a/x", "12345")));
  std::filesystem::create_symlink(folder.path / "a/x", folder.path / "link");
  std::filesystem::create_directory_symlink(folder.path, folder.path / "loop");
  const auto page = await(own.objects.list(""));
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[1].key, "link");
  EXPECT_EQ(page->objects[1].size, 5u);
}

}  // namespace
}  // namespace palette::store
