// What every JobStore must do with jobs, templates and cost rows; queue_contract.h has the queue,
// parts_contract.h jobs of several parts. An implementation
// runs it so:
//
//   struct SqliteStore {                                  // a new, empty store for each test
//     explicit SqliteStore(async::BlockingPool& pool);
//     JobStore& store();
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JobStoreContract, SqliteStore);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, QueueContract, SqliteStore);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, PartsContract, SqliteStore);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "contract/job_store_fixture.h"

namespace palette::contract {

template <class Factory>
class JobStoreContract : public JobStoreFixture<Factory> {};

TYPED_TEST_SUITE_P(JobStoreContract);

// --- Jobs

TYPED_TEST_P(JobStoreContract, GivesBackEveryFieldOfAJob) {
  JobItem job = new_job("j-1");
  job.user_id = "ann";
  job.identity_hash = "abc";
  job.status = job::JobStatus::budget_exceeded;
  job.stop_reason = "budget";
  job.error_message = "line one\nline \"two\" é";
  job.spec_fields = {{"num_records", 200}, {"seed_data_path", "é.csv"}, {"nested", JsonObject{{"a", nullptr}}}};
  job.budget_limit = Money{12'500'000'000};
  job.unallocated = Money{1};
  job.extents = {JsonObject{{"first_record", 0}, {"count", 200}}};
  job.parts = {{1, {AttemptNumber{3}, 4, Money{9}, 5, 6, 7, Money{8}}},
               {12, {AttemptNumber{1}, 0, Money{}, 0, 0, 0, Money{}}}};
  job.parts_ended = 1;
  job.records_generated = 2;
  job.records_failed = 3;
  job.tokens_used = 4'000'000'000;
  job.cost_estimate = Money{9'000'000'000'000'000'001};
  job.started_at = at(1);
  job.completed_at = at(2);
  job.updated_at = at(3);
  job.task_arn = "arn:aws:ecs:task/1";
  this->create(job, {});
  const JobItem got = this->job("j-1");
  EXPECT_EQ(got.name, "facts");
  EXPECT_EQ(got.user_id, job.user_id);
  EXPECT_EQ(got.identity_hash, job.identity_hash);
  EXPECT_EQ(got.status, job.status);
  EXPECT_EQ(got.stop_reason, job.stop_reason);
  EXPECT_EQ(got.error_message, job.error_message);
  EXPECT_EQ(got.spec_fields, job.spec_fields);
  EXPECT_EQ(got.num_records, 200);
  EXPECT_EQ(got.budget_limit, job.budget_limit);
  EXPECT_EQ(got.unallocated, job.unallocated);
  EXPECT_EQ(got.extents, job.extents);
  EXPECT_EQ(got.parts, job.parts);
  EXPECT_EQ(got.parts_ended, 1);
  EXPECT_EQ(got.records_generated, 2);
  EXPECT_EQ(got.records_failed, 3);
  EXPECT_EQ(got.tokens_used, job.tokens_used);
  EXPECT_EQ(got.cost_estimate, job.cost_estimate);
  EXPECT_EQ(got.created_at, job.created_at);
  EXPECT_EQ(got.started_at, job.started_at);
  EXPECT_EQ(got.completed_at, job.completed_at);
  EXPECT_EQ(got.updated_at, job.updated_at);
  EXPECT_EQ(got.task_arn, job.task_arn);
}

TYPED_TEST_P(JobStoreContract, AJobWithoutItsOptionalFields) {
  this->create(new_job("j"), {});
  const JobItem got = this->job("j");
  EXPECT_EQ(got.budget_limit, std::nullopt);
  EXPECT_EQ(got.started_at, std::nullopt);
  EXPECT_EQ(got.completed_at, std::nullopt);
  EXPECT_TRUE(got.parts.empty());
  EXPECT_EQ(await(this->store().get_job(JobId{"other"})).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(JobStoreContract, CreatingIsAllOrNothing) {
  this->create(new_job("j"), {new_item("j")});
  EXPECT_EQ(await(this->store().create_job(new_job("j"), {new_item("j", 9)})).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 1u);
  // A queue item that is there already, or another job's: the job is not made either.
  QueueItem taken = new_item("k");
  taken.position = new_item("j").position;
  EXPECT_EQ(await(this->store().create_job(new_job("k"), {taken})).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(await(this->store().create_job(new_job("k"), {new_item("other")})).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(await(this->store().get_job(JobId{"k"})).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(JobStoreContract, APutJobNeedsTheRevisionThatWasRead) {
  this->create(new_job("j"), {});
  JobItem mine = this->job("j"), theirs = mine;
  theirs.error_message = "theirs";
  const Result<std::int64_t> revision = await(this->store().put_job(theirs));
  ASSERT_TRUE(revision) << error_text(revision);
  EXPECT_GT(*revision, mine.revision);
  EXPECT_EQ(this->job("j").revision, *revision);
  mine.error_message = "mine";
  EXPECT_EQ(await(this->store().put_job(mine)).error().kind, ErrorKind::changed);
  EXPECT_EQ(this->job("j").error_message, "theirs");
  mine.revision = *revision;
  EXPECT_TRUE(await(this->store().put_job(mine)));
  EXPECT_EQ(await(this->store().put_job(new_job("absent"))).error().kind, ErrorKind::not_found);
}

TYPED_TEST_P(JobStoreContract, EveryWriteToAJobRaisesItsRevision) {
  QueueItem held = this->held_part();
  std::int64_t revision = this->job("j").revision;
  const auto rises = [&] { return std::exchange(revision, this->job("j").revision) < revision; };
  ASSERT_TRUE(await(this->store().report(held, progress(1), at(1))));
  EXPECT_TRUE(rises());
  ASSERT_TRUE(await(this->store().requeue(held, progress(1), {}, at(2))));
  EXPECT_TRUE(rises());
  held = this->claim(this->queue(QueueStatus::queued).at(0), by("w2", 3)).value();
  EXPECT_TRUE(rises());
  ASSERT_TRUE(await(this->store().finish(held, this->job("j"), Money{})));
  EXPECT_TRUE(rises());
}

TYPED_TEST_P(JobStoreContract, PutJobAndEnqueueIsOneWrite) {
  this->create(new_job("j"), {});
  JobItem job = this->job("j");
  job.num_records = 300;
  job.parts[1].attempt = AttemptNumber{4};
  ASSERT_TRUE(await(this->store().put_job_and_enqueue(job, {new_item("j", 10)})));
  EXPECT_EQ(this->job("j").num_records, 300);
  ASSERT_EQ(this->queue(QueueStatus::queued).size(), 1u);
  // The attempts of a part go on where they were.
  EXPECT_EQ(this->claim(this->queue(QueueStatus::queued).at(0), by("w", 11)).value().attempt.value, 5);

  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {new_item("j", 20)})).error().kind, ErrorKind::changed);
  job = this->job("j");
  job.num_records = 400;
  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {new_item("j", 10)})).error().kind, ErrorKind::already_exists);
  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {new_item("other", 20)})).error().kind, ErrorKind::bad_input);
  QueueItem running = new_item("j", 20);
  running.status = QueueStatus::running;
  EXPECT_EQ(await(this->store().put_job_and_enqueue(job, {running})).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(this->job("j").num_records, 300);
  EXPECT_THAT(this->queue(QueueStatus::queued), ::testing::IsEmpty());
}

