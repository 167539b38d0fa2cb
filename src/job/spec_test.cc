#include "job/spec.h"

#include <gtest/gtest.h>

#include "job/read_spec.h"

namespace palette::job {
namespace {

JobSpec read(std::string file, std::string_view text) {
  Diagnostics diagnostics;
  const Result<Document> document = parse_document(std::move(file), text);
  EXPECT_TRUE(document) << document.error().text();
  JobSpec spec = read_job_spec(*document, {}, {}, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) ADD_FAILURE() << d.text();
  return spec;
}

TEST(JobSpec, WhatItWritesReadsBackTheSame) {
  const char* jobs[] = {
      "model: offline\nseed_data: s.jsonl\nnum_records: 5\ntemplate: {steps: [{id: a, prompt: hello}]}\n",
      R"(
id: qa_1
name: "küche \"1\""
description: Questions.
model: [offline, offline/echo]
seed_data: seeds.jsonl
seed_sampling: sequential
seed: 9223372036854775807
num_records: 200
budget_limit: 0.000000000001
output_format: [CSV, PARQUET]
partition_strategy: timestamp
concurrency: 8
requests_per_minute: 100
tokens_per_minute: 20000
max_failure_ratio: 0.1
parts: 3
priority: 0
cpu: 1024
memory: 2048
workers: 4
max_tokens: 100
temperature: 0.7
top_p: 1
stop: [END, "\n\n"]
cache: false
service_tier: flex
accept_truncated: true
additional_fields: {top_k: 5, nested: {list: [1, 2.5, null]}}
template:
  id: qa
  name: QA
  description: d
  version: 2
  is_public: true
  category: education
  schema_requirements: [instruction]
  steps:
    - {id: f, model: none, prompt: a fragment}
    - id: question
      model: offline/echo
      system: You write exam questions.
      prompt: |
        Write about {{ instruction }}
          indented
      temperature: 0
      cache: true
columns:
  z: "{{ steps.question.output }}"
  a: "1"
)"};
  for (const char* text : jobs) {
    const JobSpec spec = read("job.yaml", text);
    const std::string written = to_json_text(spec.to_json());
    const JobSpec back = read("spec.json", written);
    EXPECT_EQ(to_json_text(back.to_json()), written);
    EXPECT_EQ(back.name, spec.name);
    EXPECT_EQ(back.seed, spec.seed);
    EXPECT_EQ(back.budget_limit, spec.budget_limit);
    EXPECT_EQ(back.output_formats, spec.output_formats);
    EXPECT_EQ(back.columns, spec.columns);
    ASSERT_EQ(back.templ.steps.size(), spec.templ.steps.size());
    for (std::size_t i = 0; i < spec.templ.steps.size(); ++i) {
      const StepSpec &before = spec.templ.steps[i], &after = back.templ.steps[i];
      EXPECT_EQ(after.id, before.id);
      EXPECT_EQ(after.models, before.models);
      EXPECT_EQ(after.system, before.system);
      EXPECT_EQ(after.prompt, before.prompt);
      EXPECT_EQ(to_json_text(back.options_of(after).to_json()), to_json_text(spec.options_of(before).to_json()));
    }
  }
}

TEST(CallOptions, AStepsValueWinsAndTheRestComesFromTheJob) {
  CallOptions job, step;
  job.max_tokens = 100;
  job.temperature = 0.5;
  job.stop = {"A"};
  job.cache = true;
  job.service_tier = "flex";
  step.max_tokens = 5;
  step.temperature = 0.0;  // zero is a value
  step.cache = false;
  const CallOptions both = step.over(job);
  EXPECT_EQ(to_json_text(both.to_json()),
            R"({"max_tokens":5,"temperature":0.0,"stop":["A"],"cache":false,"service_tier":"flex"})");
  EXPECT_EQ(to_json_text(CallOptions{}.to_json()), "{}");
}

TEST(JobSpec, SeedDataPathIsAKeyAndStaysOne) {
  Diagnostics diagnostics;
  const Result<Document> document = parse_document("jobs/job.yaml", "seed_data_path: seed-data/ann/../s.jsonl\n");
  const JobSpec spec = read_job_spec(*document, {}, {}, diagnostics);
  EXPECT_EQ(spec.seed_key, "seed-data/ann/../s.jsonl");
  EXPECT_EQ(spec.seed_data, "");
  EXPECT_EQ(spec.to_json().at("seed_data_path"), "seed-data/ann/../s.jsonl");
  EXPECT_FALSE(spec.to_json().contains("seed_data"));
  Overrides overrides;
  overrides.seed_data = "other.csv";
  const JobSpec overridden = read_job_spec(*document, overrides, {}, diagnostics);
  EXPECT_EQ(overridden.seed_data + overridden.seed_key, "other.csv");
}

}  // namespace
}  // namespace palette::job
