// What every JobStore must do with jobs of several parts: parking, stopping, attempts that come to nothing, and the end
// of the last part. Run as job_store_contract.h says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "contract/job_store_fixture.h"

namespace palette::contract {

template <class Factory>
class PartsContract : public JobStoreFixture<Factory> {
 protected:
  // A job "j" with parts 1 … n, all QUEUED.
  void create_parts(int n) {
    JobItem job = new_job("j");
    std::vector<QueueItem> items;
    for (int part = 1; part <= n; ++part) {
      job.parts[part] = {};
      items.push_back(new_item("j", 0, part));
    }
    this->create(job, items);
  }
  QueueItem take(std::int64_t part, std::string owner, std::int64_t now_s) {
    const Result<QueueItem> held = this->claim(new_item("j", 0, part), by(std::move(owner), now_s));
    EXPECT_TRUE(held) << error_text(held);
    return held.value_or(QueueItem{});
  }
  static QueueItem export_of(const std::string& job, std::int64_t submitted_s = 0) {
    QueueItem item = new_item(job, submitted_s, store::kExportPart.value);
    item.kind = WorkKind::export_;
    return item;
  }
  Result<bool> end(const QueueItem& held, std::int64_t records, std::string stop_reason = "") {
    return await(this->store().end_part(held, progress(records), Money{}, std::move(stop_reason),
                                        export_of(held.job.text), at(50)));
  }
};

TYPED_TEST_SUITE_P(PartsContract);

TYPED_TEST_P(PartsContract, TheLastPartToEndPutsTheExportIntoTheQueue) {
  this->create_parts(3);
  EXPECT_EQ(this->job("j").parts_total(), 3);
  const QueueItem one = this->take(1, "w1", 0), two = this->take(2, "w2", 0), three = this->take(3, "w3", 0);
  EXPECT_FALSE(this->end(two, 20).value());
  EXPECT_FALSE(this->end(three, 30).value());
  EXPECT_THAT(this->queue(QueueStatus::queued), ::testing::IsEmpty());
  EXPECT_EQ(this->job("j").status, job::JobStatus::running);
  EXPECT_TRUE(this->end(one, 10).value());
  const auto queued = this->queue(QueueStatus::queued);
  ASSERT_EQ(queued.size(), 1u);
  EXPECT_EQ(queued[0].kind, WorkKind::export_);
  EXPECT_THAT(this->queue(QueueStatus::running), ::testing::IsEmpty());
  const JobItem job = this->job("j");
  EXPECT_EQ(job.parts_ended, 3);
  EXPECT_EQ(job.records_generated, 60);
  EXPECT_EQ(job.stop_reason, "");
  // Ended once: whoever owned it owns nothing now.
  EXPECT_EQ(this->end(one, 10).error().kind, ErrorKind::fenced);
  EXPECT_EQ(this->job("j").parts_ended, 3);
  // The export is claimed, fenced and finished as a part is, and is none.
  const QueueItem lost = this->claim(queued[0], by("w1", 60)).value();
  const QueueItem exporting = this->claim(lost, by("w2", 200)).value();
  EXPECT_EQ(exporting.attempt.value, 2);
  EXPECT_EQ(this->job("j").parts_total(), 3);
  JobItem end = this->job("j");
  end.status = job::JobStatus::completed;
  EXPECT_EQ(await(this->store().finish(lost, end, Money{})).error().kind, ErrorKind::fenced);
  ASSERT_TRUE(await(this->store().finish(exporting, end, Money{})));
  EXPECT_EQ(this->job("j").status, job::JobStatus::completed);
  EXPECT_THAT(await(this->store().queue_items_of(JobId{"j"})).value(), ::testing::IsEmpty());
}

// However many end at the same moment, one of them is the last.
TYPED_TEST_P(PartsContract, OfPartsThatEndAtOnceOneIsTheLast) {
  constexpr int kParts = 12;
  this->create_parts(kParts);
  std::vector<QueueItem> held;
  for (int part = 1; part <= kParts; ++part) held.push_back(this->take(part, "w" + std::to_string(part), 0));
  std::vector<async::Task<Result<bool>>> ends;
  for (const QueueItem& item : held)
    ends.push_back(this->store().end_part(item, progress(1), Money{1}, "", this->export_of("j"), at(50)));
  int last = 0;
  for (const auto& ended : await(all_of(std::move(ends)))) {
    ASSERT_TRUE(ended) << error_text(ended);
    last += *ended;
  }
  EXPECT_EQ(last, 1);
  EXPECT_EQ(this->job("j").parts_ended, kParts);
  EXPECT_EQ(this->job("j").unallocated, Money{kParts});
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 1u);
}

