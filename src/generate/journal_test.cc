#include "generate/journal.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

const JobId kJob{"j"};
const StepIds kSteps = {"q", "a"};

struct Journal : ::testing::Test {
  TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore files{folder / "objects", pool};
  store::ObjectStore& objects = files;

  void put(std::int64_t part, std::int64_t attempt, const std::string& body) {
    ASSERT_TRUE(await(objects.put(job::journal_key(kJob, PartNumber{part}, AttemptNumber{attempt}), body)));
  }
  Result<RecordsByIndex> read(std::function<bool(RecordIndex)> wanted = [](RecordIndex) { return true; }) {
    return await(read_journals(objects, kJob, PartNumber{1}, kSteps, std::move(wanted)));
  }
};

TEST_F(Journal, ThereMayBeNone) { EXPECT_TRUE(read().value().empty()); }

// One attempt made the first step, the next the second: together they are the record.
TEST_F(Journal, StepsOfSeveralAttemptsAreMerged) {
  put(1, 1,
      journal_lines(kSteps,
                    {record_state(4, {outcome("one"), {}}, false), record_state(5, {outcome("five"), {}}, false)}));
  put(1, 2, journal_lines(kSteps, {record_state(4, {{}, outcome("two")})}));
  const Result<RecordsByIndex> records = read();
  ASSERT_TRUE(records) << error_text(records);
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ(records->at(4).steps[0]->output, "one");
  EXPECT_EQ(records->at(4).steps[1]->output, "two");
  EXPECT_TRUE(records->at(4).succeeded());
  EXPECT_EQ(records->at(5).steps[0]->output, "five");
  EXPECT_FALSE(records->at(5).finished_at);
}

TEST_F(Journal, TheLatestAttemptCounts) {
  put(1, 2, journal_lines(kSteps, {record_state(4, {outcome("second"), outcome("second")})}));
  put(1, 10, journal_lines(kSteps, {record_state(4, {outcome("tenth"), {}}, false)}));
  put(1, 1, journal_lines(kSteps, {failed_state(4, {outcome("first"), {}})}));
  const Result<RecordsByIndex> records = read();
  ASSERT_TRUE(records) << error_text(records);
  EXPECT_EQ(records->at(4).steps[0]->output, "tenth");
  EXPECT_EQ(records->at(4).steps[1]->output, "second");
  EXPECT_TRUE(records->at(4).succeeded()) << "what a later attempt does not know stays";
}

TEST_F(Journal, ALaterFailureReplacesAnEarlierEnd) {
  put(1, 1, journal_lines(kSteps, {failed_state(4, {{}, {}}, "first")}));
  put(1, 2, journal_lines(kSteps, {failed_state(4, {{}, {}}, "second")}));
  EXPECT_EQ(read().value().at(4).failure->message, "second");
  put(1, 3, journal_lines(kSteps, {record_state(4, {outcome("x"), outcome("y")})}));
  EXPECT_TRUE(read().value().at(4).succeeded());
}

TEST_F(Journal, OnlyWantedRecordsAndOnlyThePartsOwn) {
  put(1, 1, journal_lines(kSteps, {record_state(4, {outcome("x"), {}}), record_state(5, {outcome("x"), {}})}));
  put(2, 1, journal_lines(kSteps, {record_state(6, {outcome("x"), {}})}));
  const Result<RecordsByIndex> records = read([](RecordIndex index) { return index.value >= 5; });
  ASSERT_TRUE(records) << error_text(records);
  ASSERT_EQ(records->size(), 1u);
  EXPECT_TRUE(records->contains(5));
}

TEST_F(Journal, Promise6_ABrokenLineIsCorruptAndNamed) {
  put(1, 1, journal_lines(kSteps, {record_state(4, {outcome("x"), {}})}) + "{\"record\":5,\n");
  const Result<RecordsByIndex> records = read();
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(records.error().where, objects.location("journal/j/attempt-0001-0001.jsonl"));
  EXPECT_EQ(records.error().line, 2u);
}

TEST_F(Journal, IsRemovedForThePartAlone) {
  for (const std::int64_t attempt : {1, 2, 10}) put(1, attempt, "");
  put(2, 1, "");
  ASSERT_TRUE(await(remove_journals(objects, kJob, PartNumber{1})));
  const auto left = await(store::list_all(objects, "journal/"));
  ASSERT_EQ(left.value().size(), 1u);
  EXPECT_EQ(left.value()[0].key, "journal/j/attempt-0002-0001.jsonl");
  EXPECT_TRUE(await(remove_journals(objects, kJob, PartNumber{1})));
}

}  // namespace
}  // namespace palette::generate