TYPED_TEST_P(JobStoreContract, ListsJobsOldestFirst) {
  JobItem other = new_job("a", 30);
  other.name = "other";
  this->create(other, {});
  this->create(new_job("c", 10), {});
  this->create(new_job("b", 20), {});
  const auto ids = [](const Result<std::vector<JobItem>>& jobs) {
    std::string text;
    for (const JobItem& job : jobs.value()) text += job.id.text;
    return text;
  };
  EXPECT_EQ(ids(await(this->store().list_jobs())), "cba");
  EXPECT_EQ(ids(await(this->store().jobs_named("facts"))), "cb");
  EXPECT_EQ(ids(await(this->store().jobs_named("none"))), "");
}

TYPED_TEST_P(JobStoreContract, ARemovedJobLeavesNothing) {
  this->held_part();
  this->create(new_job("k"), {new_item("k")});
  ASSERT_TRUE(await(this->store().put_cost_rows({{JobId{"j"}, "t1", {}}})));
  ASSERT_TRUE(await(this->store().remove_job(JobId{"j"})));
  ASSERT_TRUE(await(this->store().remove_job(JobId{"j"})));
  EXPECT_EQ(await(this->store().get_job(JobId{"j"})).error().kind, ErrorKind::not_found);
  EXPECT_THAT(await(this->store().queue_items_of(JobId{"j"})).value(), ::testing::IsEmpty());
  EXPECT_THAT(await(this->store().cost_rows(JobId{"j"})).value(), ::testing::IsEmpty());
  EXPECT_EQ(this->queue(QueueStatus::queued).size(), 1u);
}

