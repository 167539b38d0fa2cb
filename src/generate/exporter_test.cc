#include "generate/exporter.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

using job::OutputFormat;

// A job that was run, or stopped, and what its export gives.
struct Rig : JobInFolder {
  using JobInFolder::JobInFolder;

  async::StopFlag stop;
  std::vector<OutputFormat> formats{OutputFormat::jsonl};
  job::PartitionStrategy partition = job::PartitionStrategy::none;
  bool replace_all = true;

  Result<ExportReport> try_export() {
    Result<ResumeState> state = load();
    if (!state) return std::unexpected(state.error());
    Exporter exporter(job, context, objects, pool, {formats, partition, folder / "temp", replace_all}, stop);
    return await(exporter.run(std::move(*state)));
  }
  ExportReport exported() {
    Result<ExportReport> report = try_export();
    if (!report) throw std::runtime_error(error_text(report));
    EXPECT_TRUE(!std::filesystem::exists(folder / "temp") || std::filesystem::is_empty(folder / "temp"));
    return std::move(*report);
  }
  std::vector<std::string> exports() { return keys("jobs/j/exports/"); }
  std::vector<std::string> rows(const std::string& key = "jobs/j/exports/dataset.jsonl") {
    const std::string body = body_of(key);
    std::vector<std::string> out;
    for (std::string_view line : Lines(body)) out.emplace_back(line);
    return out;
  }
  std::vector<std::int64_t> exported_indexes() {
    std::vector<std::int64_t> out;
    for (const std::string& row : rows())
      out.push_back(index_of_line(row, context.job).value_or(RecordIndex{-1}).value);
    return out;
  }
};

TEST(Exporter, WithoutColumnsARowIsTheRecordAsItStands) {
  Rig rig({.num_records = 12});
  ASSERT_TRUE(rig.run());
  const ExportReport report = rig.exported();
  EXPECT_EQ(report.records, 12);
  EXPECT_TRUE(report.notes.empty());
  ASSERT_EQ(report.files.size(), 1u);
  EXPECT_EQ(report.files[0].format, OutputFormat::jsonl);
  EXPECT_EQ(report.files[0].key, "jobs/j/exports/dataset.jsonl");
  EXPECT_EQ(report.files[0].name, "dataset.jsonl");
  EXPECT_EQ(rig.body_of("jobs/j/exports/dataset.jsonl"), rig.body_of("jobs/j/outputs/batch-0001.jsonl") +
                                                             rig.body_of("jobs/j/outputs/batch-0002.jsonl") +
                                                             rig.body_of("jobs/j/outputs/batch-0003.jsonl"));
}

TEST(Exporter, ColumnsAreRowsOfTheirOwn) {
  Rig rig({.num_records = 2,
           .more = "columns: {text: \"{{ word }}: {{ steps.q.output }}\", n: \"{{ record_index }}\","
                   " list: \"{{ [word, 1.5, true, none] }}\", object: \"{{ seed_row }}\", number: \"{{ 1 }} \","
                   " half: \"{{ 0.5 }}\", yes: \"{{ word == 'red' }}\", nothing: \"{{ none }}\"}\n"});
  ASSERT_TRUE(rig.run());
  rig.exported();
  EXPECT_THAT(
      rig.rows(),
      ::testing::ElementsAre(
          R"({"text":"red: <ask red 0>","n":0,"list":["red",1.5,true,null],"object":{"word":"red"},"number":1,)"
          R"("half":0.5,"yes":true,"nothing":null})",
          R"({"text":"blue: <ask blue 1>","n":1,"list":["blue",1.5,true,null],"object":{"word":"blue"},"number":1,)"
          R"("half":0.5,"yes":false,"nothing":null})"));
}

