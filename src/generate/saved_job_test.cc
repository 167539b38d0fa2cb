#include "generate/saved_job.h"

#include "dataset/seed_object.h"
#include "generate/estimate.h"
#include "generate/exporter.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

constexpr std::string_view kSeeds = "{\"word\":\"red\"}\n{\"word\":\"blue\"}\n";
constexpr std::string_view kModels =
    "# of the team\n"
    "endpoints:\n"
    "  - {name: ours, url: \"http://127.0.0.1:9/v1\", prices: {input: 0.25, output: 1.50}, output_tokens_max: 100}\n";

// A folder, a store in it, and job files that are checked as commands do.
struct Place {
  TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore objects{folder / "objects", pool};
  dataset::SeedPlaces seeds{&objects, &pool, folder / "spool"};

  Preflight check(const std::string& job_file, bool in_aws = true) {
    PreflightInput input;
    input.job_file = folder.write("job.yaml", job_file);
    input.spool_dir = folder / "spool";
    input.environment.variables["AWS_REGION"] = "eu-west-1";
    input.models = std::make_shared<job::ModelDirectory>(models_file, "eu-west-1");
    if (in_aws)
      input.open_seed_key = [this](const std::string& key) { return await(dataset::open_seed_object(seeds, key)); };
    return preflight(input);
  }
  PreparedJob prepare(const std::string& job_file) {
    Preflight checked = check(job_file);
    if (!checked.job) throw std::runtime_error(told(checked.diagnostics));
    return std::move(*checked.job);
  }
  void put(std::string key, std::string_view body) {
    ASSERT_TRUE(await(objects.put(std::move(key), std::string(body), {})));
  }
  Result<SavedJob> save_and_load(const PreparedJob& job, std::optional<std::string> region = std::nullopt) {
    const Status saved = await(save_job(objects, JobId{"j"}, job, job::Extents::of(7, 5), UtcTime{1'790'000'000'000}));
    if (!saved) return std::unexpected(saved.error());
    return await(load_job(objects, JobId{"j"}, std::move(region)));
  }
  Status open(SavedJob& saved, SeedUse use) { return await(open_saved_seeds(&saved, seeds, use)); }

  std::filesystem::path models_file;
};

std::string job_file(const std::string& seeds, const std::string& model = "offline/echo",
                     const std::string& more = "") {
  return "model: " + model + "\n" + seeds + "\nnum_records: 7\n" + more +
         "template: {steps: [{id: q, prompt: \"ask {{ word }}\"}]}\n";
}

TEST(SavedJob, OfAnObjectComesBackWithItsKeyAndItsRows) {
  Place place;
  place.put("seed-data/ann/s.jsonl", kSeeds);
  const PreparedJob job = place.prepare(job_file("seed_data_path: seed-data/ann/s.jsonl"));
  EXPECT_EQ(job.seed_key, "seed-data/ann/s.jsonl");
  EXPECT_EQ(job.seeds->rows(), 2u);
  Result<SavedJob> saved = place.save_and_load(job);
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->prepared.seed_key, "seed-data/ann/s.jsonl");
  EXPECT_EQ(saved->prepared.spec.seed_key, "seed-data/ann/s.jsonl");
  EXPECT_EQ(saved->prepared.spec.seed_data, "");
  EXPECT_EQ(saved->seed_path, "");
  EXPECT_EQ(saved->seed_sha256, job.seeds->sha256());
  EXPECT_EQ(saved->seed_rows, 2u);
  EXPECT_EQ(saved->identity.hash(), job.identity.hash());
  EXPECT_EQ(saved->extents, job::Extents::of(7, 5));
  EXPECT_EQ(to_json_text(saved->prepared.spec.to_json()), to_json_text(job.spec.to_json()));
  EXPECT_TRUE(place.open(*saved, SeedUse::columns));
  EXPECT_EQ(saved->prepared.seeds, nullptr) << "an export without columns needs no rows";
  ASSERT_TRUE(place.open(*saved, SeedUse::records));
  EXPECT_EQ(saved->prepared.seeds->row_text(1).value(), R"({"word":"blue"})");
}

TEST(SavedJob, AFileThatWasPutIntoTheBucketIsAnObjectFromThenOn) {
  Place place;
  place.folder.write("s.jsonl", kSeeds);
  place.put("seed-data/ann/s.jsonl", kSeeds);
  PreparedJob job = place.prepare(job_file("seed_data: s.jsonl"));
  EXPECT_EQ(job.seed_key, "");
  job.seed_key = "seed-data/ann/s.jsonl";
  Result<SavedJob> saved = place.save_and_load(job);
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->prepared.spec.seed_key, "seed-data/ann/s.jsonl");
  EXPECT_EQ(saved->identity.hash(), job.identity.hash());
  EXPECT_TRUE(place.open(*saved, SeedUse::records));
}

