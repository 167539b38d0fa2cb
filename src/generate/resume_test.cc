#include "generate/resume.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

const JobId kJob{"j"};
const StepIds kSteps = {"q", "a"};
constexpr UtcTime kNow{1'790'000'000'000};

// Two batches of five records and one of two.
struct Resume : ::testing::Test {
  TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore files{folder / "objects", pool};
  WatchedStore watched{files};
  store::ObjectStore& objects = watched;
  PartContext context{kJob, PartNumber{1}, AttemptNumber{4}, job::Extents::of(12, 5), 12};

  void put(const std::string& key, const std::string& body) {
    const auto done = await(objects.put(key, body));
    ASSERT_TRUE(done) << error_text(done);
  }
  void put_records(const std::string& key, const std::vector<std::int64_t>& indexes) {
    std::vector<RecordState> states;
    for (std::int64_t index : indexes) states.push_back(record_state(index, {outcome("x"), outcome("y")}));
    put(key, record_lines(kJob, kSteps, states));
  }
  void put_checkpoint(const Checkpoint& checkpoint) {
    put(job::checkpoint_key(kJob, PartNumber{1}), checkpoint.to_text(context.extents, 1, kNow));
  }
  static Checkpoint checkpoint_of(const std::vector<std::int64_t>& batches) {
    Checkpoint out{kJob, PartNumber{1}, 3, {}, {}, {}, {}, {}, UtcTime{5}};
    for (std::int64_t batch : batches) out.completed.add(batch);
    return out;
  }
  Result<ResumeState> load() { return await(load_resume_state(objects, context, kSteps, kNow)); }
  ResumeState loaded() {
    Result<ResumeState> state = load();
    if (!state) throw std::runtime_error(error_text(state));
    return std::move(*state);
  }
  void expect_corrupt(const std::string& key) {
    const Result<ResumeState> state = load();
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, ErrorKind::corrupt) << error_text(state);
    EXPECT_EQ(state.error().where, objects.location(key));
  }
};

TEST_F(Resume, ANewJobHasNothing) {
  const ResumeState state = loaded();
  EXPECT_EQ(state.checkpoint, (Checkpoint{kJob, PartNumber{1}, 0, {}, {}, {}, {}, {}, kNow}));
  EXPECT_TRUE(state.journal.empty());
  EXPECT_TRUE(state.retry_rounds.empty());
}

TEST_F(Resume, ABatchThatTheCheckpointDoesNotKnowIsReadAndBookedOnThisAttempt) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1, 2, 3, 4});
  put_records("jobs/j/outputs/batch-0003.jsonl", {10, 11});
  Checkpoint saved = checkpoint_of({1});
  saved.usage[2]["fake"] = {10, {100, 50}, Money{20'000'000'000}};
  put_checkpoint(saved);
  const ResumeState state = loaded();
  EXPECT_TRUE(state.checkpoint.completed.contains(1));
  EXPECT_FALSE(state.checkpoint.completed.contains(2));
  EXPECT_TRUE(state.checkpoint.completed.contains(3));
  EXPECT_EQ(state.checkpoint.started_at, UtcTime{5});
  EXPECT_EQ(state.checkpoint.usage.at(2), saved.usage.at(2));
  EXPECT_EQ(state.checkpoint.usage.at(4), (UsageByModel{{"fake", {4, {40, 20}, Money{8'000'000'000}}}}));
  EXPECT_EQ(state.checkpoint.records_generated(context.extents), 7);
}

TEST_F(Resume, FailuresOfSuchABatchAreCountedAndTheirFinishedStepsBooked) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 2});
  put("jobs/j/failures/batch-0001-0001.jsonl",
      failure_lines(kSteps,
                    {failed_state(0, {outcome("x"), {}}), failed_state(1, {{}, {}}), failed_state(3, {{}, {}})}));
  put("jobs/j/failures/batch-0001-0002.jsonl",
      failure_lines(kSteps,
                    {failed_state(1, {outcome("x"), {}}), failed_state(3, {{}, {}}), failed_state(4, {{}, {}})}));
  const ResumeState state = loaded();
  EXPECT_EQ(state.checkpoint.records_failed(), 3);
  EXPECT_EQ(state.checkpoint.records_generated(context.extents), 2);
  // Four steps of the two records, one of record 1; that of record 0 was another attempt's.
  EXPECT_EQ(state.checkpoint.usage.at(4).at("fake").calls, 5);
}

TEST_F(Resume, RoundsOfRetriesThatTheCheckpointDoesNotKnow) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1});
  put("jobs/j/failures/batch-0001-0001.jsonl",
      failure_lines(kSteps, {failed_state(2, {{}, {}}), failed_state(3, {{}, {}}), failed_state(4, {{}, {}})}));
  put_records("jobs/j/outputs/batch-0001-r1.jsonl", {3});
  put_records("jobs/j/outputs/batch-0001-r2.jsonl", {2});
  const ResumeState state = loaded();
  EXPECT_EQ(state.retry_rounds, (std::map<std::int64_t, std::int64_t>{{1, 2}}));
  EXPECT_EQ(state.checkpoint.failed.at(1), (std::map<std::int64_t, std::int64_t>{{0, 3}, {1, 2}, {2, 1}}));
  EXPECT_EQ(state.checkpoint.usage.at(4).at("fake").calls, 8);

  // A checkpoint that knows the first round: only the second is booked.
  Checkpoint saved = checkpoint_of({1});
  saved.failed[1] = {{0, 3}, {1, 2}};
  put_checkpoint(saved);
  const ResumeState again = loaded();
  EXPECT_EQ(again.checkpoint.failed.at(1), (std::map<std::int64_t, std::int64_t>{{0, 3}, {1, 2}, {2, 1}}));
  EXPECT_EQ(again.checkpoint.usage.at(4).at("fake").calls, 2);
}

TEST_F(Resume, JournaledRecordsOfCommittedBatchesAreIgnored) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1, 2, 3, 4});
  put(job::journal_key(kJob, PartNumber{1}, AttemptNumber{2}),
      journal_lines(kSteps, {record_state(4, {outcome("x"), outcome("y")}), record_state(5, {outcome("x"), {}}, false),
                             record_state(12, {outcome("beyond"), {}}, false)}));
  const ResumeState state = loaded();
  ASSERT_EQ(state.journal.size(), 1u);
  EXPECT_EQ(state.journal.at(5).steps[0]->output, "x");
}