TYPED_TEST_P(PartsContract, TheFirstReasonToStopIsKept) {
  this->create_parts(2);
  const QueueItem one = this->take(1, "w1", 0), two = this->take(2, "w2", 0);
  EXPECT_FALSE(this->end(one, 1, "budget").value());
  EXPECT_EQ(this->job("j").stop_reason, "budget");
  EXPECT_TRUE(this->end(two, 1, "failures").value());
  EXPECT_EQ(this->job("j").stop_reason, "budget");
}

TYPED_TEST_P(PartsContract, AParkedPartWaitsUntilItIsPutBack) {
  this->create_parts(2);
  const QueueItem one = this->take(1, "w1", 0);
  const QueueItem two = this->take(2, "w2", 0);
  ASSERT_TRUE(await(this->store().park(one, progress(5), {Money{7}}, at(90), at(10))));
  EXPECT_EQ(this->job("j").status, job::JobStatus::running) << "the other part is";
  EXPECT_EQ(this->job("j").unallocated, Money{7});
  const auto parked = this->queue(QueueStatus::parked);
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].not_before, at(90));
  EXPECT_EQ(parked[0].owner, "");
  EXPECT_EQ(parked[0].lease_expires_at, std::nullopt);
  EXPECT_EQ(parked[0].attempt.value, 1);
  EXPECT_THAT(this->writes_of(one), ::testing::Each(ErrorKind::fenced));
  ASSERT_TRUE(await(this->store().unpark(parked[0])));
  EXPECT_EQ(await(this->store().unpark(parked[0])).error().kind, ErrorKind::changed);
  const auto queued = this->queue(QueueStatus::queued);
  ASSERT_EQ(queued.size(), 1u);
  EXPECT_EQ(queued[0].not_before, std::nullopt);
  EXPECT_EQ(this->claim(queued[0], by("w3", 100)).value().attempt.value, 2);
  ASSERT_TRUE(await(this->store().park(two, progress(5), {}, std::nullopt, at(11))));
  EXPECT_EQ(this->queue(QueueStatus::parked).at(0).not_before, std::nullopt);
}

TYPED_TEST_P(PartsContract, AnItemIsTakenOutOfTheQueueAsItWasSeen) {
  this->create_parts(2);
  const QueueItem one = this->take(1, "w1", 0);
  QueueItem before = one;
  before.attempt = AttemptNumber{0};
  EXPECT_EQ(await(this->store().remove_queue_item(before)).error().kind, ErrorKind::changed);
  EXPECT_EQ(this->queue(QueueStatus::running).size(), 1u);
  ASSERT_TRUE(await(this->store().remove_queue_item(one)));
  EXPECT_EQ(this->queue(QueueStatus::running).size(), 0u);
  EXPECT_TRUE(await(this->store().remove_queue_item(one))) << "it is gone already";
  ASSERT_TRUE(await(this->store().remove_queue_item(this->queue(QueueStatus::queued).at(0))));
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 0u);
}

TYPED_TEST_P(PartsContract, AJobIsQueuedAgainWhenNoneOfItsPartsIsRunning) {
  this->create_parts(2);
  const QueueItem one = this->take(1, "w1", 0), two = this->take(2, "w2", 0);
  ASSERT_TRUE(await(this->store().requeue(one, progress(5), {}, at(10))));
  EXPECT_EQ(this->job("j").status, job::JobStatus::running);
  ASSERT_TRUE(await(this->store().requeue(two, progress(5), {}, at(11))));
  EXPECT_EQ(this->job("j").status, job::JobStatus::queued);
}

