// Whole runs: what is made, committed and reported. generator_stop_test.cc has stopping and going on,
// generator_retry_test.cc failed records that are made again.
#include "generate/generator.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

using End = GenerateReport::End;

std::function<Result<model::ModelResult>(const model::ModelRequest&)> failing(std::set<std::int64_t> records) {
  return [records](const model::ModelRequest& request) -> Result<model::ModelResult> {
    if (records.contains(request.key.record.value)) return fail(ErrorKind::denied, "not this one");
    return answer_of("ok");
  };
}

TEST(Promise1, EveryIndexIsMadeOnce) {
  JobInFolder rig({.num_records = 23});
  std::vector<std::string> told;
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_EQ(rig.model->prompts.size(), 23u);
  EXPECT_EQ(rig.keys("jobs/j/"),
            (std::vector<std::string>{"jobs/j/checkpoint.json", "jobs/j/outputs/batch-0001.jsonl",
                                      "jobs/j/outputs/batch-0002.jsonl", "jobs/j/outputs/batch-0003.jsonl",
                                      "jobs/j/outputs/batch-0004.jsonl", "jobs/j/outputs/batch-0005.jsonl"}));
  EXPECT_TRUE(rig.keys("journal/").empty()) << "the journal goes when every batch is there";
  EXPECT_EQ(report->checkpoint.completed.ranges(), (std::map<std::int64_t, std::int64_t>{{1, 5}}));
  EXPECT_EQ(report->checkpoint.usage.at(1).at("fake"), (ModelUsage{23, {230, 115}, Money{46'000'000'000}}));
  EXPECT_EQ(rig.progress.records_done, 23);
  EXPECT_EQ(rig.progress.records_failed, 0);
  EXPECT_EQ(rig.progress.batches_committed, 5);
  EXPECT_EQ(rig.progress.cost, Money{46'000'000'000});
}

TEST(Generator, KeepsAsManyInFlightAsItIsTold) {
  for (const std::int64_t concurrency : {1, 3, 40}) {
    JobInFolder rig({.num_records = 60});
    rig.settings.concurrency = concurrency;
    rig.model->waits = [](const model::ModelRequest&) { return true; };
    rig.model->on_call = [&](const model::ModelRequest&) {
      if (rig.model->in_flight == concurrency) rig.model->gate->request();
    };
    ASSERT_TRUE(rig.run());
    EXPECT_EQ(rig.model->in_flight_max, concurrency);
    EXPECT_EQ(rig.made(), rig.all_indexes());
  }
}

TEST(Generator, ASlowRecordDelaysOnlyItsOwnBatch) {
  JobInFolder rig({.num_records = 20});
  rig.model->waits = [](const model::ModelRequest& r) { return r.key.record.value == 2; };
  // It is let go when the three other batches are there.
  int committed = 0;
  rig.watched.after_put = [&](const std::string& key, const std::string&) {
    if (key.starts_with("jobs/j/outputs/") && ++committed == 3) rig.model->gate->request();
  };
  ASSERT_TRUE(rig.run());
  ASSERT_EQ(committed, 4);
  EXPECT_EQ(rig.watched.puts[3], "jobs/j/outputs/batch-0001.jsonl");
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

TEST(Generator, FailedRecordsAreKeptBeforeTheirBatch) {
  JobInFolder rig({.num_records = 10});
  rig.model->answer = failing({2, 3, 7});
  rig.settings.concurrency = 1;
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.made(), (std::vector<std::int64_t>{0, 1, 4, 5, 6, 8, 9}));
  EXPECT_EQ(rig.failed(), (std::set<std::int64_t>{2, 3, 7}));
  const auto place = [&](const char* key) {
    return std::find(rig.watched.puts.begin(), rig.watched.puts.end(), key) - rig.watched.puts.begin();
  };
  ASSERT_EQ(rig.watched.puts.size(), 5u) << "two of each, and the checkpoint";
  EXPECT_LT(place("jobs/j/failures/batch-0001-0001.jsonl"), place("jobs/j/outputs/batch-0001.jsonl"));
  EXPECT_LT(place("jobs/j/failures/batch-0002-0001.jsonl"), place("jobs/j/outputs/batch-0002.jsonl"));
  EXPECT_LT(place("jobs/j/outputs/batch-0002.jsonl"), 4);
  EXPECT_EQ(place("jobs/j/checkpoint.json"), 4);
  EXPECT_EQ(report->checkpoint.records_failed(), 3);
  EXPECT_EQ(rig.progress.records_failed, 3);
  EXPECT_EQ(rig.progress.records_done, 7);
  EXPECT_EQ(rig.progress.last_error, "record 7, step 'q': not this one [denied]");
  EXPECT_THAT(rig.body_of("jobs/j/failures/batch-0002-0001.jsonl"),
              ::testing::HasSubstr(R"("step":"q","error":{"kind":"denied","message":"not this one"},"tries":1,)"));
}

TEST(Generator, ABatchOfWhichAllFailedIsCommittedEmpty) {
  JobInFolder rig({.num_records = 10});
  rig.model->answer = failing({5, 6, 7, 8, 9});
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended) << "half may fail";
  EXPECT_EQ(rig.body_of("jobs/j/outputs/batch-0002.jsonl"), "");
}

// --- Giving up

TEST(Generator, TheFirstTwentyFailingAlikeEndTheJobEarly) {
  JobInFolder rig({.num_records = 1000, .interval = 50, .more = "max_failure_ratio: 1\n"});
  rig.settings.max_failure_ratio = 1;
  rig.model->answer = [](const model::ModelRequest&) -> Result<model::ModelResult> {
    return fail(ErrorKind::denied, "no key");
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::failed);
  EXPECT_EQ(report->cause, "the first 20 records all failed alike: step 'q': no key [denied]");
  EXPECT_GE(rig.model->prompts.size(), 20u);
  EXPECT_LE(rig.model->prompts.size(), 20u + 4u);
}

TEST(Generator, TwentyFailuresOfSeveralKindsOrAfterASuccessDoNot) {
  for (const bool one_succeeds : {false, true}) {
    JobInFolder rig({.num_records = 30});
    rig.settings.max_failure_ratio = 1;
    rig.model->answer = [&](const model::ModelRequest& r) -> Result<model::ModelResult> {
      if (one_succeeds && r.key.record.value == 0) return answer_of("ok");
      return fail(ErrorKind::denied, !one_succeeds && r.key.record.value == 0 ? "another" : "no key");
    };
    const Result<GenerateReport> report = rig.run();
    ASSERT_TRUE(report) << error_text(report);
    EXPECT_EQ(rig.model->prompts.size(), 30u);
    EXPECT_EQ(report->end, one_succeeds ? End::ended : End::failed);
  }
}

TEST(Generator, MoreFailuresThanTheRatioAllowsEndTheJobEarly) {
  JobInFolder rig({.num_records = 100});
  rig.settings.max_failure_ratio = 0.1;
  rig.settings.concurrency = 1;
  rig.model->answer = [](const model::ModelRequest& r) -> Result<model::ModelResult> {
    if (r.key.record.value % 2 == 0) return answer_of("ok");
    return fail(ErrorKind::refused, "no");
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::failed);
  EXPECT_EQ(report->cause,
            "11 of 100 records failed, more than max_failure_ratio allows; the first was step 'q': no [refused]");
  EXPECT_EQ(rig.model->prompts.size(), 22u);
}

TEST(Generator, AsManyFailuresAsTheRatioAllowsAreNone) {
  JobInFolder rig({.num_records = 20});
  rig.settings.max_failure_ratio = 0.1;
  rig.model->answer = failing({3, 4});
  EXPECT_EQ(rig.run().value().end, End::ended);
}

TEST(Promise6, AJobWhoseRecordsAllFailedIsFailedWithTheFirstCause) {
  JobInFolder rig({.num_records = 5});
  rig.settings.max_failure_ratio = 1;
  rig.settings.concurrency = 1;
  rig.model->answer = [](const model::ModelRequest& r) -> Result<model::ModelResult> {
    return fail(ErrorKind::refused, "no " + std::to_string(r.key.record.value));
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::failed);
  EXPECT_EQ(report->cause, "all records failed; the first was step 'q': no 0 [refused]");
  // The same on the next run, which makes nothing.
  const Result<GenerateReport> again = rig.run();
  ASSERT_TRUE(again) << error_text(again);
  EXPECT_EQ(again->end, End::failed);
  EXPECT_EQ(again->cause, "all records failed");
  EXPECT_EQ(rig.model->prompts.size(), 5u);
}

// --- The store

TEST(Promise6, AnErrorOfTheStoreEndsTheAttemptAndNothingIsLost) {
  JobInFolder rig({.num_records = 20});
  rig.watched.before_put = [](const std::string& key) -> Status {
    if (key == "jobs/j/outputs/batch-0002.jsonl") return fail(ErrorKind::io, "disk full");
    return {};
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::io);
  EXPECT_EQ(report.error().message, "disk full");
  const std::size_t calls = rig.model->prompts.size();

  rig.watched.before_put = [](const std::string&) { return Status{}; };
  const Result<GenerateReport> again = rig.run();
  ASSERT_TRUE(again) << error_text(again);
  EXPECT_EQ(again->end, End::ended);
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_EQ(rig.model->prompts.size(), 20u);
  EXPECT_LT(calls, 20u);
}

// Two attempts that finish the same batch: the first put wins, and the loser counts the winner's records.
struct LostBatch : ::testing::Test {
  JobInFolder rig{{.num_records = 10}};

  // The winner's batch 1 appears after this attempt has looked.
  Result<GenerateReport> run_and_lose() {
    ++rig.context.attempt.value;
    ResumeState resume = rig.load().value();
    std::vector<RecordState> theirs;
    for (const std::int64_t index : {0, 1, 3}) theirs.push_back(record_state(index, {outcome("theirs")}));
    rig.put(
        "jobs/j/failures/batch-0001-0009.jsonl",
        failure_lines(rig.job.compiled.step_ids, {failed_state(2, {std::nullopt}), failed_state(4, {std::nullopt})}));
    rig.put("jobs/j/outputs/batch-0001.jsonl", record_lines(rig.context.job, rig.job.compiled.step_ids, theirs));
    return rig.run_from(std::move(resume));
  }
};

TEST_F(LostBatch, Promise1_TheWinnersObjectStandsAndItsRecordsAreCounted) {
  const Result<GenerateReport> report = run_and_lose();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.made(), (std::vector<std::int64_t>{0, 1, 3, 5, 6, 7, 8, 9}));
  EXPECT_EQ(rig.failed(), (std::set<std::int64_t>{2, 4}));
  EXPECT_THAT(rig.body_of("jobs/j/outputs/batch-0001.jsonl"), ::testing::HasSubstr("theirs"));
  EXPECT_EQ(report->checkpoint.failed.at(1).at(0), 2);
  EXPECT_EQ(report->checkpoint.records_generated(rig.context.extents), 8);
  EXPECT_EQ(report->checkpoint.usage.at(1).at("fake").calls, 5) << "of the lost batch nothing is booked as records";
  EXPECT_EQ(report->checkpoint.waste.at(1).at("fake").calls, 5) << "but as waste";
}

TEST_F(LostBatch, Promise1_TheProgressCountsTheWinnersRecords) {
  const Result<GenerateReport> report = run_and_lose();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(rig.progress.records_done, 8);
  EXPECT_EQ(rig.progress.records_failed, 2);
}

TEST(Promise1, ALostAnswerToOurOwnPutIsNoLoss) {
  JobInFolder rig({.num_records = 5});
  // The object was written, but its answer was lost: the same put again finds equal bytes.
  std::string body;
  rig.watched.before_put = [&](const std::string& key) -> Status {
    if (key != "jobs/j/outputs/batch-0001.jsonl" || body.empty()) return {};
    std::filesystem::create_directories(std::filesystem::path(rig.files.location(key)).parent_path());
    std::ofstream(rig.files.location(key)) << body;
    return {};
  };
  SteppingClock same;
  std::vector<RecordState> ours;
  for (std::int64_t index = 0; index < 5; ++index) {
    StepOutcome step = outcome("<ask " +
                               std::string(index % 3 == 0   ? "red"
                                           : index % 3 == 1 ? "blue"
                                                            : "green") +
                               " " + std::to_string(index) + ">");
    step.prompt = step.output.substr(1, step.output.size() - 2);
    ours.push_back(record_state(index, {step}));
    ours.back().seed_data_keys = std::to_string(index % 3);
  }
  rig.settings.concurrency = 1;
  same.now();  // as load() looks once
  for (RecordState& state : ours) state.finished_at = same.now();
  body = record_lines(rig.context.job, rig.job.compiled.step_ids, ours);
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(rig.body_of("jobs/j/outputs/batch-0001.jsonl"), body);
  EXPECT_EQ(calls_in(report->checkpoint), 5) << "our calls are booked once";
}

// --- More and fewer records

TEST(Generator, AnExtensionAddsBatchesAndCutsNoneAnew) {
  JobInFolder rig({.num_records = 7});
  ASSERT_TRUE(rig.run());
  const std::string second = rig.body_of("jobs/j/outputs/batch-0002.jsonl");
  rig.context.num_records = 16;
  rig.context.extents.extend_to(16, 5);
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_EQ(rig.model->prompts.size(), 16u);
  EXPECT_EQ(rig.body_of("jobs/j/outputs/batch-0002.jsonl"), second);
  EXPECT_EQ(rig.keys(job::outputs_prefix(rig.context.job)).size(), 4u);
}

TEST(Generator, FewerRecordsThanTheExtentsHoldMakeOnlyTheirBatches) {
  JobInFolder rig({.num_records = 20});
  rig.context.num_records = 7;
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.made(), JobInFolder::indexes(0, 10)) << "the last batch is made whole";
  rig.context.num_records = 20;
  ASSERT_TRUE(rig.run());
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_EQ(rig.model->prompts.size(), 20u);
}

TEST(Generator, AFinishedJobIsNotTouchedAgain) {
  JobInFolder rig({.num_records = 10});
  ASSERT_TRUE(rig.run());
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended);
  EXPECT_EQ(rig.model->prompts.size(), 10u);
  EXPECT_EQ(rig.progress.records_at_start, 10);
  EXPECT_EQ(rig.progress.batches_committed, 0);
}

// Promise 7: what waits for its batch is bounded, not the number of batches.
TEST(Promise7, ManySmallBatchesAreMadeInBoundedNumbers) {
  JobInFolder rig({.num_records = 600, .interval = 1});
  rig.settings.concurrency = 64;
  ASSERT_TRUE(rig.run());
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

}  // namespace
}  // namespace palette::generate
