// Jobs that several parts share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/generator.h"
#include "generate/record_source.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

using End = GenerateReport::End;

// 23 records in batches of 2, shared by three parts: batches 1-3 (0-5), 4-7 (6-13) and 8-12 (14-22), or so.
struct SharedJob {
  SharedJob() { rig.context.parts = 3; }

  Result<GenerateReport> run(std::int64_t part) {
    rig.context.part = PartNumber{part};
    return rig.run();
  }
  Result<ResumeState> whole() {
    PartContext all = rig.context;
    all.part = store::kExportPart;
    return await(load_whole_state(rig.objects, all, rig.job.compiled.step_ids, rig.clock.now()));
  }
  std::vector<std::int64_t> exported(ResumeState state) {
    PartContext all = rig.context;
    all.part = store::kExportPart;
    RecordSource source(rig.objects, all, rig.job.compiled.step_ids, std::move(state));
    std::vector<std::int64_t> out;
    for (;;) {
      const Result<std::optional<SourceBatch>> batch = await(source.next());
      EXPECT_TRUE(batch) << error_text(batch);
      if (!batch || !*batch) return out;
      for (const auto& [index, line] : (*batch)->lines) out.push_back(index);
    }
  }

  JobInFolder rig{{.num_records = 23, .interval = 2}};
};

TEST(Parts, EachMakesItsOwnBatchesAndTogetherAllOfThem) {
  SharedJob job;
  std::int64_t records = 0;
  for (const std::int64_t part : {2, 3, 1}) {
    const Result<GenerateReport> report = job.run(part);
    ASSERT_TRUE(report) << error_text(report);
    EXPECT_EQ(report->end, End::ended);
    EXPECT_EQ(job.rig.progress.records_total, job.rig.progress.records_done);
    EXPECT_EQ(job.rig.context.records(), job.rig.progress.records_done);
    EXPECT_EQ(report->checkpoint.completed.size(), 4);
    records += job.rig.progress.records_done;
  }
  EXPECT_EQ(records, 23);
  EXPECT_EQ(job.rig.made(), job.rig.all_indexes());
  EXPECT_THAT(job.rig.keys("jobs/j/checkpoint"), ::testing::SizeIs(3));
  EXPECT_THAT(
      job.rig.body_of("jobs/j/checkpoint-0002.json"),
      ::testing::AllOf(::testing::HasSubstr("\"completed\":true"), ::testing::HasSubstr("\"current_batch\":12")));
}

TEST(Parts, TheWholeIsWhatThePartsKnow) {
  SharedJob job;
  job.rig.settings.max_failure_ratio = 0.5;
  job.rig.model->answer = [](const model::ModelRequest& request) -> Result<model::ModelResult> {
    const std::int64_t index = request.key.record.value;
    if (index == 7 || index == 21) return fail(ErrorKind::unavailable, "gone");
    return answer_of("fine");
  };
  for (const std::int64_t part : {1, 2, 3}) ASSERT_TRUE(job.run(part));
  const Result<ResumeState> whole = job.whole();
  ASSERT_TRUE(whole) << error_text(whole);
  EXPECT_EQ(whole->checkpoint.completed.ranges(), (std::map<std::int64_t, std::int64_t>{{1, 12}}));
  EXPECT_EQ(whole->checkpoint.records_failed(), 2);
  EXPECT_EQ(whole->checkpoint.records_generated(job.rig.context.extents), 21);
  EXPECT_EQ(calls_in(whole->checkpoint), 21);
  std::vector<std::int64_t> expected = job.rig.all_indexes();
  std::erase_if(expected, [](std::int64_t index) { return index == 7 || index == 21; });
  EXPECT_EQ(job.exported(*whole), expected);
}

// DESIGN.md section 6, promise 9: which part made a record is not to be seen in it.
TEST(Promise9, OnePartOrThreeMakeTheSameRecords) {
  SharedJob shared;
  for (const std::int64_t part : {3, 1, 2}) ASSERT_TRUE(shared.run(part));
  JobInFolder alone({.num_records = 23, .interval = 2});
  ASSERT_TRUE(alone.run());
  const auto prompts = [](JobInFolder& rig) {
    std::vector<std::string> out;
    for (const std::string& key : rig.keys(job::outputs_prefix(rig.context.job))) {
      const std::string body = rig.body_of(key);
      for (const std::string_view line : Lines(body)) {
        const Result<Json> json = parse_json(line);
        out.push_back(to_json_text(json->at("generation_result")) + to_json_text(json->at("seed_data_keys")));
      }
    }
    return out;
  };
  EXPECT_EQ(prompts(shared.rig), prompts(alone));
}

// A part that stopped early: what its journal holds is exported, and going on makes the rest.
TEST(Parts, AStoppedPartIsExportedFromItsJournal) {
  SharedJob job;
  ASSERT_TRUE(job.run(1));
  ASSERT_TRUE(job.run(3));
  job.rig.settings.concurrency = 1;
  const std::size_t calls_before = job.rig.model->prompts.size();
  job.rig.model->on_call = [&](const model::ModelRequest&) {
    if (job.rig.model->prompts.size() == calls_before + 3) job.rig.control->drain();
  };
  const Result<GenerateReport> stopped = job.run(2);
  ASSERT_TRUE(stopped) << error_text(stopped);
  EXPECT_EQ(stopped->end, End::stopped);
  const Result<ResumeState> whole = job.whole();
  ASSERT_TRUE(whole) << error_text(whole);
  EXPECT_FALSE(whole->journal.empty());
  const std::size_t so_far = job.exported(*whole).size();
  EXPECT_GT(so_far, 15u);
  EXPECT_LT(so_far, 23u);
  job.rig.model->on_call = [](const model::ModelRequest&) {};
  ASSERT_EQ(job.run(2)->end, End::ended);
  EXPECT_EQ(job.rig.made(), job.rig.all_indexes());
  EXPECT_EQ(job.exported(*job.whole()), job.rig.all_indexes());
}

// More parts than batches: those without any have nothing to do.
TEST(Parts, APartWithoutBatchesEndsAtOnce) {
  JobInFolder rig({.num_records = 3, .interval = 2});
  rig.context.parts = 4;
  std::int64_t records = 0;
  for (std::int64_t part = 1; part <= 4; ++part) {
    rig.context.part = PartNumber{part};
    const Result<GenerateReport> report = rig.run();
    ASSERT_TRUE(report) << error_text(report);
    EXPECT_EQ(report->end, End::ended) << part;
    records += rig.progress.records_done;
  }
  EXPECT_EQ(records, 3);
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

}  // namespace
}  // namespace palette::generate