// DESIGN.md section 6, promise 5: what a part is given up for.
TYPED_TEST_P(PartsContract, FruitlessAttemptsAreCountedUntilThereIsProgress) {
  this->create_parts(1);
  QueueItem held = this->take(1, "w1", 0);
  const auto part = [&] { return this->job("j").parts.at(1); };
  // A lapsed lease, an error: each counts.
  held = this->claim(held, by("w2", 100)).value();
  EXPECT_EQ(part().fruitless, 1);
  EXPECT_THAT(part().last_cause, ::testing::HasSubstr("w1"));
  ASSERT_TRUE(await(this->store().requeue(held, progress(0), {.cause = "no model"}, at(101))));
  EXPECT_EQ(part().fruitless, 1) << "a failed record is progress too";
  held = this->claim(this->queue(QueueStatus::queued).at(0), by("w3", 102)).value();
  ASSERT_TRUE(await(this->store().requeue(held, progress(0), {.cause = "no model"}, at(103))));
  EXPECT_EQ(part().fruitless, 2);
  EXPECT_EQ(part().last_cause, "no model");
  // A drain, and having to wait, do not; a report of as many records neither.
  held = this->claim(this->queue(QueueStatus::queued).at(0), by("w4", 104)).value();
  ASSERT_TRUE(await(this->store().report(held, progress(0), at(105))));
  ASSERT_TRUE(await(this->store().requeue(held, progress(0), {}, at(106))));
  EXPECT_EQ(part().fruitless, 2);
  EXPECT_EQ(part().last_cause, "no model");
  held = this->claim(this->queue(QueueStatus::queued).at(0), by("w5", 107)).value();
  ASSERT_TRUE(await(this->store().report(held, progress(1), at(108))));
  EXPECT_EQ(part().fruitless, 0);
  EXPECT_EQ(part().last_cause, "");
  // A take-over asks for no lease: the local owner knows that the other one is dead, and of what.
  Claim take_over = by("w6", 109);
  take_over.take_over = true;
  ASSERT_TRUE(this->claim(held, take_over));
  EXPECT_EQ(part().fruitless, 0);
}

TYPED_TEST_P(PartsContract, OwnersSeeThatTheJobShallStop) {
  this->create_parts(3);
  const QueueItem one = this->take(1, "w1", 0), two = this->take(2, "w2", 0);
  EXPECT_EQ(await(this->store().heartbeat(one, at(70))).value().stop_reason, "");
  ASSERT_TRUE(await(this->store().park(two, progress(5), {}, at(900), at(10))));
  const Result<JobItem> stopped =
      await(this->store().request_stop(JobId{"j"}, "cancelled", job::JobStatus::cancelled, at(20)));
  ASSERT_TRUE(stopped) << error_text(stopped);
  EXPECT_EQ(stopped->stop_reason, "cancelled");
  EXPECT_FALSE(job::is_terminal(stopped->status)) << "its parts end first, then the export";
  EXPECT_EQ(await(this->store().heartbeat(one, at(80))).value().stop_reason, "cancelled");
  EXPECT_THAT(this->queue(QueueStatus::parked), ::testing::IsEmpty());
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 2u);
  EXPECT_EQ(this->queue(QueueStatus::running).size(), 1u);
}

TYPED_TEST_P(PartsContract, AJobThatNobodyHasBegunEndsAtOnce) {
  this->create_parts(3);
  const auto stop = [&] {
    return await(this->store().request_stop(JobId{"j"}, "cancelled", job::JobStatus::cancelled, at(20)));
  };
  const Result<JobItem> stopped = stop();
  ASSERT_TRUE(stopped) << error_text(stopped);
  EXPECT_EQ(stopped->status, job::JobStatus::cancelled);
  const JobItem job = this->job("j");
  EXPECT_EQ(job.status, job::JobStatus::cancelled);
  EXPECT_EQ(job.completed_at, at(20));
  EXPECT_EQ(job.revision, stopped->revision);
  EXPECT_THAT(this->queue(QueueStatus::queued), ::testing::IsEmpty());
  EXPECT_EQ(stop().error().kind, ErrorKind::bad_input);
  EXPECT_EQ(await(this->store().request_stop(JobId{"k"}, "cancelled", job::JobStatus::cancelled, at(20))).error().kind,
            ErrorKind::not_found);
}

