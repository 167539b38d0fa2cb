#include "store/local/file_lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "store/local/child_process.h"
#include "store/local/test_folder.h"

namespace palette::store {
namespace {

TEST(FileLease, OneHolderAtATime) {
  TestFolder folder;
  const auto path = folder.path / "leases/J";
  std::optional<Result<FileLease>> first(FileLease::acquire(path, "the first, process 1"));
  ASSERT_TRUE(*first) << first->error().text();
  const Result<FileLease> second = FileLease::acquire(path, "the second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::held);
  EXPECT_EQ(second.error().message, "held by the first, process 1");
  EXPECT_EQ(second.error().where, path.native());
  EXPECT_TRUE(FileLease::acquire(folder.path / "leases/K", "another job"));
  first.reset();
  EXPECT_TRUE(FileLease::acquire(path, "the third"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(FileLease, MovesWithItsValue) {
  TestFolder folder;
  Result<FileLease> lease = FileLease::acquire(folder.path / "J", "first");
  ASSERT_TRUE(lease);
  {
    const FileLease moved = std::move(*lease);
    EXPECT_FALSE(FileLease::acquire(folder.path / "J", "second"));
  }
  EXPECT_TRUE(FileLease::acquire(folder.path / "J", "third"));
}

// DESIGN.md section 6, promise 5: locally the lease is free at once when the process dies.
TEST(FileLease, IsFreeWhenItsProcessIsKilled) {
  TestFolder folder;
  const auto path = folder.path / "J";
  ChildProcess child([&](ChildProcess& self) {
    const Result<FileLease> lease = FileLease::acquire(path, FileLease::this_process(UtcTime{0}));
    if (!lease) return 1;
    self.tell_ready();
    self.wait_for_kill();
  });
  ASSERT_TRUE(child.wait_ready());
  const Result<FileLease> held = FileLease::acquire(path, "parent");
  ASSERT_FALSE(held);
  EXPECT_THAT(held.error().message,
              ::testing::MatchesRegex("held by host .+, process [0-9]+, since 1970-01-01T00:00:00.000Z"));
  child.kill_and_wait();
  EXPECT_TRUE(FileLease::acquire(path, "parent"));
}

TEST(FileLease, WhetherItIsHeldCanBeSeenWithoutTakingIt) {
  TestFolder folder;
  const auto path = folder.path / "J";
  EXPECT_FALSE(FileLease::is_held(path));
  {
    const Result<FileLease> lease = FileLease::acquire(path, "somebody");
    ASSERT_TRUE(lease);
    EXPECT_TRUE(FileLease::is_held(path));
  }
  EXPECT_FALSE(FileLease::is_held(path));
}

TEST(FileLease, ALongerOwnerTextOfBeforeIsReplaced) {
  TestFolder folder;
  const auto path = folder.path / "J";
  ASSERT_TRUE(FileLease::acquire(path, "a very long text about the owner before"));
  const Result<FileLease> lease = FileLease::acquire(path, "short");
  ASSERT_TRUE(lease);
  EXPECT_EQ(FileLease::acquire(path, "x").error().message, "held by short");
}

TEST(FileLease, AFolderThatCannotBeMadeIsAnError) {
  TestFolder folder;
  std::ofstream(folder.path / "file") << "x";
  EXPECT_EQ(FileLease::acquire(folder.path / "file/J", "x").error().kind, ErrorKind::bad_input);
  EXPECT_EQ(FileLease::acquire(folder.path, "x").error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace palette::store
