// What the suites of a JobStore start from: a store of the factory, and items that are easy to tell apart.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "async/blocking.h"
#include "contract/await.h"
#include "store/job_store.h"

namespace palette::contract {

using store::Claim, store::CostRow, store::JobItem, store::JobStore, store::PartProgress, store::QueueItem,
    store::QueuePosition, store::QueueStatus, store::TemplateItem, store::WorkKind;

inline UtcTime at(std::int64_t seconds) { return UtcTime{1'790'000'000'000 + seconds * 1'000}; }

inline JobItem new_job(std::string id, std::int64_t created_s = 0) {
  JobItem job;
  job.id = JobId{std::move(id)};
  job.name = "facts";
  job.num_records = 200;
  job.created_at = job.updated_at = at(created_s);
  return job;
}

inline QueueItem new_item(const std::string& job, std::int64_t submitted_s = 0, std::int64_t part = 1) {
  QueueItem item;
  item.job = JobId{job};
  item.part = PartNumber{part};
  item.position = QueuePosition::make(5, at(submitted_s), item.job, item.part);
  return item;
}

inline Claim by(std::string owner, std::int64_t now_s, std::int64_t lease_s = 60) {
  return Claim{std::move(owner), at(now_s), at(now_s + lease_s), false};
}

inline PartProgress progress(std::int64_t records) {
  return PartProgress{
      .attempt = {}, .slice_no = 1, .records = records, .failed = 1, .tokens = records * 10, .cost = {records}};
}

template <class Factory>
class JobStoreFixture : public ::testing::Test {
 protected:
  JobStore& store() { return factory_.store(); }

  void create(const JobItem& job, std::vector<QueueItem> queue) {
    const Status created = await(store().create_job(job, std::move(queue)));
    ASSERT_TRUE(created) << error_text(created);
  }
  JobItem job(const std::string& id) {
    const Result<JobItem> item = await(store().get_job(JobId{id}));
    EXPECT_TRUE(item) << error_text(item);
    return item.value_or(JobItem{});
  }
  std::vector<QueueItem> queue(QueueStatus status) {
    const auto items = await(store().queue_items(status));
    EXPECT_TRUE(items) << error_text(items);
    return items.value_or(std::vector<QueueItem>{});
  }
  Result<QueueItem> claim(const QueueItem& seen, Claim how) { return await(store().claim(seen, std::move(how))); }
  // A job "j" with one part that the owner "w1" holds, from second 0 to second 60.
  QueueItem held_part() {
    create(new_job("j"), {new_item("j")});
    const Result<QueueItem> held = claim(new_item("j"), by("w1", 0));
    EXPECT_TRUE(held) << error_text(held);
    return held.value_or(QueueItem{});
  }
  // Every write of an owner, under an attempt that is over: the error that each gives.
  std::vector<ErrorKind> writes_of(const QueueItem& old) {
    JobItem end = new_job(old.job.text);
    end.status = job::JobStatus::failed;
    return {await(store().heartbeat(old, at(999))).error().kind,
            await(store().report(old, progress(7), at(999))).error().kind,
            await(store().requeue(old, progress(7), {}, at(999))).error().kind,
            await(store().finish(old, end, Money{})).error().kind,
            await(store().take_slice(old, 1, Money{1})).error().kind};
  }

 private:
  async::BlockingPool pool_{8};
  Factory factory_{pool_};
};

}  // namespace palette::contract
