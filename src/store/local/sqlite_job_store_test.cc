#include "store/local/sqlite_job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "contract/job_store_contract.h"
#include "contract/parts_contract.h"
#include "contract/queue_contract.h"
#include "contract/queue_model.h"
#include "store/local/child_process.h"
#include "store/local/job_rows.h"
#include "store/local/test_folder.h"

namespace palette::contract {
namespace {

struct SqliteStore {
  explicit SqliteStore(async::BlockingPool& pool)
      : jobs(std::move(store::SqliteJobStore::open(folder.path / "jobs.db", pool).value())) {}
  store::JobStore& store() { return *jobs; }

  store::TestFolder folder;
  std::unique_ptr<store::SqliteJobStore> jobs;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JobStoreContract, SqliteStore);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, QueueContract, SqliteStore);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, PartsContract, SqliteStore);

// DESIGN.md section 6, promise 5.
TEST(SqliteQueue, Promise5_HoldsUnderRandomInterleavings) {
  // In memory where there is such a folder: what counts here is the order of things, not that they are on the disk.
  const std::filesystem::path memory = "/dev/shm";
  store::TestFolder folder;
  if (std::filesystem::is_directory(memory)) {
    std::filesystem::remove_all(folder.path);
    folder.path = memory / folder.path.filename();
  }
  async::BlockingPool pool{1};
  const auto jobs = store::SqliteJobStore::open(folder.path / "jobs.db", pool);
  ASSERT_TRUE(jobs) << error_text(jobs);
  run_queue_models(**jobs, 1, 1'000, 60);
}

}  // namespace
}  // namespace palette::contract

