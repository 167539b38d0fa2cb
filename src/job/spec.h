// What a job is: everything that a job file can say, validated and resolved (DESIGN.md section 4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/money.h"
#include "job/document.h"
#include "job/output_format.h"

namespace palette::job {

enum class SeedSampling : std::uint8_t { random, shuffle, sequential };
enum class PartitionStrategy : std::uint8_t { none, timestamp };

std::string_view to_string(SeedSampling sampling);
std::string_view to_string(PartitionStrategy strategy);

// A text of the user's, with the place that messages about it name.
struct TextField {
  std::string file;
  std::string field;  // "steps[0].prompt"
  Node node;          // a string

  const std::string& text() const { return node.text; }
  bool operator==(const TextField& other) const { return text() == other.text(); }
};

// Of the job or of a step; a step's value wins.
struct CallOptions {
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature, top_p;
  std::vector<std::string> stop;
  std::optional<bool> cache, accept_truncated;
  std::optional<std::string> service_tier;
  std::optional<JsonObject> additional_fields;

  CallOptions over(const CallOptions& defaults) const;  // what is unset here comes from `defaults`
  JsonObject to_json() const;                           // only what is set
};

struct StepSpec {
  std::string id;
  std::vector<std::string> models;  // fallbacks in order; {"none"}: a fragment for include, never executed
  std::vector<Mark> model_marks;    // of each; one when `model` is there but wrong
  std::optional<TextField> system;
  TextField prompt;
  CallOptions options;
  std::string file;
  std::string field;  // "template.steps[0]"
  Mark mark;

  bool is_fragment() const { return models.size() == 1 && models[0] == "none"; }
};

struct TemplateSpec {
  std::string id, name, description, category;
  std::int64_t version = 1;
  bool is_public = false;
  std::vector<TextField> schema_requirements;  // dotted paths into a seed row
  std::vector<StepSpec> steps;
  std::string file;
  Mark mark;
};

struct JobSpec {
  std::string file;  // the job file
  std::string id, name, description;
  std::vector<std::string> models;
  std::string seed_data;  // path, relative paths resolved against the job file's folder; empty when seed_key is given
  std::string seed_key;   // seed_data_path: key of an object of the bucket, in AWS
  Mark seed_data_mark;
  SeedSampling seed_sampling = SeedSampling::random;
  std::uint64_t seed = 0;
  std::int64_t num_records = 0;
  std::optional<Money> budget_limit;
  std::vector<OutputFormat> output_formats = {OutputFormat::jsonl};
  PartitionStrategy partition_strategy = PartitionStrategy::none;
  TemplateSpec templ;
  std::map<std::string, std::string> includes;  // texts that the templates include, by id
  std::vector<std::pair<std::string, TextField>> columns;
  CallOptions options;
  std::int64_t concurrency = limits::kConcurrencyDefault;
  std::optional<std::int64_t> requests_per_minute, tokens_per_minute;
  double max_failure_ratio = limits::kFailureRatioDefault;
  std::optional<std::int64_t> parts, priority, cpu, memory, workers;

  // The models and options that a step is called with.
  const std::vector<std::string>& models_of(const StepSpec& step) const {
    return step.models.empty() ? models : step.models;
  }
  CallOptions options_of(const StepSpec& step) const { return step.options.over(options); }

  // As a job file with an inline template: read_job_spec reads it back.
  JsonObject to_json() const;
};

}  // namespace palette::job
