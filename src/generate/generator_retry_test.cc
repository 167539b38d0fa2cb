// Failed records of committed batches made again: `--retry-failed`.
#include "generate/generator.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

using End = GenerateReport::End;
constexpr const char* kChain =
    R"([{id: q, prompt: "ask {{ record_index }}"}, {id: a, prompt: "answer {{ record_index }} {{ steps.q.output }}"}])";

// Ten records in two batches; 1, 2 and 7 failed: 1 in its first step, the others in their second.
struct RetryFailed : ::testing::Test {
  JobInFolder rig{{.steps = kChain, .num_records = 10}};
  std::set<std::string> failing{"ask 1", "answer 2", "answer 7"};

  void SetUp() override {
    rig.model->answer = [&](const model::ModelRequest& r) -> Result<model::ModelResult> {
      const std::string prompt = r.messages[0].text.substr(0, r.messages[0].text.find(" <"));
      if (failing.contains(prompt)) return fail(ErrorKind::unavailable, "gone");
      return answer_of("<ok>");
    };
    ASSERT_EQ(rig.run().value().end, End::ended);
    ASSERT_EQ(rig.failed(), (std::set<std::int64_t>{1, 2, 7}));
    ASSERT_EQ(rig.model->prompts.size(), 19u);
    rig.model->prompts.clear();
    rig.settings.retry_failed = true;
  }
};

TEST_F(RetryFailed, MakesOnlyTheFailedRecordsAndReusesFinishedSteps) {
  const std::string first = rig.body_of("jobs/j/outputs/batch-0001.jsonl");
  failing.clear();
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_THAT(rig.model->prompts,
              ::testing::UnorderedElementsAre("ask 1", "answer 1 <ok>", "answer 2 <ok>", "answer 7 <ok>"));
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_TRUE(rig.failed().empty());
  EXPECT_EQ(rig.body_of("jobs/j/outputs/batch-0001.jsonl"), first) << "a batch is never changed";
  EXPECT_THAT(rig.body_of("jobs/j/outputs/batch-0001-r1.jsonl"), ::testing::StartsWith("{\"id\":\"j-1\","));
  EXPECT_THAT(rig.body_of("jobs/j/outputs/batch-0002-r1.jsonl"), ::testing::StartsWith("{\"id\":\"j-7\","));
  EXPECT_EQ(report->retry_rounds, (std::map<std::int64_t, std::int64_t>{{1, 1}, {2, 1}}));
  EXPECT_EQ(report->checkpoint.records_failed(), 0);
  EXPECT_EQ(rig.progress.records_done, 10);
  EXPECT_EQ(rig.progress.records_failed, 0);
}

// The reused steps were booked in the first round.
TEST_F(RetryFailed, Promise4_EveryCallIsBookedOnce) {
  failing.clear();
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(calls_in(report->checkpoint), 16 + 4) << "19 calls, of which 3 failed, and 4";
}

TEST_F(RetryFailed, WhatFailsAgainStaysFailedAndCanBeRetriedAgain) {
  failing = {"answer 1", "answer 7"};
  const Result<GenerateReport> first = rig.run();
  ASSERT_TRUE(first) << error_text(first);
  EXPECT_EQ(first->end, End::ended);
  EXPECT_EQ(rig.failed(), (std::set<std::int64_t>{1, 7}));
  EXPECT_EQ(first->checkpoint.records_failed(), 2);
  EXPECT_EQ(rig.body_of("jobs/j/outputs/batch-0002-r1.jsonl"), "");

  rig.model->prompts.clear();
  failing.clear();
  const Result<GenerateReport> second = rig.run();
  ASSERT_TRUE(second) << error_text(second);
  // The step that the first retry made is not made again.
  EXPECT_THAT(rig.model->prompts, ::testing::UnorderedElementsAre("answer 1 <ok>", "answer 7 <ok>"));
  EXPECT_EQ(second->retry_rounds, (std::map<std::int64_t, std::int64_t>{{1, 2}, {2, 2}}));
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

TEST_F(RetryFailed, NothingFailedIsNothingToDo) {
  failing.clear();
  ASSERT_TRUE(rig.run());
  rig.model->prompts.clear();
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_TRUE(rig.model->prompts.empty());
  EXPECT_EQ(report->retry_rounds, (std::map<std::int64_t, std::int64_t>{{1, 1}, {2, 1}}));
}

TEST_F(RetryFailed, AllFailingAgainAlikeIsNotTheEndOfTheJob) {
  failing = {"ask 1", "answer 2", "answer 7"};
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended) << "seven records stand";
  EXPECT_EQ(report->checkpoint.records_failed(), 3);
}

// A retry that is stopped half way keeps what it paid for.
TEST_F(RetryFailed, Promise2_AStoppedRetryLosesNothing) {
  failing.clear();
  rig.settings.concurrency = 1;
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.messages[0].text == "ask 1") rig.control->drain();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_EQ(rig.failed(), (std::set<std::int64_t>{1, 2, 7}));

  rig.model->prompts.clear();
  rig.model->on_call = [](const model::ModelRequest&) {};
  const Result<GenerateReport> again = rig.run();
  ASSERT_TRUE(again) << error_text(again);
  EXPECT_EQ(again->end, End::ended);
  EXPECT_THAT(rig.model->prompts, ::testing::UnorderedElementsAre("answer 1 <ok>", "answer 2 <ok>", "answer 7 <ok>"));
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

TEST_F(RetryFailed, ThatWasNotSeenByTheCheckpointIsFoundAgain) {
  const std::string checkpoint = rig.body_of("jobs/j/checkpoint.json");
  failing.clear();
  ASSERT_TRUE(rig.run());
  rig.put("jobs/j/checkpoint.json", checkpoint);  // as if killed before it was saved
  const ResumeState state = rig.load().value();
  EXPECT_EQ(state.checkpoint.records_failed(), 0);
  EXPECT_EQ(state.retry_rounds, (std::map<std::int64_t, std::int64_t>{{1, 1}, {2, 1}}));
}

}  // namespace
}  // namespace palette::generate
