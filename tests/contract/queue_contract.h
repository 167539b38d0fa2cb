// What every JobStore must do with its queue: order, claims and their races, leases, and the fencing of each write of
// an owner. Run as job_store_contract.h says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "contract/job_store_fixture.h"

namespace palette::contract {

template <class Factory>
class QueueContract : public JobStoreFixture<Factory> {};

TYPED_TEST_SUITE_P(QueueContract);

TYPED_TEST_P(QueueContract, GivesBackEveryFieldOfAQueueItem) {
  QueueItem item = new_item("j", 0, 3);
  item.status = QueueStatus::parked;
  item.kind = WorkKind::export_;
  item.attempt = AttemptNumber{2};
  item.owner = "w";
  item.lease_expires_at = at(1);
  item.not_before = at(2);
  item.started_at = at(3);
  this->create(new_job("j"), {item});
  const auto items = this->queue(QueueStatus::parked);
  ASSERT_EQ(items.size(), 1u);
  const QueueItem& got = items[0];
  EXPECT_EQ(got.position, item.position);
  EXPECT_EQ(got.job, item.job);
  EXPECT_EQ(got.part, item.part);
  EXPECT_EQ(got.kind, item.kind);
  EXPECT_EQ(got.attempt, item.attempt);
  EXPECT_EQ(got.owner, item.owner);
  EXPECT_EQ(got.lease_expires_at, item.lease_expires_at);
  EXPECT_EQ(got.not_before, item.not_before);
  EXPECT_EQ(got.started_at, item.started_at);
  EXPECT_EQ(this->claim(got, by("w", 9)).error().kind, ErrorKind::bad_input);
}

// DESIGN.md section 5: oldest first means by time, not by job id.
TYPED_TEST_P(QueueContract, TheQueueIsFirstInFirstOut) {
  this->create(new_job("z"), {new_item("z", 0, 2), new_item("z", 0, 10), new_item("z", 0, 1)});
  this->create(new_job("a"), {new_item("a", 10)});
  this->create(new_job("m"), {new_item("m", 5)});
  QueueItem urgent = new_item("late", 99);
  urgent.position = QueuePosition::make(1, at(99), urgent.job, urgent.part);
  this->create(new_job("late"), {urgent});
  std::vector<std::string> order;
  for (const QueueItem& item : this->queue(QueueStatus::queued)) {
    order.push_back(item.job.text + std::to_string(item.part.value));
  }
  EXPECT_THAT(order, ::testing::ElementsAre("late1", "z1", "z2", "z10", "m1", "a1"));
  EXPECT_EQ(await(this->store().queue_items_of(JobId{"z"})).value().size(), 3u);
}

// Far more than a page of DynamoDB would need to go wrong, in ids that sort the other way.
TYPED_TEST_P(QueueContract, ManyJobsAreTakenInTheOrderOfTheirTime) {
  constexpr int kJobs = 500;
  std::vector<async::Task<Status>> creations;
  for (int i = 0; i < kJobs; ++i) {
    const std::string id = "job-" + std::to_string(1'000 + kJobs - i);
    creations.push_back(this->store().create_job(new_job(id, i), {new_item(id, i)}));
    if (creations.size() < 50) continue;
    for (const Status& created : await(all_of(std::exchange(creations, {})))) ASSERT_TRUE(created);
  }
  std::vector<std::string> order, expected;
  for (const QueueItem& item : this->queue(QueueStatus::queued)) order.push_back(item.job.text);
  for (int i = 0; i < kJobs; ++i) expected.push_back("job-" + std::to_string(1'000 + kJobs - i));
  EXPECT_EQ(order, expected);
}

TYPED_TEST_P(QueueContract, AClaimIsNotedInItemAndJob) {
  QueueItem item = new_item("j");
  item.not_before = at(1);
  this->create(new_job("j"), {item});
  const Result<QueueItem> held = this->claim(item, by("w1", 5));
  ASSERT_TRUE(held) << error_text(held);
  EXPECT_EQ(held->status, QueueStatus::running);
  EXPECT_EQ(held->attempt.value, 1);
  EXPECT_EQ(held->owner, "w1");
  EXPECT_EQ(held->lease_expires_at, at(65));
  EXPECT_EQ(held->started_at, at(5));
  EXPECT_EQ(held->not_before, std::nullopt);
  const auto running = this->queue(QueueStatus::running);
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].owner, "w1");
  EXPECT_EQ(running[0].lease_expires_at, at(65));
  EXPECT_THAT(this->queue(QueueStatus::queued), ::testing::IsEmpty());
  const JobItem job = this->job("j");
  EXPECT_EQ(job.status, job::JobStatus::running);
  EXPECT_EQ(job.parts.at(1).attempt.value, 1);
  EXPECT_EQ(job.task_arn, "w1");
  EXPECT_EQ(job.started_at, at(5));
  EXPECT_EQ(job.updated_at, at(5));
}

TYPED_TEST_P(QueueContract, ASecondClaimOfWhatWasSeenIsTooLate) {
  const QueueItem held = this->held_part();
  EXPECT_EQ(this->claim(new_item("j"), by("w2", 1)).error().kind, ErrorKind::changed);
  EXPECT_EQ(this->claim(new_item("j"), by("w2", 9'999)).error().kind, ErrorKind::changed);
  ASSERT_TRUE(await(this->store().finish(held, this->job("j"), Money{})));
  EXPECT_EQ(this->claim(new_item("j"), by("w2", 1)).error().kind, ErrorKind::changed);
}

// DESIGN.md section 6, promise 5.
TYPED_TEST_P(QueueContract, OfManyClaimersEachItemGoesToOne) {
  std::vector<QueueItem> items;
  for (int part = 1; part <= 10; ++part) items.push_back(new_item("j", 0, part));
  this->create(new_job("j"), items);
  std::vector<async::Task<Result<QueueItem>>> claims;
  for (int claimer = 0; claimer < 16; ++claimer) {
    for (const QueueItem& item : items)
      claims.push_back(this->store().claim(item, by("w" + std::to_string(claimer), 0)));
  }
  std::vector<std::int64_t> parts;
  for (const auto& claimed : await(all_of(std::move(claims)))) {
    if (claimed) parts.push_back(claimed->part.value);
    if (!claimed) EXPECT_TRUE(claimed.error().kind == ErrorKind::changed) << error_text(claimed);
  }
  std::ranges::sort(parts);
  EXPECT_THAT(parts, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  for (const auto& [number, part] : this->job("j").parts) EXPECT_EQ(part.attempt.value, 1) << number;
}

TYPED_TEST_P(QueueContract, AnExpiredLeaseIsTaken) {
  const QueueItem held = this->held_part();
  EXPECT_EQ(this->claim(held, by("w2", 59)).error().kind, ErrorKind::held);
  const Result<QueueItem> taken = this->claim(held, by("w2", 60));
  ASSERT_TRUE(taken) << error_text(taken);
  EXPECT_EQ(taken->attempt.value, 2);
  EXPECT_EQ(taken->owner, "w2");
  EXPECT_EQ(this->claim(held, by("w3", 999)).error().kind, ErrorKind::changed);
  EXPECT_EQ(this->job("j").parts.at(1).attempt.value, 2);
  EXPECT_EQ(this->job("j").started_at, at(0));
}

TYPED_TEST_P(QueueContract, ARenewedLeaseIsNotTakenByWhoSawTheOldOne) {
  const QueueItem seen = this->held_part();
  ASSERT_TRUE(await(this->store().heartbeat(seen, at(120))));
  EXPECT_EQ(this->claim(seen, by("w2", 100)).error().kind, ErrorKind::held);
  EXPECT_EQ(this->claim(seen, by("w2", 130)).error().kind, ErrorKind::changed);
  EXPECT_TRUE(this->claim(this->queue(QueueStatus::running).at(0), by("w2", 130)));
}

TYPED_TEST_P(QueueContract, TakeOverAsksForNoLease) {
  const QueueItem held = this->held_part();
  ASSERT_TRUE(await(this->store().heartbeat(held, at(500))));
  Claim take_over = by("w2", 1);
  take_over.take_over = true;
  const Result<QueueItem> taken = this->claim(held, take_over);
  ASSERT_TRUE(taken) << error_text(taken);
  EXPECT_EQ(taken->attempt.value, 2);
  EXPECT_EQ(taken->lease_expires_at, at(61));
  EXPECT_EQ(this->claim(held, take_over).error().kind, ErrorKind::changed);
}

TYPED_TEST_P(QueueContract, AHeartbeatRenewsTheLeaseAlone) {
  const QueueItem held = this->held_part();
  const std::int64_t revision = this->job("j").revision;
  ASSERT_TRUE(await(this->store().heartbeat(held, at(120))));
  EXPECT_EQ(this->queue(QueueStatus::running).at(0).lease_expires_at, at(120));
  EXPECT_EQ(this->job("j").revision, revision);
}

TYPED_TEST_P(QueueContract, TheTotalsAreTheSumsOverTheParts) {
  this->create(new_job("j"), {new_item("j", 0, 1), new_item("j", 0, 2)});
  const QueueItem one = this->claim(new_item("j", 0, 1), by("w1", 0)).value();
  const QueueItem two = this->claim(new_item("j", 0, 2), by("w2", 0)).value();
  ASSERT_TRUE(await(this->store().report(one, progress(10), at(5))));
  ASSERT_TRUE(await(this->store().report(two, progress(20), at(6))));
  ASSERT_TRUE(await(this->store().report(one, progress(30), at(7))));
  const JobItem job = this->job("j");
  EXPECT_EQ(job.records_generated, 50);
  EXPECT_EQ(job.records_failed, 2);
  EXPECT_EQ(job.tokens_used, 500);
  EXPECT_EQ(job.cost_estimate, Money{50});
  EXPECT_EQ(job.updated_at, at(7));
  PartProgress expected = progress(30);
  expected.attempt = AttemptNumber{1};
  expected.slice_no = 0;  // only take_slice changes it
  EXPECT_EQ(job.parts.at(1), expected);
}

TYPED_TEST_P(QueueContract, ARequeuedItemKeepsItsPlaceInFront) {
  const QueueItem held = this->held_part();
  this->create(new_job("k"), {new_item("k", 10)});
  ASSERT_TRUE(await(this->store().requeue(held, progress(40), {}, at(20))));
  const auto queued = this->queue(QueueStatus::queued);
  ASSERT_EQ(queued.size(), 2u);
  EXPECT_EQ(queued[0].job.text, "j");
  EXPECT_EQ(queued[0].position, held.position);
  EXPECT_EQ(queued[0].attempt.value, 1);
  EXPECT_EQ(queued[0].owner, "");
  EXPECT_EQ(queued[0].lease_expires_at, std::nullopt);
  EXPECT_THAT(this->queue(QueueStatus::running), ::testing::IsEmpty());
  EXPECT_EQ(this->job("j").status, job::JobStatus::queued);
  EXPECT_EQ(this->job("j").records_generated, 40);
  EXPECT_EQ(this->claim(queued[0], by("w2", 30)).value().attempt.value, 2);
  EXPECT_EQ(this->job("j").parts.at(1).records, 40);
}

TYPED_TEST_P(QueueContract, FinishRemovesTheItemAndWritesTheEnd) {
  const QueueItem held = this->held_part();
  JobItem end = this->job("j");
  end.status = job::JobStatus::completed;
  end.stop_reason = "why";
  end.error_message = "message";
  end.records_generated = 199;
  end.records_failed = 1;
  end.tokens_used = 77;
  end.cost_estimate = Money{5};
  end.completed_at = end.updated_at = at(50);
  end.revision = 0;  // not asked for: the attempt is the condition
  ASSERT_TRUE(await(this->store().finish(held, end, Money{})));
  EXPECT_THAT(await(this->store().queue_items_of(JobId{"j"})).value(), ::testing::IsEmpty());
  const JobItem job = this->job("j");
  EXPECT_EQ(job.status, job::JobStatus::completed);
  EXPECT_EQ(job.stop_reason, "why");
  EXPECT_EQ(job.error_message, "message");
  EXPECT_EQ(job.records_generated, 199);
  EXPECT_EQ(job.records_failed, 1);
  EXPECT_EQ(job.tokens_used, 77);
  EXPECT_EQ(job.cost_estimate, Money{5});
  EXPECT_EQ(job.completed_at, at(50));
}

// DESIGN.md section 6, promise 3: what a part may spend comes from the job's unallocated budget, once.
TYPED_TEST_P(QueueContract, Promise3_SlicesComeFromTheUnallocatedBudget) {
  const QueueItem held = this->held_part();
  JobItem job = this->job("j");
  job.unallocated = Money{100};
  ASSERT_TRUE(await(this->store().put_job(job)));
  const auto take = [&](std::int64_t slice_no, std::int64_t pico) {
    return await(this->store().take_slice(held, slice_no, Money{pico}));
  };
  EXPECT_TRUE(take(1, 60).value().granted);
  EXPECT_EQ(take(1, 60).value().unallocated, Money{40}) << "the answer was lost: the same slice, not another one";
  EXPECT_EQ(this->job("j").unallocated, Money{40});
  EXPECT_FALSE(take(2, 41).value().granted);
  EXPECT_EQ(take(2, 41).value().unallocated, Money{40});
  EXPECT_EQ(take(1, 10).error().kind, ErrorKind::changed) << "a slice that was taken with another amount";
  EXPECT_EQ(take(3, 10).error().kind, ErrorKind::changed) << "a number that is not the next";
  EXPECT_TRUE(take(2, 40).value().granted);
  EXPECT_EQ(this->job("j").unallocated, Money{});

  ASSERT_TRUE(await(this->store().report(held, progress(7), at(5))));
  EXPECT_EQ(this->job("j").parts.at(1).slice_no, 2) << "a report leaves the slices alone";
  ASSERT_TRUE(await(this->store().requeue(held, progress(7), {Money{30}}, at(6))));
  EXPECT_EQ(this->job("j").unallocated, Money{30}) << "what was not spent goes back";

  const QueueItem again = this->claim(this->queue(QueueStatus::queued).at(0), by("w2", 100)).value();
  EXPECT_TRUE(await(this->store().take_slice(again, 3, Money{20})).value().granted) << "the numbers go on";
  ASSERT_TRUE(await(this->store().finish(again, this->job("j"), Money{5})));
  EXPECT_EQ(this->job("j").unallocated, Money{15});
}

// DESIGN.md section 6, promise 5: whatever ended the attempt, none of its writes changes anything.
TYPED_TEST_P(QueueContract, AFencedAttemptChangesNothing) {
  const auto all_fenced = ::testing::AllOf(::testing::SizeIs(5), ::testing::Each(ErrorKind::fenced));
  const QueueItem first = this->held_part();
  const QueueItem second = this->claim(first, by("w2", 100)).value();
  const std::int64_t revision = this->job("j").revision;
  EXPECT_THAT(this->writes_of(first), all_fenced);
  EXPECT_EQ(this->job("j").revision, revision);
  EXPECT_EQ(this->queue(QueueStatus::running).at(0).lease_expires_at, second.lease_expires_at);

  ASSERT_TRUE(await(this->store().requeue(second, progress(3), {}, at(101))));
  EXPECT_THAT(this->writes_of(second), all_fenced);
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 1u);

  const QueueItem third = this->claim(this->queue(QueueStatus::queued).at(0), by("w3", 102)).value();
  EXPECT_THAT(this->writes_of(second), all_fenced);
  ASSERT_TRUE(await(this->store().finish(third, this->job("j"), Money{})));
  EXPECT_THAT(this->writes_of(third), all_fenced);
  ASSERT_TRUE(await(this->store().remove_job(JobId{"j"})));
  EXPECT_THAT(this->writes_of(third), all_fenced);
}

REGISTER_TYPED_TEST_SUITE_P(QueueContract, Promise3_SlicesComeFromTheUnallocatedBudget, GivesBackEveryFieldOfAQueueItem,
                            TheQueueIsFirstInFirstOut, ManyJobsAreTakenInTheOrderOfTheirTime, AClaimIsNotedInItemAndJob,
                            ASecondClaimOfWhatWasSeenIsTooLate, OfManyClaimersEachItemGoesToOne, AnExpiredLeaseIsTaken,
                            ARenewedLeaseIsNotTakenByWhoSawTheOldOne, TakeOverAsksForNoLease,
                            AHeartbeatRenewsTheLeaseAlone, TheTotalsAreTheSumsOverTheParts,
                            ARequeuedItemKeepsItsPlaceInFront, FinishRemovesTheItemAndWritesTheEnd,
                            AFencedAttemptChangesNothing);

}  // namespace palette::contract