namespace palette::store {
namespace {

using contract::await;
using contract::error_text;

class SqliteJobStoreTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<SqliteJobStore>> open() { return SqliteJobStore::open(path_, pool_); }
  Error refusal() {
    const auto opened = open();
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  void write_file(std::string_view content) { std::ofstream(path_, std::ios::binary) << content; }
  Result<SqlRows> sql(std::string_view statement) { return Database::open(path_, 1'000)->query(statement); }

  TestFolder folder_;
  std::filesystem::path path_ = folder_.path / "data/jobs.db";
  async::BlockingPool pool_{2};
};

TEST_F(SqliteJobStoreTest, KeepsWhatItHeldAcrossOpenings) {
  ASSERT_TRUE(await((*open())->create_job(contract::new_job("j"), {contract::new_item("j")})));
  const auto again = open();
  ASSERT_TRUE(again) << error_text(again);
  EXPECT_EQ(await((*again)->get_job(JobId{"j"}))->name, "facts");
  EXPECT_EQ(await((*again)->queue_items(QueueStatus::queued))->size(), 1u);
}

TEST_F(SqliteJobStoreTest, IsInWalModeAndLeavesOnlyTheDatabase) {
  {
    ASSERT_TRUE(open());
  }
  EXPECT_EQ((*sql("PRAGMA journal_mode"))[0][0], SqlValue("wal"));
  EXPECT_EQ((*sql("PRAGMA integrity_check"))[0][0], SqlValue("ok"));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_.parent_path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, ::testing::ElementsAre("jobs.db"));
}

// DESIGN.md section 6, promise 6: nothing reads an error as an empty start.
TEST_F(SqliteJobStoreTest, AFileThatIsNoDatabaseIsCorrupt) {
  std::filesystem::create_directories(path_.parent_path());
  for (const std::string& content : {std::string(), std::string(10'000, 'x'), std::string(4096, '\0')}) {
    write_file(content);
    const Error error = refusal();
    EXPECT_EQ(error.kind, ErrorKind::corrupt) << error.text();
    EXPECT_EQ(error.where, path_.native());
    EXPECT_EQ(std::filesystem::file_size(path_), content.size());
  }
}

TEST_F(SqliteJobStoreTest, ADatabaseOfSomethingElseIsCorrupt) {
  std::filesystem::create_directories(path_.parent_path());
  write_file(*Database::new_image("CREATE TABLE Other (x);"));
  EXPECT_EQ(refusal().message, "this file is not a database of plot-palette, or it lost its content");
}

TEST_F(SqliteJobStoreTest, ADamagedPageIsCorrupt) {
  {
    const auto jobs = open();
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(await((*jobs)->create_job(contract::new_job("j" + std::to_string(i)), {})));
    }
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = std::filesystem::file_size(path_);
  for (std::uintmax_t at = 4096; at < size; at += 4096) {
    file.seekp(static_cast<std::streamoff>(at));
    file << std::string(200, '\xee');
  }
  file.close();
  const auto opened = open();
  const Error error = opened ? await((*opened)->list_jobs()).error() : opened.error();
  EXPECT_EQ(error.kind, ErrorKind::corrupt) << error.text();
}

TEST_F(SqliteJobStoreTest, AMissingTableIsCorrupt) {
  {
    ASSERT_TRUE(open());
  }
  ASSERT_TRUE(sql("DROP TABLE Templates"));
  EXPECT_EQ(refusal().kind, ErrorKind::corrupt);
}

TEST_F(SqliteJobStoreTest, AWalWithoutItsDatabaseIsCorrupt) {
  std::filesystem::create_directories(path_.parent_path());
  std::ofstream(path_.native() + "-wal") << "frames";
  EXPECT_EQ(refusal().kind, ErrorKind::corrupt);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteJobStoreTest, ANewerVersionIsRefused) {
  {
    ASSERT_TRUE(open());
  }
  ASSERT_TRUE(sql("PRAGMA user_version = 7"));
  EXPECT_EQ(refusal().text(), path_.native() +
                                  ": a newer plot-palette wrote this database (version 7 of its tables; this program "
                                  "knows 1): use the newer program");
}

TEST_F(SqliteJobStoreTest, AValueThatCannotBeReadIsCorrupt) {
  const auto jobs = open();
  for (const char* change : {"status = 'DONE'", "parts = '{'", "parts = '{\"1\":{}}'", "parts = '{\"x\":1}'",
                             "unallocated = 'much'", "created_at = 'now'", "extents = '{}'", "spec_fields = '[]'"}) {
    ASSERT_TRUE(await((*jobs)->create_job(contract::new_job("j"), {})));
    const auto changed = sql(std::string("UPDATE Jobs SET ") + change);
    ASSERT_TRUE(changed) << error_text(changed);
    const auto job = await((*jobs)->get_job(JobId{"j"}));
    ASSERT_FALSE(job) << change;
    EXPECT_EQ(job.error().kind, ErrorKind::corrupt) << change;
    EXPECT_EQ(job.error().where, "table Jobs, 'j'") << change;
    EXPECT_EQ(await((*jobs)->list_jobs()).error().kind, ErrorKind::corrupt) << change;
    ASSERT_TRUE(await((*jobs)->remove_job(JobId{"j"})));
  }
}

TEST_F(SqliteJobStoreTest, AnotherConnectionsLockGivesConflict) {
  {
    ASSERT_TRUE(open());
  }
  Result<Database> one = Database::open(path_, 0), two = Database::open(path_, 0);
  ASSERT_TRUE(one->execute("BEGIN IMMEDIATE"));
  const auto blocked = two->execute("BEGIN IMMEDIATE");
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind, ErrorKind::conflict);
}

TEST_F(SqliteJobStoreTest, AFailedTransactionChangesNothing) {
  {
    ASSERT_TRUE(open());
  }
  Result<Database> database = Database::open(path_, 0);
  const Status failed = database->transaction("test", [&]() -> Status {
    const auto inserted = database->execute("INSERT INTO CostTracking VALUES ('j', 't', '{}')");
    EXPECT_TRUE(inserted);
    return fail(ErrorKind::fenced, "no");
  });
  EXPECT_EQ(failed.error().kind, ErrorKind::fenced);
  EXPECT_TRUE(database->query("SELECT * FROM CostTracking")->empty());
}

// No fixture: its threads would be in the way of the fork.
TEST(SqliteJobStoreProcesses, OfTwoProcessesEachItemGoesToOne) {
  TestFolder folder;
  constexpr int kParts = 40;
  std::vector<QueueItem> items;
  for (int part = 1; part <= kParts; ++part) items.push_back(contract::new_item("j", 0, part));
  const auto claim_all = [&](const std::string& owner) {
    async::BlockingPool pool(1);
    const auto jobs = SqliteJobStore::open(folder.path / "jobs.db", pool);
    if (!jobs) return 200;
    // Both make the database and the job; one does.
    const Status created = await((*jobs)->create_job(contract::new_job("j"), items));
    if (!created && created.error().kind != ErrorKind::already_exists) return 201;
    int won = 0;
    for (const QueueItem& item : items) {
      const auto claimed = await((*jobs)->claim(item, contract::by(owner, 0)));
      if (claimed) ++won;
      if (!claimed && claimed.error().kind != ErrorKind::changed) return 202;
    }
    return won;
  };
  ChildProcess child([&](ChildProcess&) { return claim_all("child"); });
  const int own_wins = claim_all("parent");
  EXPECT_EQ(own_wins + child.wait(), kParts);
}

}  // namespace
}  // namespace palette::store
