#include "worker/job_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/await.h"
#include "dataset/test_folder.h"
#include "store/local/file_object_store.h"
#include "store/local/sqlite_job_store.h"

namespace palette::worker {
namespace {

using contract::await, contract::error_text;

constexpr std::string_view kTemplate =
    R"({"steps": [{"id": "q", "model": "claude-haiku", "prompt": "Ask about {{ word }}", "max_tokens": 100}]})";

struct Intake {
  dataset::TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore objects{folder / "objects", pool};
  std::unique_ptr<store::SqliteJobStore> jobs = store::SqliteJobStore::open(folder / "jobs.db", pool).value();

  Intake() {
    put("seed-data/ann/s.jsonl", "{\"word\":\"red\"}\n{\"word\":\"blue\"}\n");
    put_template("qa", 1, R"({"template": {"steps": [{"id": "old", "model": "offline/echo", "prompt": "Old"}]}})");
    put_template("qa", 2, kTemplate);
  }
  void put(std::string key, std::string body) {
    const auto done = await(objects.put(std::move(key), std::move(body), {}));
    ASSERT_TRUE(done) << error_text(done);
  }
  void put_template(std::string id, std::int64_t version, std::string_view definition) {
    store::TemplateItem item;
    item.id = std::move(id);
    item.version = version;
    item.definition = definition;
    const Status done = await(jobs->put_template(std::move(item)));
    ASSERT_TRUE(done) << error_text(done);
  }
  Result<generate::SavedJob> take(store::JobItem item) {
    IntakeParts parts;
    parts.jobs = jobs.get();
    parts.seeds = {&objects, &pool, folder / "spool"};
    parts.environment = aws::Environment{.variables = {{"AWS_REGION", "us-east-1"}}, .home = {}};
    parts.region = "us-east-1";
    parts.interval = 40;
    return await(load_or_make_job(std::move(parts), std::move(item)));
  }
};

// As other software writes it.
store::JobItem item_of(const JsonObject& change = {}) {
  store::JobItem item;
  item.id = JobId{"job-1"};
  item.name = "job-1";
  item.created_at = UtcTime{1'790'000'000'000};
  item.budget_limit = Money::from_decimal("2.5").value();
  item.num_records = 100;
  item.spec_fields = {{"template_id", "qa"},
                      {"seed_data_path", "seed-data/ann/s.jsonl"},
                      {"num_records", "100"},
                      {"output_format", "PARQUET"},
                      {"partition_strategy", "timestamp"}};
  for (const auto& member : change) {
    if (member.value().is_null())
      item.spec_fields.erase(member.key());
    else
      item.spec_fields[member.key()] = member.value();
  }
  return item;
}

TEST(JobIntake, AJobThatOthersWroteIsMadeAndSaved) {
  Intake intake;
  const auto made = intake.take(item_of());
  ASSERT_TRUE(made) << error_text(made);
  const job::JobSpec& spec = made->prepared.spec;
  EXPECT_EQ(spec.name, "job-1");
  EXPECT_EQ(spec.num_records, 100);
  EXPECT_EQ(spec.budget_limit, Money::from_decimal("2.5").value());
  EXPECT_EQ(spec.output_formats, std::vector{job::OutputFormat::parquet});
  EXPECT_EQ(spec.partition_strategy, job::PartitionStrategy::timestamp);
  ASSERT_EQ(spec.templ.steps.size(), 1u);
  EXPECT_EQ(spec.templ.steps[0].id, "q") << "the newest version";
  EXPECT_EQ(made->prepared.seed_key, "seed-data/ann/s.jsonl");
  EXPECT_EQ(made->prepared.seeds->rows(), 2u);
  ASSERT_EQ(made->prepared.step_models.size(), 1u);
  EXPECT_TRUE(made->prepared.step_models[0].at(0).prices(""));
  EXPECT_EQ(made->extents, job::Extents::of(100, 40));
  EXPECT_EQ(made->created_at, UtcTime{1'790'000'000'000});
  EXPECT_EQ(made->identity.hash().size(), 64u);

  // The next worker finds it, whatever became of the table's template.
  intake.put_template("qa", 3, R"({"steps": [{"id": "new", "model": "offline", "prompt": "New"}]})");
  auto loaded = intake.take(item_of());
  ASSERT_TRUE(loaded) << error_text(loaded);
  EXPECT_EQ(loaded->identity.hash(), made->identity.hash());
  EXPECT_EQ(loaded->extents, made->extents);
  EXPECT_EQ(to_json_text(loaded->prepared.spec.to_json()), to_json_text(spec.to_json()));
  ASSERT_EQ(loaded->prepared.step_models.size(), 1u);
  EXPECT_EQ(loaded->prepared.seeds, nullptr);
  EXPECT_TRUE(await(generate::open_saved_seeds(&*loaded, {&intake.objects, &intake.pool, intake.folder / "spool"},
                                               generate::SeedUse::records)));
}

TEST(JobIntake, TwoWorkersWriteTheSame) {
  Intake intake;
  const std::string key = job::spec_key(JobId{"job-1"});
  ASSERT_TRUE(intake.take(item_of()));
  const std::string first = await(intake.objects.get(key))->body;
  ASSERT_TRUE(await(intake.objects.remove(key)));
  ASSERT_TRUE(intake.take(item_of()));
  EXPECT_EQ(await(intake.objects.get(key))->body, first);
}

TEST(JobIntake, AVersionAndAModelMayBeNamed) {
  Intake intake;
  const auto made = intake.take(item_of({{"template_version", 1}, {"model", "offline"}, {"seed", 7}}));
  ASSERT_TRUE(made) << error_text(made);
  EXPECT_EQ(made->prepared.spec.templ.steps[0].id, "old");
  EXPECT_EQ(made->prepared.spec.seed, 7u);
}

TEST(JobIntake, ExtentsThatTheItemHasStand) {
  Intake intake;
  store::JobItem item = item_of();
  item.extents = job::Extents::of(100, 10).to_json();
  EXPECT_EQ(intake.take(item)->extents, job::Extents::of(100, 10));
}

TEST(JobIntake, ATemplateInYamlIsOne) {
  Intake intake;
  intake.put_template("yaml", 1, "steps:\n  - {id: y, model: offline, prompt: hello}\n");
  const auto made = intake.take(item_of({{"template_id", "yaml"}}));
  ASSERT_TRUE(made) << error_text(made);
  EXPECT_EQ(made->prepared.spec.templ.steps[0].id, "y");
}

std::string refused(Intake& intake, const store::JobItem& item) {
  const auto made = intake.take(item);
  if (made) return "it was made";
  EXPECT_EQ(made.error().kind, ErrorKind::bad_input) << made.error().text();
  EXPECT_EQ(await(intake.objects.get(job::spec_key(item.id))).error().kind, ErrorKind::not_found);
  return made.error().text();
}

TEST(JobIntake, EverythingThatIsWrongIsToldAtOnce) {
  Intake intake;
  const std::string all = refused(intake, item_of({{"output_format", "XML"},
                                                   {"partition_strategy", "daily"},
                                                   {"colour", 1},
                                                   {"template_id", "no"},
                                                   {"seed_data_path", "absent.jsonl"}}));
  EXPECT_THAT(all, ::testing::StartsWith("job 'job-1': "));
  for (const char* part :
       {"output_format: found 'XML'", "partition_strategy: found \"daily\"", "colour",
        "template_id: no template with the id 'no' is stored", "seed_data_path: ", "there is no such object"})
    EXPECT_THAT(all, ::testing::HasSubstr(part));
  EXPECT_THAT(all, ::testing::Not(::testing::HasSubstr("\n")));
}

TEST(JobIntake, EachOfTheseIsRefused) {
  Intake intake;
  intake.put_template("bare", 1, R"({"steps": [{"id": "q", "prompt": "Ask about {{ word }}"}]})");
  intake.put_template("broken", 4, "{\"steps\": [}");
  intake.put_template("wrong", 1, R"({"steps": [{"id": "q", "model": "offline", "prompt": "{{ wrd }}"}]})");
  intake.put("bad.jsonl", "{\"word\":1}\nno\n");
  const struct {
    JsonObject change;
    const char* told;
  } cases[] = {
      {{{"template_id", "bare"}}, "neither the step nor the job names a model"},
      {{{"template_id", "broken"}}, "template 'broken' version 4:1:12: "},
      {{{"template_id", "wrong"}}, "no seed row has 'wrd'; did you mean word?"},
      {{{"template_version", 9}}, "template_version: found 9, a version that is not stored"},
      {{{"template_id", nullptr}}, "template: missing"},
      {{{"seed_data_path", nullptr}}, "seed data"},
      {{{"seed_data_path", nullptr}, {"seed_data", "s.jsonl"}}, "seed_data: names a file"},
      {{{"seed_data_path", "bad.jsonl"}}, "bad.jsonl:2:2: "},
      {{{"model", "gpt-nonesuch"}}, "model: "},
  };
  for (const auto& one : cases) EXPECT_THAT(refused(intake, item_of(one.change)), ::testing::HasSubstr(one.told));
  store::JobItem poor = item_of();
  poor.budget_limit = Money{1};
  EXPECT_THAT(refused(intake, poor), ::testing::HasSubstr("is less than one record may cost"));
  store::JobItem none = item_of({{"num_records", nullptr}});
  none.num_records = 0;
  EXPECT_THAT(refused(intake, none), ::testing::HasSubstr("num_records"));
}

TEST(JobIntake, ASpecThatCannotBeReadIsNeverMadeAnew) {
  Intake intake;
  intake.put(job::spec_key(JobId{"job-1"}), "{broken");
  const auto corrupt = intake.take(item_of());
  ASSERT_FALSE(corrupt);
  EXPECT_EQ(corrupt.error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace palette::worker