// --- Templates and CostTracking

TYPED_TEST_P(JobStoreContract, TemplatesHaveVersions) {
  const auto put = [&](std::string id, std::int64_t version, std::string definition) {
    return await(this->store().put_template(TemplateItem{id, version, "name", definition, at(version)}));
  };
  ASSERT_TRUE(put("t", 1, "one"));
  ASSERT_TRUE(put("t", 10, "ten"));
  ASSERT_TRUE(put("t", 2, "two"));
  ASSERT_TRUE(put("s", 1, "{}"));
  EXPECT_EQ(put("t", 2, "again").error().kind, ErrorKind::already_exists);
  EXPECT_EQ(await(this->store().get_template("t", 2)).value().definition, "two");
  EXPECT_EQ(await(this->store().get_template("t", std::nullopt)).value().version, 10);
  EXPECT_EQ(await(this->store().get_template("t", 3)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(await(this->store().get_template("u", std::nullopt)).error().kind, ErrorKind::not_found);
  std::string listed;
  for (const TemplateItem& item : await(this->store().list_templates()).value()) {
    listed += item.id + std::to_string(item.version) + " ";
  }
  EXPECT_EQ(listed, "s1 t1 t2 t10 ");
  const TemplateItem item = await(this->store().get_template("t", 2)).value();
  EXPECT_EQ(item.name, "name");
  EXPECT_EQ(item.created_at, at(2));
}

TYPED_TEST_P(JobStoreContract, ACostRowIsReplacedByItsKey) {
  const auto put = [&](std::string job, std::string key, std::int64_t tokens) {
    return await(this->store().put_cost_rows({CostRow{JobId{job}, key, {{"bedrock_tokens", tokens}}}}));
  };
  ASSERT_TRUE(put("j", "2026-11-23T10:00:01.000Z#1#1#2", 20));
  ASSERT_TRUE(put("j", "2026-11-23T10:00:00.000Z#1#1#1", 1));
  ASSERT_TRUE(put("j", "2026-11-23T10:00:00.000Z#1#1#1", 10));
  ASSERT_TRUE(put("k", "2026-11-23T10:00:00.000Z#1#1#1", 99));
  const auto rows = await(this->store().cost_rows(JobId{"j"}));
  ASSERT_TRUE(rows) << error_text(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].fields, (JsonObject{{"bedrock_tokens", 10}}));
  EXPECT_EQ((*rows)[1].fields, (JsonObject{{"bedrock_tokens", 20}}));
  EXPECT_EQ((*rows)[0].job.text, "j");
  EXPECT_EQ((*rows)[0].timestamp_key, "2026-11-23T10:00:00.000Z#1#1#1");
}

REGISTER_TYPED_TEST_SUITE_P(JobStoreContract, GivesBackEveryFieldOfAJob, AJobWithoutItsOptionalFields,
                            CreatingIsAllOrNothing, APutJobNeedsTheRevisionThatWasRead,
                            EveryWriteToAJobRaisesItsRevision, PutJobAndEnqueueIsOneWrite, ListsJobsOldestFirst,
                            ARemovedJobLeavesNothing, TemplatesHaveVersions, ACostRowIsReplacedByItsKey);

}  // namespace palette::contract
