#include "worker/work_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "dataset/test_folder.h"
#include "store/local/file_object_store.h"
#include "store/local/sqlite_job_store.h"

namespace palette::worker {
namespace {

using contract::await, contract::error_text;
using ::testing::HasSubstr;

class HandClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{1'790'000'000'000 + ms}; }
  std::int64_t monotonic_ms() const override { return ms; }
  std::int64_t ms = 1'000;
};

struct Finding {
  dataset::TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore objects{folder / "objects", pool};
  std::unique_ptr<store::SqliteJobStore> jobs = store::SqliteJobStore::open(folder / "jobs.db", pool).value();
  HandClock clock;
  async::EventLoop loop;
  model::Connections connections{loop.context().get_executor(), {}, clock};
  std::FILE* out = std::fopen((folder / "log").string().c_str(), "w");
  EventLog log{out, clock};
  InfrastructureMeter meter{{}, clock};
  WorkContext context{
      .places = {*jobs, objects, connections, loop.context().get_executor(), clock},
      .pool = pool,
      .log = log,
      .meter = meter,
      .settings = {},
      .temp_dir = folder / "tmp",
      .owner = "w1",
      .region = "us-east-1",
      .cluster = "c",
  };
  WorkFinder finder{context};

  ~Finding() { std::fclose(out); }

  std::string told() { return folder.read("log"); }

  void create(const std::string& id, int parts = 1, bool queued = true, int priority = 5) {
    store::JobItem job;
    job.id = JobId{id};
    job.name = id;
    job.created_at = job.updated_at = clock.now();
    job.num_records = 100;
    job.extents = job::Extents::of(100, 10).to_json();
    std::vector<store::QueueItem> items;
    for (std::int64_t part = 1; part <= parts; ++part) {
      job.parts[part];
      store::QueueItem item;
      item.job = job.id;
      item.part = PartNumber{part};
      item.position = store::QueuePosition::make(priority, clock.now(), job.id, item.part);
      if (queued) items.push_back(item);
    }
    const Status made = await(jobs->create_job(job, items));
    ASSERT_TRUE(made) << error_text(made);
  }
  // "job/part" of what was claimed; "" when there was nothing.
  std::string next() {
    const auto found = await(finder.next());
    EXPECT_TRUE(found) << error_text(found);
    if (!found || !*found) return "";
    held = (*found)->item;
    return held.job.text + "/" + std::to_string(held.part.value);
  }
  void park(std::optional<std::int64_t> for_ms) {
    std::optional<UtcTime> until;
    if (for_ms) until = UtcTime{clock.now().unix_ms + *for_ms};
    store::PartProgress progress;
    progress.attempt = held.attempt;
    ASSERT_TRUE(await(jobs->park(held, progress, {}, until, clock.now())));
  }
  std::size_t count(store::QueueStatus status) { return await(jobs->queue_items(status)).value().size(); }

  store::QueueItem held;  // claimed last
};

TEST(WorkFinder, TheOldestFirstOfTheFirstPriority) {
  Finding rig;
  rig.create("z");
  ++rig.clock.ms;
  rig.create("a");
  ++rig.clock.ms;
  rig.create("urgent", 1, true, 1);
  EXPECT_EQ(rig.next(), "urgent/1");
  EXPECT_EQ(rig.next(), "z/1");
  EXPECT_EQ(rig.next(), "a/1");
  EXPECT_EQ(rig.next(), "");
  EXPECT_TRUE(rig.finder.any_left()) << "they are RUNNING";
}

TEST(WorkFinder, AWorkerThatKeepsToAJobTakesNoOther) {
  Finding rig;
  rig.create("a", 2);
  ++rig.clock.ms;
  rig.create("b");
  ASSERT_EQ(rig.next(), "a/1");
  rig.finder.keep_to(JobId{"b"});
  EXPECT_EQ(rig.next(), "b/1");
  EXPECT_EQ(rig.next(), "");
}