TEST(Exporter, ColumnsInEveryFormat) {
  Rig rig({.num_records = 2, .more = "columns: {word: \"{{ word }}\", n: \"{{ record_index }}\"}\n"});
  ASSERT_TRUE(rig.run());
  rig.formats = {OutputFormat::csv, OutputFormat::parquet, OutputFormat::jsonl};
  const ExportReport report = rig.exported();
  EXPECT_EQ(report.files.size(), 3u);
  EXPECT_THAT(rig.exports(), ::testing::ElementsAre("jobs/j/exports/dataset.csv", "jobs/j/exports/dataset.jsonl",
                                                    "jobs/j/exports/dataset.parquet"));
  EXPECT_EQ(rig.body_of("jobs/j/exports/dataset.csv"), "word,n\nred,0\nblue,1\n");
  EXPECT_THAT(rig.rows(), ::testing::ElementsAre(R"({"word":"red","n":0})", R"({"word":"blue","n":1})"));
  // Types are kept: read back as seed data.
  const auto file = rig.folder.write("back.parquet", rig.body_of("jobs/j/exports/dataset.parquet"));
  const auto back = dataset::SeedData::open(file, rig.folder / "spool");
  ASSERT_TRUE(back) << error_text(back);
  EXPECT_EQ(back->row_text(1).value(), R"({"word":"blue","n":1})");
}

// JSONL is made on the way, but published only when it was asked for.
TEST(Exporter, ColumnsInOneFormatLeaveNoOther) {
  Rig rig({.num_records = 2, .more = "columns: {word: \"{{ word }}\"}\n"});
  ASSERT_TRUE(rig.run());
  rig.formats = {OutputFormat::csv};
  rig.exported();
  EXPECT_THAT(rig.exports(), ::testing::ElementsAre("jobs/j/exports/dataset.csv"));
}

TEST(Exporter, RecordsInEveryFormat) {
  Rig rig({.num_records = 3});
  ASSERT_TRUE(rig.run());
  rig.formats = {OutputFormat::csv, OutputFormat::parquet, OutputFormat::jsonl};
  rig.exported();
  EXPECT_EQ(rig.exports().size(), 3u);
  const std::string csv = rig.body_of("jobs/j/exports/dataset.csv");
  EXPECT_THAT(csv, ::testing::StartsWith("id,job_id,timestamp,seed_data_keys,generation_result\nj-0,j,"));
  const auto file = rig.folder.write("back.parquet", rig.body_of("jobs/j/exports/dataset.parquet"));
  const auto back = dataset::SeedData::open(file, rig.folder / "spool");
  ASSERT_TRUE(back) << error_text(back);
  EXPECT_EQ(back->rows(), 3u);
  EXPECT_EQ(back->row(2).value().at("id"), "j-2");
}

TEST(Exporter, ColumnsThatCannotBeRenderedOrAreOfSeveralTypesAreNoted) {
  Rig rig({.num_records = 4,
           .more = "columns: {bad: \"{{ word.x.y }}\", mixed: \"{{ 1 if record_index == 0 else word }}\"}\n",
           .seeds = "{\"word\":{\"x\":{\"y\":1}}}\n{\"word\":{\"x\":\"\"}}\n{\"word\":{}}\n"});
  rig.job.compiled.seed_variables.clear();
  ASSERT_TRUE(rig.run());
  rig.formats = {OutputFormat::jsonl, OutputFormat::parquet};
  const ExportReport report = rig.exported();
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_THAT(report.notes[0],
              ::testing::StartsWith(
                  "column 'bad' could not be rendered for 1 records and is null there; the first is record 2: "));
  EXPECT_EQ(report.notes[1], "column 'mixed' has values of several types; in Parquet it is JSON text");
  EXPECT_THAT(rig.rows()[2], ::testing::StartsWith(R"({"bad":null,)"));
}