TYPED_TEST_P(PartsContract, AJobThatWasEndedBeforeItBeganCanBeQueuedAgain) {
  this->create_parts(2);
  ASSERT_TRUE(await(this->store().request_stop(JobId{"j"}, "cancelled", job::JobStatus::cancelled, at(20))));
  JobItem job = this->job("j");
  job.status = job::JobStatus::queued;
  job.stop_reason.clear();
  const auto put = await(this->store().put_job_and_enqueue(job, {new_item("j", 0, 1), new_item("j", 0, 2)}));
  ASSERT_TRUE(put) << error_text(put);
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 2u);
}

TYPED_TEST_P(PartsContract, ItemsThatWereTakenOutOfTheQueueCanBePutBack) {
  this->create_parts(2);
  for (const QueueItem& item : this->queue(QueueStatus::queued)) {
    ASSERT_TRUE(await(this->store().remove_queue_item(item)));
  }
  const auto put = await(this->store().put_job_and_enqueue(this->job("j"), {new_item("j", 0, 1), new_item("j", 0, 2)}));
  ASSERT_TRUE(put) << error_text(put);
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 2u);
  const auto again = await(this->store().put_job_and_enqueue(this->job("j"), {new_item("j", 0, 2)}));
  EXPECT_EQ(again.error().kind, ErrorKind::already_exists);
}

TYPED_TEST_P(PartsContract, WhatIsLeftOverOfAJobThatHasEndedIsNotClaimed) {
  this->create_parts(2);
  const QueueItem one = this->take(1, "w1", 0);
  JobItem end = this->job("j");
  end.status = job::JobStatus::failed;
  ASSERT_TRUE(await(this->store().finish(one, end, Money{})));
  EXPECT_EQ(this->claim(new_item("j", 0, 2), by("w2", 1)).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(this->job("j").status, job::JobStatus::failed);
}

TYPED_TEST_P(PartsContract, AHeartbeatTellsWhatIsLeftOfTheBudget) {
  this->create_parts(1);
  JobItem job = this->job("j");
  job.unallocated = Money{12'345};
  ASSERT_TRUE(await(this->store().put_job(job)));
  const QueueItem held = this->take(1, "w1", 0);
  EXPECT_EQ(await(this->store().heartbeat(held, at(70))).value().unallocated, Money{12'345});
}

TYPED_TEST_P(PartsContract, SeveralItemsAreQueuedWithTheJobOrNone) {
  this->create(new_job("j"), {});
  JobItem job = this->job("j");
  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {new_item("j", 1, 1), new_item("other", 1, 2)})).error().kind,
            ErrorKind::bad_input);
  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {new_item("j", 1, 1), new_item("j", 1, 1)})).error().kind,
            ErrorKind::already_exists);
  EXPECT_THAT(this->queue(QueueStatus::queued), ::testing::IsEmpty());
  ASSERT_TRUE(await(this->store().put_job_and_enqueue(job, {new_item("j", 1, 1), new_item("j", 1, 2)})));
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 2u);
}

REGISTER_TYPED_TEST_SUITE_P(PartsContract, TheLastPartToEndPutsTheExportIntoTheQueue, OfPartsThatEndAtOnceOneIsTheLast,
                            TheFirstReasonToStopIsKept, AParkedPartWaitsUntilItIsPutBack,
                            AnItemIsTakenOutOfTheQueueAsItWasSeen, AJobIsQueuedAgainWhenNoneOfItsPartsIsRunning,
                            FruitlessAttemptsAreCountedUntilThereIsProgress, OwnersSeeThatTheJobShallStop,
                            AJobThatNobodyHasBegunEndsAtOnce, AJobThatWasEndedBeforeItBeganCanBeQueuedAgain,
                            ItemsThatWereTakenOutOfTheQueueCanBePutBack, WhatIsLeftOverOfAJobThatHasEndedIsNotClaimed,
                            AHeartbeatTellsWhatIsLeftOfTheBudget, SeveralItemsAreQueuedWithTheJobOrNone);

}  // namespace palette::contract
