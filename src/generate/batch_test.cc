#include "generate/batch.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

const JobId kJob{"j"};
const StepIds kSteps = {"q", "a"};
const job::RecordRange kRange{10, 5};

std::string lines(const std::vector<std::int64_t>& indexes) {
  std::vector<RecordState> states;
  for (std::int64_t index : indexes) states.push_back(record_state(index, {outcome("x"), outcome("y")}));
  return record_lines(kJob, kSteps, states);
}

TEST(Batch, TellsItsRecordsAndWhatTheyUsed) {
  const Result<BatchContent> batch = read_batch(lines({10, 12, 14}), kJob, kRange);
  ASSERT_TRUE(batch) << error_text(batch);
  EXPECT_EQ(batch->indexes, (std::vector<std::int64_t>{10, 12, 14}));
  EXPECT_EQ(batch->spending.models, (UsageByModel{{"fake", {6, {60, 30}, Money{12'000'000'000}}}}));
  EXPECT_EQ(batch->spending.steps.size(), 2u);
  EXPECT_EQ(total_of(batch->spending.steps), total_of(batch->spending.models));
}

TEST(Batch, MayBeEmpty) {
  const Result<BatchContent> batch = read_batch("", kJob, kRange);
  ASSERT_TRUE(batch) << error_text(batch);
  EXPECT_TRUE(batch->indexes.empty());
  EXPECT_TRUE(batch->spending.models.empty());
}

TEST(Batch, MoneyIsReadExactly) {
  StepOutcome step = outcome("x");
  for (const std::int64_t pico : {1LL, 999'999'999'999LL, 123'456'789'012LL, 5'000'000'000'000LL, 0LL, 1'000'001LL}) {
    step.cost = Money{pico};
    const std::string text = record_lines(kJob, kSteps, {record_state(10, {step, {}})});
    EXPECT_EQ(read_batch(text, kJob, kRange).value().spending.models.at("fake").cost.pico, pico) << text;
  }
}

TEST(Promise6, ABrokenBatchIsCorrupt) {
  const std::string good = lines({10, 11});
  const auto kind_of = [](const std::string& text) {
    const Result<BatchContent> batch = read_batch(text, kJob, kRange);
    return batch ? "read" : to_string(batch.error().kind);
  };
  EXPECT_EQ(kind_of(good), "read");
  EXPECT_EQ(kind_of(lines({9})), "corrupt");
  EXPECT_EQ(kind_of(lines({15})), "corrupt");
  EXPECT_EQ(kind_of(lines({11, 10})), "corrupt");
  EXPECT_EQ(kind_of(lines({11, 11})), "corrupt");
  EXPECT_EQ(kind_of("\n" + good), "corrupt");
  EXPECT_EQ(kind_of("{}\n"), "corrupt");
  EXPECT_EQ(kind_of(record_lines(JobId{"other"}, kSteps, {record_state(10, {outcome("x"), {}})})), "corrupt");
  EXPECT_EQ(kind_of(failure_lines(kSteps, {failed_state(10, {{}, {}})})), "corrupt");
  for (std::size_t size = 1; size + 1 < good.size(); ++size) {  // cut anywhere but between lines
    if (good[size - 1] == '\n' || good[size] == '\n') continue;
    EXPECT_EQ(kind_of(good.substr(0, size)), "corrupt") << size;
  }
  const std::pair<std::string, std::string> edits[] = {
      {"\"generation_result\":{", "\"result\":{"},
      {"\"usage\":{", "\"used\":{"},
      {"\"model\":\"fake\"", "\"model\":1"},
      {"\"input_tokens\":10", "\"input_tokens\":\"10\""},
      {"\"output_tokens\":5", "\"output_tokens\":null"},
      {"\"cost_usd\":0.002", "\"cost_usd\":\"x\""},
      {",\"cost_usd\":0.002", ""},
  };
  for (const auto& [from, to] : edits) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    EXPECT_EQ(kind_of(text), "corrupt") << from;
  }
}

TEST(Batch, SpendingOfARecordIsThatOfItsSteps) {
  Spending spending;
  spending.add("fake", "a", {1, 1}, Money{1});
  StepOutcome other = outcome("x"), booked = outcome("y");
  other.model = "other";
  booked.booked = true;
  const RecordState state = record_state(0, {outcome("x"), std::nullopt, other, booked});
  add_steps(spending, {"a", "b", "c", "d"}, state, true);
  EXPECT_EQ(spending.models, (UsageByModel{{"fake", {2, {11, 6}, Money{2'000'000'001}}},
                                           {"other", {1, {10, 5}, Money{2'000'000'000}}}}));
  EXPECT_EQ(spending.steps,
            (UsageByStep{{"a", {2, {11, 6}, Money{2'000'000'001}}}, {"c", {1, {10, 5}, Money{2'000'000'000}}}}));
  add_steps(spending, {"a", "b", "c", "d"}, state);
  EXPECT_EQ(spending.steps.at("d").calls, 1) << "booked ones too, when all are asked for";
}

TEST(Batch, AnAnswerThatWasNotUsedIsPaidForToo) {
  RecordState state = failed_state(0, {outcome("x"), std::nullopt});
  Spending spending;
  add_unused(spending, state);
  EXPECT_TRUE(spending.models.empty());
  state.failure->unused.push_back({"q", "fake", {7, 3}, Money{5}});
  add_unused(spending, state);
  EXPECT_EQ(spending.models, (UsageByModel{{"fake", {1, {7, 3}, Money{5}}}}));
  EXPECT_EQ(spending.steps, (UsageByStep{{"q", {1, {7, 3}, Money{5}}}}));
}

// --- Failures

struct Failures : ::testing::Test {
  TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore files{folder / "objects", pool};
  store::ObjectStore& objects = files;

  void put(std::int64_t batch, std::int64_t attempt, const std::vector<RecordState>& states) {
    const auto key = job::failures_key(kJob, BatchNumber{batch}, AttemptNumber{attempt});
    ASSERT_TRUE(await(objects.put(key, failure_lines(kSteps, states))));
  }
  Result<RecordsByIndex> read(std::set<std::int64_t> succeeded = {}) {
    return await(read_failures(objects, kJob, BatchNumber{3}, kSteps, std::move(succeeded)));
  }
};

TEST_F(Failures, ThereMayBeNone) { EXPECT_TRUE(read().value().empty()); }

TEST_F(Failures, TheHighestAttemptWins) {
  put(3, 2, {failed_state(10, {outcome("x"), {}}, "second"), failed_state(12, {{}, {}}, "second")});
  put(3, 1, {failed_state(10, {{}, {}}, "first"), failed_state(11, {{}, {}}, "first")});
  put(3, 10, {failed_state(12, {{}, {}}, "tenth")});
  const Result<RecordsByIndex> failures = read();
  ASSERT_TRUE(failures) << error_text(failures);
  ASSERT_EQ(failures->size(), 3u);
  EXPECT_EQ(failures->at(10).failure->message, "second");
  EXPECT_EQ(failures->at(10).steps[0]->output, "x");
  EXPECT_EQ(failures->at(11).failure->message, "first");
  EXPECT_EQ(failures->at(12).failure->message, "tenth");
}

TEST_F(Failures, WhatSucceededInTheEndIsNone) {
  put(3, 1, {failed_state(10, {{}, {}}), failed_state(11, {{}, {}})});
  const Result<RecordsByIndex> failures = read({11, 12});
  ASSERT_TRUE(failures) << error_text(failures);
  ASSERT_EQ(failures->size(), 1u);
  EXPECT_TRUE(failures->contains(10));
}

TEST_F(Failures, OtherBatchesAreNotLookedAt) {
  put(33, 1, {failed_state(160, {{}, {}})});
  put(2, 1, {failed_state(7, {{}, {}})});
  EXPECT_TRUE(read().value().empty());
}

TEST_F(Failures, Promise6_ABrokenObjectIsCorrupt) {
  const std::string key = job::failures_key(kJob, BatchNumber{3}, AttemptNumber{1});
  ASSERT_TRUE(await(objects.put(key, "{\"index\":")));
  const Result<RecordsByIndex> failures = read();
  ASSERT_FALSE(failures);
  EXPECT_EQ(failures.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(failures.error().where, objects.location(key));
}

}  // namespace
}  // namespace palette::generate