TEST(Exporter, PartitionsAreTheDaysOfTheRecords) {
  Rig rig({.num_records = 4});
  std::vector<RecordState> states;
  const char* times[] = {"2026-11-23T23:59:59.999Z", "2026-11-24T00:00:00.000Z", "2026-11-23T10:00:00.000Z",
                         "2026-12-01T00:00:00.000Z"};
  for (std::int64_t i = 0; i < 4; ++i) {
    states.push_back(record_state(i, {outcome("x")}));
    states.back().finished_at = *UtcTime::from_iso(times[i]);
  }
  rig.put("jobs/j/outputs/batch-0001.jsonl", record_lines(rig.context.job, rig.job.compiled.step_ids, states));
  rig.partition = job::PartitionStrategy::timestamp;
  rig.formats = {OutputFormat::jsonl, OutputFormat::csv};
  const ExportReport report = rig.exported();
  EXPECT_EQ(report.records, 4);
  const std::string below = "jobs/j/exports/partitioned/";
  EXPECT_THAT(rig.exports(),
              ::testing::ElementsAre(below + "date=2026-11-23/records.csv", below + "date=2026-11-23/records.jsonl",
                                     below + "date=2026-11-24/records.csv", below + "date=2026-11-24/records.jsonl",
                                     below + "date=2026-12-01/records.csv", below + "date=2026-12-01/records.jsonl"));
  EXPECT_EQ(report.files[0].name, "date=2026-11-23/records.jsonl");
  const std::vector<std::string> first_day = rig.rows(below + "date=2026-11-23/records.jsonl");
  ASSERT_EQ(first_day.size(), 2u);
  EXPECT_EQ(index_of_line(first_day[0], rig.context.job)->value, 0);
  EXPECT_EQ(index_of_line(first_day[1], rig.context.job)->value, 2);
}

TEST(Exporter, OnlyRecordsBelowNumRecords) {
  Rig rig({.num_records = 20});
  ASSERT_TRUE(rig.run());
  rig.context.num_records = 7;
  EXPECT_EQ(rig.exported().records, 7);
  EXPECT_EQ(rig.exported_indexes(), JobInFolder::indexes(0, 7));
}

TEST(Promise1, RecordsMadeGoodByARetryStandInTheirPlace) {
  Rig rig({.num_records = 10});
  rig.model->answer = [](const model::ModelRequest& r) -> Result<model::ModelResult> {
    if (r.key.record.value == 2 || r.key.record.value == 3) return fail(ErrorKind::denied, "no");
    return answer_of("ok");
  };
  ASSERT_TRUE(rig.run());
  EXPECT_EQ(rig.exported().records, 8);
  rig.model->answer = [](const model::ModelRequest&) { return answer_of("ok"); };
  rig.settings.retry_failed = true;
  ASSERT_TRUE(rig.run());
  EXPECT_EQ(rig.exported().records, 10);
  EXPECT_EQ(rig.exported_indexes(), JobInFolder::indexes(0, 10));
}

// A job that stops early still exports everything that was paid for.
TEST(Promise2, FinishedRecordsOfUncommittedBatchesAreExported) {
  Rig rig({.num_records = 20});
  rig.settings.concurrency = 1;
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.key.record.value == 7) rig.control->drain();
  };
  ASSERT_EQ(rig.run().value().end, GenerateReport::End::stopped);
  ASSERT_EQ(rig.made(), JobInFolder::indexes(0, 5));
  EXPECT_EQ(rig.exported().records, 8);
  EXPECT_EQ(rig.exported_indexes(), JobInFolder::indexes(0, 8));
  // With columns likewise, and each record once when the batch is committed later.
  rig.model->on_call = [](const model::ModelRequest&) {};
  ASSERT_EQ(rig.run().value().end, GenerateReport::End::ended);
  EXPECT_EQ(rig.exported().records, 20);
  EXPECT_EQ(rig.exported_indexes(), rig.all_indexes());
}