TEST(SavedJob, OfAFileComesBackWithItsPath) {
  Place place;
  const auto file = place.folder.write("s.jsonl", kSeeds);
  Result<SavedJob> saved = place.save_and_load(
      place.prepare(job_file("seed_data: s.jsonl", "offline/echo", "columns: {w: '{{ word }}'}\n")));
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->seed_path, file.string());
  EXPECT_EQ(saved->prepared.seed_key, "");
  ASSERT_TRUE(place.open(*saved, SeedUse::columns));
  EXPECT_EQ(saved->prepared.seeds->rows(), 2u);
}

TEST(SavedJob, OtherSeedDataIsTold) {
  Place place;
  place.put("s.jsonl", kSeeds);
  Result<SavedJob> saved = place.save_and_load(place.prepare(job_file("seed_data_path: s.jsonl")));
  ASSERT_TRUE(saved) << error_text(saved);
  place.put("s.jsonl", "{\"word\":\"green\"}\n");
  const std::string where = place.objects.location("s.jsonl");
  const std::string advice = "; the job needs the rows that it was made from: put the object back";
  EXPECT_EQ(error_text(place.open(*saved, SeedUse::records)),
            "bad_input: " + where + ": the seed data has changed since the job was made" + advice);
  ASSERT_TRUE(await(place.objects.remove("s.jsonl")));
  EXPECT_EQ(error_text(place.open(*saved, SeedUse::records)),
            "bad_input: " + where + ": there is no such object" + advice);
  EXPECT_EQ(saved->prepared.seeds, nullptr);
}

TEST(SavedJob, ModelsOfTheUserTravelWithIt) {
  Place place;
  place.put("s.jsonl", kSeeds);
  place.models_file = place.folder.write("team.yaml", kModels);
  const PreparedJob job = place.prepare(job_file("seed_data_path: s.jsonl", "[ours/small, claude-haiku]"));
  std::filesystem::remove(place.models_file);
  const Result<SavedJob> without = place.save_and_load(job);
  ASSERT_TRUE(without) << error_text(without);
  EXPECT_TRUE(without->prepared.step_models.empty()) << "only who calls models looks them up";
  const Result<SavedJob> saved = place.save_and_load(job, "us-east-1");
  ASSERT_TRUE(saved) << error_text(saved);
  EXPECT_EQ(saved->prepared.user_models.file_name, "team.yaml");
  EXPECT_EQ(saved->prepared.user_models.text, kModels);
  ASSERT_EQ(saved->prepared.step_models.size(), 1u);
  const auto& models = saved->prepared.step_models[0];
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "ours/small");
  ASSERT_NE(models[0].endpoint, nullptr);
  EXPECT_EQ(models[0].endpoint->url, "http://127.0.0.1:9/v1");
  EXPECT_EQ(models[0].prices("")->output, 1'500'000);
  EXPECT_EQ(models[1].name, job.step_models[0][1].name) << "names were made canonical when the job was made";
  EXPECT_TRUE(models[1].prices(""));
}