TEST(WorkFinder, ALeaseIsTakenWhenItIsOverAndTheMarginToo) {
  Finding rig;
  rig.create("a");
  ASSERT_EQ(rig.next(), "a/1");
  rig.clock.ms += 64'000;  // a lease of 60 s, and 5 s between clocks
  EXPECT_EQ(rig.next(), "");
  EXPECT_LE(rig.finder.wait_ms(), 1'000) << "it is known when to look again";
  rig.clock.ms += 1'000;
  EXPECT_EQ(rig.next(), "a/1");
  EXPECT_EQ(rig.held.attempt.value, 2);
  EXPECT_THAT(rig.told(), HasSubstr(R"("event":"recovered")"));
}

TEST(WorkFinder, APausedPartGoesBackWhenItsTimeHasCome) {
  Finding rig;
  rig.create("a");
  ASSERT_EQ(rig.next(), "a/1");
  rig.park(30'000);
  EXPECT_EQ(rig.next(), "");
  EXPECT_TRUE(rig.finder.any_left()) << "a worker that drains waits for it";
  rig.clock.ms += 30'000;
  EXPECT_EQ(rig.next(), "a/1");
}

TEST(WorkFinder, Promise3_OfAStarvedJobOnePartGoesOnWhenNoOtherLives) {
  Finding rig;
  rig.create("a", 3);
  for (const char* part : {"a/1", "a/2"}) {
    ASSERT_EQ(rig.next(), part);
    rig.park(std::nullopt);
  }
  ASSERT_EQ(rig.next(), "a/3") << "the third lives";
  EXPECT_EQ(rig.next(), "");
  EXPECT_EQ(rig.count(store::QueueStatus::parked), 2u);
  rig.park(std::nullopt);
  rig.clock.ms += 200'000;
  EXPECT_EQ(rig.next(), "a/1");
  EXPECT_EQ(rig.count(store::QueueStatus::parked), 2u) << "one at a time: it may be what ends the job";
}

TEST(WorkFinder, WhatIsLeftOverIsTakenOutWithAReason) {
  Finding rig;
  rig.create("a");
  ASSERT_EQ(rig.next(), "a/1");
  store::JobItem job = await(rig.jobs->get_job(JobId{"a"})).value();
  job.status = job::JobStatus::completed;
  ASSERT_TRUE(await(rig.jobs->finish(rig.held, job, {})));
  store::QueueItem left;
  left.job = JobId{"a"};
  left.position = store::QueuePosition::make(5, rig.clock.now(), left.job, PartNumber{1});
  job = await(rig.jobs->get_job(JobId{"a"})).value();
  ASSERT_TRUE(await(rig.jobs->put_job_and_enqueue(job, {left})));
  EXPECT_EQ(rig.next(), "");
  EXPECT_EQ(rig.count(store::QueueStatus::queued), 0u);
  EXPECT_THAT(rig.told(), HasSubstr("left_over_removed"));
}

TEST(WorkFinder, AJobThatIsInNoQueueIsAdoptedUnlessItIsYoung) {
  Finding rig;
  rig.create("lost", 2, false);
  EXPECT_EQ(rig.next(), "") << "whoever wrote it may be about to queue it";
  rig.clock.ms += 31'000;
  EXPECT_EQ(rig.next(), "lost/1");
  EXPECT_EQ(rig.next(), "lost/2");
  EXPECT_THAT(rig.told(), HasSubstr(R"("event":"adopted","job_id":"lost")"));
}

TEST(WorkFinder, Promise7_AnIdleWorkerHardlyLooks) {
  Finding rig;
  double looks = 0;
  ASSERT_EQ(rig.next(), "");
  const std::int64_t begun_ms = rig.clock.ms;
  while (rig.clock.ms < begun_ms + 3'600'000) {
    rig.clock.ms += rig.finder.wait_ms();
    ASSERT_EQ(rig.next(), "");
    ++looks;
  }
  EXPECT_LT(looks / 60, 1.5) << "a minute; every fourth of them makes three requests";
}

TEST(JobIn, IsReadOffThePosition) {
  const UtcTime time{1'790'000'000'000};
  EXPECT_EQ(job_in(store::QueuePosition::make(5, time, JobId{"a#b"}, PartNumber{3})), "a#b");
  EXPECT_EQ(job_in({"nonsense"}), "");
  EXPECT_EQ(job_in({"a#b"}), "");
}

}  // namespace
}  // namespace palette::worker
