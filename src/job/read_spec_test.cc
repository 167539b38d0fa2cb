#include "job/read_spec.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace palette::job {
namespace {

constexpr std::string_view kSteps = "template: {steps: [{id: a, prompt: hello}]}\n";
constexpr std::string_view kRest =
    "model: offline\nseed_data: s.jsonl\nnum_records: 5\ntemplate: {steps: [{id: a, prompt: hello}]}\n";

JobSpec read(std::string_view text, Diagnostics& diagnostics, const Overrides& overrides = {}) {
  const Result<Document> document = parse_document("job.yaml", text);
  EXPECT_TRUE(document) << document.error().text();
  return read_job_spec(*document, overrides, {}, diagnostics);
}

JobSpec read_good(std::string_view text, const Overrides& overrides = {}) {
  Diagnostics diagnostics;
  JobSpec spec = read(text, diagnostics, overrides);
  for (const Diagnostic& d : diagnostics.all()) ADD_FAILURE() << d.text();
  return spec;
}

// All complaints, one a line.
std::string complaints(std::string_view text, const Overrides& overrides = {}) {
  Diagnostics diagnostics;
  read(text, diagnostics, overrides);
  std::string out;
  for (const Diagnostic& d : diagnostics.sorted()) out += (out.empty() ? "" : "\n") + d.text();
  return out;
}

TEST(ReadSpec, ReadsEveryKey) {
  const JobSpec spec = read_good(R"(
id: qa_1
name: kitchen-questions
description: Questions about the kitchen.
model: [offline, offline/echo]
seed_data: data/../seeds.jsonl
seed_sampling: shuffle
seed: 7
num_records: 200
budget_limit: 5.00
output_format: [JSONL, parquet, JSONL]
partition_strategy: timestamp
concurrency: 8
requests_per_minute: 100
tokens_per_minute: 20000
max_failure_ratio: 0.25
parts: 3
priority: 2
cpu: 1024
memory: 2048
workers: 4
max_tokens: 100
temperature: 0.5
top_p: 1
stop: END
cache: true
service_tier: flex
accept_truncated: false
additional_fields: {top_k: 5}
template:
  id: qa
  name: QA
  version: 2
  is_public: true
  category: education
  schema_requirements: [instruction, author.name]
  steps:
    - id: question
      model: offline/echo
      system: You write exam questions.
      prompt: "Write about {{ instruction }}"
      max_tokens: 400
      stop: [A, B]
    - id: answer
      prompt: "Answer: {{ steps.question.output }}"
columns:
  question: "{{ steps.question.output }}"
  answer: "{{ steps.answer.output }}"
)");
  EXPECT_EQ(spec.id, "qa_1");
  EXPECT_EQ(spec.name, "kitchen-questions");
  EXPECT_EQ(spec.models, (std::vector<std::string>{"offline", "offline/echo"}));
  EXPECT_EQ(spec.seed_data, "seeds.jsonl");
  EXPECT_EQ(spec.seed_sampling, SeedSampling::shuffle);
  EXPECT_EQ(spec.seed, 7u);
  EXPECT_EQ(spec.num_records, 200);
  EXPECT_EQ(spec.budget_limit, Money{5'000'000'000'000});
  EXPECT_EQ(spec.output_formats, (std::vector<OutputFormat>{OutputFormat::jsonl, OutputFormat::parquet}));
  EXPECT_EQ(spec.partition_strategy, PartitionStrategy::timestamp);
  EXPECT_EQ(spec.concurrency, 8);
  EXPECT_EQ(spec.max_failure_ratio, 0.25);
  EXPECT_EQ(spec.workers, 4);
  ASSERT_EQ(spec.templ.steps.size(), 2u);
  EXPECT_EQ(spec.templ.version, 2);
  EXPECT_EQ(spec.templ.schema_requirements[1].text(), "author.name");
  EXPECT_EQ(spec.templ.schema_requirements[1].field, "template.schema_requirements[1]");
  const StepSpec& question = spec.templ.steps[0];
  EXPECT_EQ(question.system->text(), "You write exam questions.");
  EXPECT_EQ(question.prompt.field, "template.steps[0].prompt");
  EXPECT_EQ(spec.models_of(question), (std::vector<std::string>{"offline/echo"}));
  EXPECT_EQ(spec.models_of(spec.templ.steps[1]), spec.models);
  EXPECT_EQ(spec.options_of(question).max_tokens, 400);
  EXPECT_EQ(spec.options_of(question).stop, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(spec.options_of(question).temperature, 0.5);
  EXPECT_EQ(spec.options_of(spec.templ.steps[1]).max_tokens, 100);
  EXPECT_EQ(spec.columns[1].first, "answer");
  EXPECT_EQ(spec.columns[1].second.field, "columns.answer");
}

TEST(ReadSpec, DefaultsAreThoseOfTheDesign) {
  const JobSpec spec = read_good(kRest);
  EXPECT_EQ(spec.name, "job");  // of the file
  EXPECT_EQ(spec.seed_sampling, SeedSampling::random);
  EXPECT_EQ(spec.seed, 0u);
  EXPECT_EQ(spec.output_formats, (std::vector<OutputFormat>{OutputFormat::jsonl}));
  EXPECT_EQ(spec.partition_strategy, PartitionStrategy::none);
  EXPECT_EQ(spec.concurrency, 256);
  EXPECT_EQ(spec.max_failure_ratio, 0.5);
  EXPECT_FALSE(spec.budget_limit);
  EXPECT_TRUE(spec.columns.empty());
}

TEST(ReadSpec, SeedDataStandsBesideTheJobFile) {
  Diagnostics diagnostics;
  const Result<Document> document = parse_document("jobs/deep/job.yaml", kRest);
  EXPECT_EQ(read_job_spec(*document, {}, {}, diagnostics).seed_data, "jobs/deep/s.jsonl");
  const Result<Document> absolute = parse_document("jobs/job.yaml", "seed_data: /data/s.csv\n");
  EXPECT_EQ(read_job_spec(*absolute, {}, {}, diagnostics).seed_data, "/data/s.csv");
}

TEST(ReadSpec, TheCommandLineWins) {
  Overrides overrides;
  overrides.model = "offline/echo";
  overrides.num_records = 9;
  overrides.budget_limit = "2";
  overrides.output_formats = {"csv"};
  overrides.concurrency = 3;
  overrides.seed_data = "other.csv";
  const JobSpec spec = read_good(
      "model: bedrock/some-model\nseed_data: s.jsonl\nnum_records: 5\nbudget_limit: 1\n"
      "template: {steps: [{id: f, model: none, prompt: x}, {id: a, model: openai/x, prompt: y}]}\n",
      overrides);
  EXPECT_EQ(spec.models, (std::vector<std::string>{"offline/echo"}));
  EXPECT_TRUE(spec.templ.steps[0].is_fragment());
  EXPECT_EQ(spec.models_of(spec.templ.steps[1]), (std::vector<std::string>{"offline/echo"}));
  EXPECT_EQ(spec.num_records, 9);
  EXPECT_EQ(spec.budget_limit, Money{2'000'000'000'000});
  EXPECT_EQ(spec.output_formats, (std::vector<OutputFormat>{OutputFormat::csv}));
  EXPECT_EQ(spec.concurrency, 3);
  EXPECT_EQ(spec.seed_data, "other.csv");
}

TEST(ReadSpec, WhatIsWrongOnTheCommandLineIsToldAsSuch) {
  Overrides overrides;
  overrides.model = "ofline";
  overrides.budget_limit = "-1";
  overrides.output_formats = {"xml"};
  EXPECT_EQ(complaints(kRest, overrides),
            "--budget: error: found '-1'; US dollars above 0 and up to 1000000 are allowed\n"
            "--format: error: found 'xml'; allowed are jsonl, parquet and csv\n"
            "--model: error: the model 'ofline' is not known; did you mean offline?");
}

TEST(ReadSpec, EverythingWrongIsToldAtOnce) {
  EXPECT_EQ(
      complaints("num_recrods: 5\nseed: x\ntemplate: {steps: [{id: 1a, promt: hi}]}\n"),
      "job.yaml:1:1: error: num_recrods: this key is not known; did you mean num_records?\n"
      "job.yaml:1:1: error: seed_data: missing; a job needs seed data: a JSON, JSONL, CSV or Parquet file, e.g. "
      "seed_data: seeds.jsonl\n"
      "job.yaml:1:1: error: num_records: missing; how many records to make, 1 to 10000000\n"
      "job.yaml:2:7: error: seed: found \"x\"; an integer of 0 to 9223372036854775807 is allowed\n"
      "job.yaml:3:20: error: template.steps[0].prompt: missing; every step needs a prompt\n"
      "job.yaml:3:20: error: template.steps[0].model: missing; neither the step nor the job names a model, e.g. model: "
      "offline\n"
      "job.yaml:3:25: error: template.steps[0].id: found \"1a\"; a name of letters, digits and _ that does not start "
      "with a digit is expected, because templates say steps.<id>.output\n"
      "job.yaml:3:29: error: template.steps[0].promt: this key is not known; did you mean prompt?");
}

// What a line added to a good job is answered with. The job's own lines come first, so the added one is line 5.
TEST(ReadSpec, EachMistakeHasItsMessage) {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {
      {"id: 'a b'",
       "5:5: error: id: found \"a b\"; letters, digits, - and _ are allowed, because it is part of file names"},
      {"id: -x",
       "5:5: error: id: found \"-x\"; letters, digits, - and _ are allowed, because it is part of file names"},
      {"id: 12", "5:5: error: id: found 12; a text is expected (put it in quotes)"},
      {"name: [x]", "5:7: error: name: found a list; a text is expected"},
      {"seed_sampling: suffle",
       "5:16: error: seed_sampling: found \"suffle\"; allowed are random, shuffle and sequential"},
      {"seed: -1", "5:7: error: seed: found -1; an integer of 0 to 9223372036854775807 is allowed"},
      {"seed: 1.5", "5:7: error: seed: found 1.5; an integer of 0 to 9223372036854775807 is allowed"},
      {"budget_limit: 0", "5:15: error: budget_limit: found 0; US dollars above 0 and up to 1000000 are allowed"},
      {"budget_limit: -5", "5:15: error: budget_limit: found -5; US dollars above 0 and up to 1000000 are allowed"},
      {"budget_limit: 1000001",
       "5:15: error: budget_limit: found 1000001; US dollars above 0 and up to 1000000 are allowed"},
      {"budget_limit: $5", "5:15: error: budget_limit: found \"$5\"; US dollars above 0 and up to 1000000 are allowed"},
      {"budget_limit: [5]",
       "5:15: error: budget_limit: found a list; US dollars above 0 and up to 1000000 are allowed"},
      {"output_format: xml", "5:16: error: output_format: found 'xml'; allowed are JSONL, PARQUET and CSV"},
      {"output_format: []", "5:16: error: output_format: found 0 entries; 1 to 3 are allowed"},
      {"output_format: {}",
       "5:16: error: output_format: found an object; a text of 1 to 20 bytes, or a list of such, is expected"},
      {"partition_strategy: daily", "5:21: error: partition_strategy: found \"daily\"; allowed are none and timestamp"},
      {"concurrency: 0", "5:14: error: concurrency: found 0; an integer of 1 to 10000 is allowed"},
      {"concurrency: 1e3", "5:14: error: concurrency: found 1e3; an integer of 1 to 10000 is allowed"},
      {"requests_per_minute: 0", "5:22: error: requests_per_minute: found 0; an integer of 1 to 1000000000 is allowed"},
      {"max_failure_ratio: 1.1", "5:20: error: max_failure_ratio: found 1.1; a number of 0 to 1 is allowed"},
      {"parts: 91", "5:8: error: parts: found 91; an integer of 1 to 90 is allowed"},
      {"cpu: 1", "5:6: error: cpu: found 1; an integer of 256 to 16384 is allowed"},
      {"temperature: 3", "5:14: error: temperature: found 3; a number of 0 to 2 is allowed"},
      {"temperature: hot", "5:14: error: temperature: found \"hot\"; a number of 0 to 2 is allowed"},
      {"top_p: -0.1", "5:8: error: top_p: found -0.1; a number of 0 to 1 is allowed"},
      {"max_tokens: 0", "5:13: error: max_tokens: found 0; an integer of 1 to 1000000 is allowed"},
      {"stop: ['']", "5:8: error: stop: found \"\"; a text of 1 to 200 bytes, or a list of such, is expected"},
      {"cache: yes", "5:8: error: cache: found \"yes\"; true or false is expected"},
      {"service_tier: fast", "5:15: error: service_tier: found \"fast\"; allowed are default, flex and priority"},
      {"additional_fields: 5", "5:20: error: additional_fields: found 5; an object is expected"},
      {"template_id: qa", "5:14: error: template_id: both template and template_id are given; give one of them"},
      {"seed_data_path: s.jsonl",
       "5:17: error: seed_data_path: both seed_data and seed_data_path are given; give one of them"},
      {"columns: {}", "5:10: error: columns: found 0 columns; 1 to 1000 names with a template each are expected"},
      {"columns: [a]", "5:10: error: columns: found a list; 1 to 1000 names with a template each are expected"},
      {"columns: {a: 5}", "5:14: error: columns.a: found 5; a text is expected (put it in quotes)"},
      {"columns: {a: x, a: y}", "5:17: error: columns.a: this key is there twice; the first is in line 5"},
      {"columns: {a: }", "5:11: error: columns.a: found nothing; a template is expected"},
      {"columns: {'': x}", "5:11: error: columns: found a name of 0 bytes; a column's name has 1 to 200"},
      {"model: offline", "5:1: error: model: this key is there twice; the first is in line 1"},
      {"sead: 5", "5:1: error: sead: this key is not known; did you mean seed?"},
      {"budgetlimit: 5", "5:1: error: budgetlimit: this key is not known; did you mean budget_limit?"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(complaints(std::string(kRest) + c.line + "\n"), std::string("job.yaml:") + c.message) << c.line;
  }
}

TEST(ReadSpec, AnUnknownKeyWithoutANeighbourListsTheKnownOnes) {
  EXPECT_TRUE(
      complaints(std::string(kRest) + "zzzzzz: 1\n")
          .starts_with("job.yaml:5:1: error: zzzzzz: this key is not known; known are id, name, description, model, "));
}

TEST(ReadSpec, AFileOfNothingButMistakesEndsSoon) {
  std::string text;
  for (int i = 0; i < 90'000; ++i) text += "num_recrods" + std::to_string(i) + ": 1\n";
  Diagnostics diagnostics;
  read(text, diagnostics);
  EXPECT_TRUE(diagnostics.full());
  EXPECT_LE(diagnostics.sorted().size(), limits::kDiagnosticsMax + 1);
}

TEST(ReadSpec, OtherWholeFilesAreRefused) {
  const std::string expected = "an object with keys such as id, name, description, model, seed_data, ";
  EXPECT_TRUE(complaints("").starts_with("job.yaml: error: the file is empty; " + expected)) << complaints("");
  EXPECT_TRUE(complaints("- a\n").starts_with("job.yaml:1:1: error: found a list; " + expected));
  EXPECT_TRUE(complaints("just text\n").starts_with("job.yaml:1:1: error: found \"just text\"; " + expected));
}

TEST(ReadSpec, NumbersOfRecordsOutsideTheLimits) {
  for (const char* n : {"0", "-1", "10000001", "2.5", "many", "[1]"}) {
    const std::string text =
        "model: offline\nseed_data: s.jsonl\nnum_records: " + std::string(n) + "\n" + std::string(kSteps);
    const std::string found = std::string(n) == "many" ? "\"many\"" : std::string(n) == "[1]" ? "a list" : n;
    EXPECT_EQ(complaints(text),
              "job.yaml:3:14: error: num_records: found " + found + "; an integer of 1 to 10000000 is allowed");
  }
}

// A job whose template (in line 4, from column 11 on) is the given one.
TEST(ReadSpec, EachMistakeInATemplateHasItsMessage) {
  const struct {
    const char* templ;
    const char* message;
  } cases[] = {
      {"[]",
       "4:11: error: template: found a list; an object with keys such as id, name, description, category, version, "
       "is_public, schema_requirements, steps is expected"},
      {"{}", "4:11: error: template.steps: missing; a template needs a list of 1 to 100 steps"},
      {"{steps: []}", "4:19: error: template.steps: found 0 steps; a list of 1 to 100 steps is expected"},
      {"{steps: {}}", "4:19: error: template.steps: found an object; a list of 1 to 100 steps is expected"},
      {"{version: 0, steps: [{id: a, prompt: x}]}",
       "4:21: error: template.version: found 0; an integer of 1 to 1000000000 is allowed"},
      {"{schema_requirements: x, steps: [{id: a, prompt: x}]}",
       "4:33: error: template.schema_requirements: found \"x\"; a list of dotted paths is expected"},
      {"{schema_requirements: [a..b], steps: [{id: a, prompt: x}]}",
       "4:34: error: template.schema_requirements[0]: found \"a..b\"; a dotted path into a seed row such as "
       "author.name is "
       "expected"},
      {"{steps: [{prompt: x}]}",
       "4:20: error: template.steps[0].id: missing; every step needs a name that later steps can use, e.g. id: answer"},
      {"{steps: [{id: a-b, prompt: x}]}",
       "4:25: error: template.steps[0].id: found \"a-b\"; a name of letters, digits and _ that does not start with a "
       "digit is "
       "expected, because templates say steps.<id>.output"},
      {"{steps: [{id: items, prompt: x}]}",
       "4:25: error: template.steps[0].id: 'items' is a method of the steps object; choose another name"},
      {"{steps: [{id: a, prompt: x}, {id: a, prompt: y}]}",
       "4:40: error: template.steps[1].id: the step id 'a' is used twice; the first is in line 4"},
      {"{steps: [{id: a, prompt: ''}]}", "4:36: error: template.steps[0].prompt: the prompt is empty"},
      {"{steps: [{id: a, prompt: 5}]}",
       "4:36: error: template.steps[0].prompt: found 5; a text is expected (put it in quotes)"},
      {"{steps: [{id: a, prompt: x, temprature: 1}]}",
       "4:39: error: template.steps[0].temprature: this key is not known; did you mean temperature?"},
      {"{steps: [{id: a, prompt: x, model: ofline}]}",
       "4:46: error: template.steps[0].model: the model 'ofline' is not known; did you mean offline?"},
      {"{steps: [{id: a, prompt: x, model: [offline, none]}]}",
       "4:56: error: template.steps[0].model: none cannot stand in a list of fallbacks"},
      {"{steps: [{id: a, prompt: x, model: none}]}",
       "4:11: error: template.steps: every step has the model none, so nothing would be made"},
      {"nowhere.yaml", "4:11: error: template: nowhere.yaml: this file does not exist"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(
        complaints("model: offline\nseed_data: s.jsonl\nnum_records: 5\ntemplate: " + std::string(c.templ) + "\n"),
        std::string("job.yaml:") + c.message)
        << c.templ;
  }
}

TEST(ReadSpec, MissingTemplateAndStoredTemplate) {
  const std::string job = "model: offline\nseed_data: s.jsonl\nnum_records: 5\n";
  EXPECT_EQ(complaints(job),
            "job.yaml:1:1: error: template: missing; a job needs a template: inline steps, a path to a "
            "template file, or template_id");
  EXPECT_EQ(complaints(job + "template_id: qa\n"),
            "job.yaml:4:14: error: template_id: no template with the id 'qa' is stored; a template file is named with "
            "template: PATH");
  Diagnostics diagnostics;
  const auto stored = [](const std::string& id) {
    EXPECT_EQ(id, "qa");
    return std::optional(*parse_document("qa", "template: {id: qa, steps: [{id: a, prompt: stored}]}"));
  };
  const JobSpec spec = read_job_spec(*parse_document("job.yaml", job + "template_id: qa\n"), {}, stored, diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(spec.templ.steps.at(0).prompt.text(), "stored");
}

TEST(ReadSpec, ATemplateFileIsReadAndItsMistakesNameIt) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("palette-spec-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "good.yaml")
      << "template:\n  id: t\n  steps:\n    - id: a\n      model: offline/echo\n      prompt: hi\n";
  std::ofstream(folder / "bad.yaml") << "template:\n  id: t\n  steps:\n    - id: a\n      prompt: [hi]\n";
  const auto job = [&](const char* templ) {
    return *parse_document(
        (folder / "job.yaml").string(),
        "model: offline\nseed_data: s.jsonl\nnum_records: 5\ntemplate: " + std::string(templ) + "\n");
  };
  Diagnostics good, bad;
  EXPECT_EQ(read_job_spec(job("good.yaml"), {}, {}, good).templ.steps.at(0).models,
            std::vector<std::string>{"offline/echo"});
  EXPECT_TRUE(good.ok());
  read_job_spec(job("bad.yaml"), {}, {}, bad);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.sorted()[0].text(), (folder / "bad.yaml").string() +
                                        ":5:15: error: template.steps[0].prompt: found a list; a text is expected");
  std::filesystem::remove_all(folder);
}

TEST(ReadSpec, TemplateFilesHaveTwoForms) {
  Diagnostics diagnostics;
  EXPECT_EQ(
      read_template_file(*parse_document("t.yaml", "template: {id: t, steps: [{id: a, prompt: x}]}"), diagnostics).id,
      "t");
  EXPECT_EQ(read_template_file(*parse_document("t.json", R"({"id": "t", "steps": [{"id": "a", "prompt": "x"}]})"),
                               diagnostics)
                .id,
            "t");
  EXPECT_TRUE(diagnostics.ok());
  read_template_file(*parse_document("t.yaml", "id: t\n"), diagnostics);
  ASSERT_FALSE(diagnostics.ok());
  EXPECT_EQ(diagnostics.sorted()[1].text(),
            "t.yaml:1:1: error: template: missing; a template file is `template: {id, steps: [...]}`");
}

TEST(ReadSpec, JsonJobsWorkTheSame) {
  const Result<Document> document = parse_document(
      "job.json",
      R"({"model": "offline", "seed_data": "s.csv", "num_records": 3, "template": {"steps": [{"id": "a", "prompt": "x"}]}})");
  Diagnostics diagnostics;
  EXPECT_EQ(read_job_spec(*document, {}, {}, diagnostics).num_records, 3);
  EXPECT_TRUE(diagnostics.ok());
}

}  // namespace
}  // namespace palette::job