TEST(SavedJob, ASpecThatWasTamperedWithIsCorrupt) {
  Place place;
  place.put("s.jsonl", kSeeds);
  place.models_file = place.folder.write("team.yaml", kModels);
  ASSERT_TRUE(place.save_and_load(place.prepare(job_file("seed_data_path: s.jsonl")), ""));
  const std::string key = job::spec_key(JobId{"j"}), good = await(place.objects.get(key))->body;
  for (const auto& [from, to] : std::map<std::string, std::string>{{"\"key\"", "\"keys\""},
                                                                   {"\"rows\":2", "\"rows\":\"2\""},
                                                                   {"\"text\"", "\"texts\""},
                                                                   {"endpoints:", "a: b:"}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    place.put(key, bad);
    const auto loaded = await(load_job(place.objects, JobId{"j"}, ""));
    ASSERT_FALSE(loaded) << from;
    EXPECT_EQ(loaded.error().kind, ErrorKind::corrupt) << loaded.error().text();
  }
}

TEST(Preflight, SeedDataPathIsForAws) {
  Place place;
  place.folder.write("s.jsonl", kSeeds);
  Preflight checked = place.check(job_file("seed_data_path: s.jsonl"), false);
  EXPECT_FALSE(checked.job);
  EXPECT_EQ(dataset::without_folder(told(checked.diagnostics), place.folder / "job.yaml"),
            "job.yaml:2:17: error: seed_data_path: 's.jsonl' names an object of the bucket of a job in AWS; on this "
            "machine name a file, with seed_data\n");
}

TEST(Preflight, WhatIsWrongWithAnObjectIsTold) {
  Place place;
  place.put("bad.jsonl", "{\"word\":1}\nno\n");
  EXPECT_THAT(told(place.check(job_file("seed_data_path: absent.jsonl")).diagnostics),
              ::testing::HasSubstr("job.yaml:2:17: error: seed_data_path: " + place.objects.location("absent.jsonl") +
                                   ": there is no such object\n"));
  EXPECT_THAT(told(place.check(job_file("seed_data_path: bad.jsonl")).diagnostics),
              ::testing::StartsWith(place.objects.location("bad.jsonl") + ":2:2: error: "));
}

// --- Rows of an object that are not at hand

// 200 rows of 100 KiB: about ten of them are at hand.
std::string large_seeds() {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "{\"word\":\"w" + std::to_string(i) + "\",\"filler\":\"" + std::string(100 * limits::kKiB, 'x') + "\"}\n";
  return text;
}

TEST(LargeSeedObject, RecordsAndColumnsAreThoseOfTheFile) {
  const JobParts parts{
      .num_records = 40, .interval = 20, .more = "columns: {w: '{{ word }}'}\n", .seeds = large_seeds()};
  std::vector<std::vector<std::string>> prompts, rows;
  for (const bool is_object : {false, true}) {
    JobInFolder rig(parts);
    if (is_object) {
      rig.put("s.jsonl", parts.seeds);
      Result<dataset::SeedData> seeds =
          await(dataset::open_seed_object({&rig.objects, &rig.pool, rig.folder / "spool"}, "s.jsonl"));
      ASSERT_TRUE(seeds) << error_text(seeds);
      ASSERT_LT(seeds->rows_at_hand(), 20u);
      rig.job.seeds = std::make_shared<const dataset::SeedData>(std::move(*seeds));
    }
    const auto report = rig.run();
    ASSERT_TRUE(report) << error_text(report);
    EXPECT_EQ(rig.made(), rig.all_indexes());
    std::ranges::sort(rig.model->prompts);
    prompts.push_back(rig.model->prompts);

    Result<ResumeState> state = rig.load();
    ASSERT_TRUE(state) << error_text(state);
    async::StopFlag stop;
    const ExportSettings settings{
        .formats = {job::OutputFormat::jsonl}, .partition = {}, .temp_dir = rig.folder / "temp"};
    Exporter exporter(rig.job, rig.context, rig.objects, rig.pool, settings, stop);
    const auto exported = await(exporter.run(std::move(*state)));
    ASSERT_TRUE(exported) << error_text(exported);
    const std::string body = rig.body_of("jobs/j/exports/dataset.jsonl");
    rows.emplace_back();
    for (std::string_view line : Lines(body)) rows.back().emplace_back(line);
  }
  EXPECT_EQ(prompts[0], prompts[1]);
  EXPECT_EQ(rows[0], rows[1]);
  ASSERT_EQ(rows[1].size(), 40u);
  EXPECT_EQ(rows[1][39], R"({"w":"w39"})");
}

TEST(LargeSeedObject, ARowThatCannotBeReadEndsTheRun) {
  const JobParts parts{.num_records = 40, .interval = 20, .seeds = large_seeds()};
  JobInFolder rig(parts);
  rig.put("s.jsonl", parts.seeds);
  const dataset::SeedPlaces places{&rig.objects, &rig.pool, rig.folder / "spool"};
  rig.job.seeds =
      std::make_shared<const dataset::SeedData>(await(dataset::open_seed_object(places, "s.jsonl")).value());
  rig.put("s.jsonl", "{\"word\":\"other\"}\n");
  const auto report = rig.run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::changed);
  EXPECT_THAT(report.error().text(), ::testing::HasSubstr("the seed data was replaced since it was opened"));
}

TEST(LargeSeedObject, AnEstimateIsMadeFromTheRowsAtHand) {
  const JobParts parts{.num_records = 1000, .seeds = large_seeds()};
  JobInFolder rig(parts);
  rig.put("s.jsonl", parts.seeds);
  const dataset::SeedPlaces places{&rig.objects, &rig.pool, rig.folder / "spool"};
  rig.job.seeds =
      std::make_shared<const dataset::SeedData>(await(dataset::open_seed_object(places, "s.jsonl")).value());
  rig.watched.ranges.clear();
  const auto estimate = estimate_job(rig.job);
  ASSERT_TRUE(estimate) << error_text(estimate);
  EXPECT_EQ(estimate->sampled, 100);
  EXPECT_TRUE(rig.watched.ranges.empty());
}

}  // namespace
}  // namespace palette::generate
