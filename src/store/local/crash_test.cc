// The stores are stopped at each durable write in turn, as kill -9 would, and must be found whole.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "contract/job_store_fixture.h"
#include "store/local/child_process.h"
#include "store/local/file_object_store.h"
#include "store/local/sqlite_job_store.h"
#include "store/local/test_folder.h"

namespace palette::store {
namespace {

using contract::await;
using contract::error_text;

constexpr char kRootVariable[] = "PALETTE_STORE_TEST_ROOT";

// What the child does, and, after a crash, what the parent does to its end: a second time it changes nothing.
Status write_all_once(const std::filesystem::path& root) {
  async::BlockingPool pool(1);
  FileObjectStore files(root / "objects", pool);
  ObjectStore& objects = files;
  const auto jobs = SqliteJobStore::open(root / "jobs.db", pool);
  if (!jobs) return std::unexpected(jobs.error());
  const auto accept = [](const auto& result, ErrorKind done_before) -> Status {
    if (result || result.error().kind == done_before) return {};
    return std::unexpected(result.error());
  };
  Status ok =
      accept(await((*jobs)->create_job(contract::new_job("j"), {contract::new_item("j")})), ErrorKind::already_exists);
  if (!ok) return ok;
  ok = accept(await(objects.put("jobs/j/outputs/batch-0001.jsonl", "batch", {.if_absent = true})),
              ErrorKind::already_exists);
  if (!ok) return ok;
  if (const auto put = await(objects.put("jobs/j/checkpoint.json", "checkpoint")); !put) {
    return std::unexpected(put.error());
  }
  Claim claim = contract::by("w", 0);
  claim.take_over = true;
  const auto queued = await((*jobs)->queue_items_of(JobId{"j"}));
  if (!queued) return std::unexpected(queued.error());
  if (!queued->empty()) {
    const auto held = await((*jobs)->claim(queued->front(), claim));
    if (!held) return std::unexpected(held.error());
    JobItem end = contract::new_job("j");
    end.status = job::JobStatus::completed;
    if (ok = await((*jobs)->finish(*held, end, Money{})); !ok) return ok;
  }
  return await(objects.remove("jobs/j/checkpoint.json"));
}

// Run only in the process that the test below starts.
TEST(StoreCrashChild, Writes) {
  const char* root = ::getenv(kRootVariable);
  if (root == nullptr) GTEST_SKIP() << "a part of StoreCrash";
  const Status done = write_all_once(root);
  ASSERT_TRUE(done) << error_text(done);
}

// Starts this program anew, to be stopped at its n-th durable write; true when it was, false when it came to its end.
bool is_stopped_at(int n, const std::filesystem::path& root) {
  ChildProcess child([&](ChildProcess&) {
    ::setenv(kRootVariable, root.c_str(), 1);
    ::setenv("PALETTE_CRASH_AT_WRITE", std::to_string(n).c_str(), 1);
    ::execl("/proc/self/exe", "store_test", "--gtest_filter=StoreCrashChild.Writes", "--gtest_brief=1", nullptr);
    return 127;
  });
  const int status = child.wait();
  EXPECT_TRUE(status == 0 || status == 1000 + SIGKILL) << status;
  return status == 1000 + SIGKILL;
}

void expect_whole(const std::filesystem::path& root) {
  async::BlockingPool pool(1);
  FileObjectStore files(root / "objects", pool);
  ObjectStore& objects = files;
  const auto listed = await(list_all(objects, ""));
  ASSERT_TRUE(listed) << error_text(listed);
  for (const ObjectInfo& info : *listed) {
    const bool is_batch = info.key == "jobs/j/outputs/batch-0001.jsonl";
    ASSERT_TRUE(is_batch || info.key == "jobs/j/checkpoint.json") << info.key;
    EXPECT_EQ(await(objects.get(info.key))->body, is_batch ? "batch" : "checkpoint");
  }
  const auto jobs = SqliteJobStore::open(root / "jobs.db", pool);
  ASSERT_TRUE(jobs) << error_text(jobs);
  const auto job = await((*jobs)->get_job(JobId{"j"}));
  const auto queue = await((*jobs)->queue_items_of(JobId{"j"}));
  ASSERT_TRUE(queue) << error_text(queue);
  if (!job) {
    EXPECT_EQ(job.error().kind, ErrorKind::not_found);
    EXPECT_TRUE(queue->empty());
    return;
  }
  EXPECT_EQ(queue->empty(), job->status == job::JobStatus::completed);
  if (!queue->empty()) {
    EXPECT_EQ(queue->front().status == QueueStatus::running, job->status == job::JobStatus::running);
  }
}

// DESIGN.md section 6, promises 1 and 6.
TEST(StoreCrash, AtEveryWriteTheStoresAreWholeAndGoOn) {
  int writes = 0;
  for (int n = 1; n < 100; ++n) {
    TestFolder root;
    if (!is_stopped_at(n, root.path)) break;
    writes = n;
    expect_whole(root.path);
    const Status done = write_all_once(root.path);
    ASSERT_TRUE(done) << "after a stop at write " << n << ": " << error_text(done);
    expect_whole(root.path);
  }
  // Making the database, two puts, three commits, a removal: before and after each.
  EXPECT_EQ(writes, 14);
}

}  // namespace
}  // namespace palette::store