TEST_F(Resume, WritesNothing) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0});
  const std::size_t before = watched.puts.size();
  loaded();
  EXPECT_EQ(watched.puts.size(), before);
}

TEST_F(Resume, Promise6_ABrokenCheckpointStopsTheAttempt) {
  put("jobs/j/checkpoint.json", "{\"job_id\":\"j\"");
  expect_corrupt("jobs/j/checkpoint.json");
}

TEST_F(Resume, Promise6_ABrokenBatchStopsTheAttempt) {
  put("jobs/j/outputs/batch-0002.jsonl", "{\"id\":\"j-5\",");
  expect_corrupt("jobs/j/outputs/batch-0002.jsonl");
}

TEST_F(Resume, Promise6_ABrokenFailuresObjectStopsTheAttempt) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1, 2, 3});
  put("jobs/j/failures/batch-0001-0001.jsonl", "{\"index\":4");
  expect_corrupt("jobs/j/failures/batch-0001-0001.jsonl");
}

TEST_F(Resume, Promise6_ABrokenJournalStopsTheAttempt) {
  put("journal/j/attempt-0001-0001.jsonl", "{\"record\":4");
  expect_corrupt("journal/j/attempt-0001-0001.jsonl");
}

TEST_F(Resume, Promise6_ABatchThatIsGoneStopsTheAttempt) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1, 2, 3, 4});
  put_checkpoint(checkpoint_of({1, 2}));
  expect_corrupt("jobs/j/outputs/batch-0002.jsonl");
}

TEST_F(Resume, Promise6_ANameThatIsNoBatchStopsTheAttempt) {
  put("jobs/j/outputs/batch-one.jsonl", "");
  expect_corrupt("jobs/j/outputs/batch-one.jsonl");
}

TEST_F(Resume, Promise6_ABatchBeyondTheRecordsStopsTheAttempt) {
  put_records("jobs/j/outputs/batch-0004.jsonl", {});
  const Result<ResumeState> state = load();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(state.error().message, ::testing::HasSubstr("batch 4 lies beyond"));
}

TEST_F(Resume, Promise6_ARetryOfABatchWithoutFailuresStopsTheAttempt) {
  put_records("jobs/j/outputs/batch-0001.jsonl", {0, 1, 2, 3, 4});
  put_records("jobs/j/outputs/batch-0001-r1.jsonl", {2});
  const Result<ResumeState> state = load();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind, ErrorKind::corrupt);
}

TEST_F(Resume, TheLastBatchMayReachBeyondWhatIsAskedForNow) {
  context.num_records = 7;
  EXPECT_EQ(context.last_batch().value, 2);
  context.num_records = 5;
  EXPECT_EQ(context.last_batch().value, 1);
}

}  // namespace
}  // namespace palette::generate