TEST(Exporter, FailedAndHalfRecordsOfAJournalAreNotExported) {
  Rig rig({.steps = R"([{id: q, prompt: "q"}, {id: a, prompt: "a {{ steps.q.output }}"}])", .num_records = 5});
  const StepIds& ids = rig.job.compiled.step_ids;
  rig.put("journal/j/attempt-0001-0001.jsonl",
          journal_lines(ids, {record_state(0, {outcome("x"), {}}, false), failed_state(1, {outcome("x"), {}}),
                              record_state(3, {outcome("x"), outcome("y")})}));
  EXPECT_EQ(rig.exported().records, 1);
  EXPECT_EQ(rig.exported_indexes(), std::vector<std::int64_t>{3});
}

TEST(Exporter, NoRecordsAreAnEmptyFile) {
  for (const bool columns : {false, true}) {
    Rig rig({.num_records = 5, .more = columns ? "columns: {word: \"{{ word }}\"}\n" : ""});
    rig.formats = {OutputFormat::jsonl, OutputFormat::csv, OutputFormat::parquet};
    EXPECT_EQ(rig.exported().records, 0);
    EXPECT_EQ(rig.exports().size(), 3u);
    EXPECT_EQ(rig.body_of("jobs/j/exports/dataset.jsonl"), "");
    EXPECT_EQ(rig.body_of("jobs/j/exports/dataset.csv"),
              columns ? "word\n" : "id,job_id,timestamp,seed_data_keys,generation_result\n");
  }
}

TEST(Exporter, ExportsOfEarlierRunsGoUnlessTheyAreToStay) {
  Rig rig({.num_records = 3});
  ASSERT_TRUE(rig.run());
  rig.formats = {OutputFormat::csv};
  rig.exported();
  rig.formats = {OutputFormat::jsonl};
  rig.replace_all = false;
  rig.exported();
  EXPECT_EQ(rig.exports().size(), 2u);
  rig.partition = job::PartitionStrategy::timestamp;
  rig.replace_all = true;
  rig.exported();
  ASSERT_EQ(rig.exports().size(), 1u);
  EXPECT_THAT(rig.exports()[0], ::testing::HasSubstr("partitioned/date="));
}

TEST(Exporter, ACancelledExportPublishesNothing) {
  Rig rig({.num_records = 10});
  ASSERT_TRUE(rig.run());
  rig.exported();
  const std::string before = rig.body_of("jobs/j/exports/dataset.jsonl");
  rig.formats = {OutputFormat::csv};
  rig.stop.request();
  const Result<ExportReport> report = rig.try_export();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::cancelled);
  EXPECT_THAT(rig.exports(), ::testing::ElementsAre("jobs/j/exports/dataset.jsonl"));
  EXPECT_EQ(rig.body_of("jobs/j/exports/dataset.jsonl"), before);
  EXPECT_TRUE(!std::filesystem::exists(rig.folder / "temp") || std::filesystem::is_empty(rig.folder / "temp"));
}

TEST(Promise6, ALineOfAnotherBatchStopsTheExport) {
  Rig rig({.num_records = 10});
  ASSERT_TRUE(rig.run());
  rig.put("jobs/j/outputs/batch-0001.jsonl", rig.body_of("jobs/j/outputs/batch-0002.jsonl"));
  const Result<ExportReport> report = rig.try_export();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(rig.exports().empty());
}

TEST(Exporter, AnExportIsCopiedToAFile) {
  Rig rig({.num_records = 5});
  ASSERT_TRUE(rig.run());
  rig.exported();
  const auto copy = rig.folder / "out/new/dataset.jsonl";
  const Status copied = await(copy_to_file(rig.objects, rig.pool, "jobs/j/exports/dataset.jsonl", copy));
  ASSERT_TRUE(copied) << error_text(copied);
  EXPECT_EQ(rig.folder.read("out/new/dataset.jsonl"), rig.body_of("jobs/j/exports/dataset.jsonl"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(rig.folder / "out/new"), {}), 1);
  EXPECT_EQ(await(copy_to_file(rig.objects, rig.pool, "jobs/j/exports/dataset.csv", copy)).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(rig.folder.read("out/new/dataset.jsonl"), rig.body_of("jobs/j/exports/dataset.jsonl"));
}

}  // namespace
}  // namespace palette::generate
