#include "cli/job_overrides.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <charconv>
#include <cstdlib>

#include "aws/service.h"
#include "base/limits.h"
#include "cli/workspace.h"

namespace palette::cli {

job::Overrides OverrideOptions::to_overrides() const {
  job::Overrides out;
  out.model = model;
  out.num_records = records;
  out.budget_limit = budget;
  out.output_formats = formats;
  out.concurrency = concurrency;
  return out;
}

void add_override_options(CLI::App& command, OverrideOptions& options) {
  command.add_option("--model", options.model, "Replaces the model of every step, e.g. offline")->type_name("MODEL");
  command.add_option("--models", options.models_file, "A file of models, prices and servers beside the built-in ones")
      ->type_name("FILE")
      ->envname("PALETTE_MODELS");
  command.add_option("--records", options.records, "Replaces num_records")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, limits::kRecordsMax).description(""));
  command.add_option("--budget", options.budget, "Replaces budget_limit (US dollars)")->type_name("USD");
  command.add_option("--format", options.formats, "Replaces output_format: jsonl, parquet, csv, separated by commas")
      ->type_name("F")
      ->delimiter(',');
  command.add_option("--concurrency", options.concurrency, "Replaces concurrency: records in flight")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, limits::kConcurrencyMax).description(""));
}

generate::PreflightInput preflight_input(const std::filesystem::path& job_file, const OverrideOptions& options,
                                         const std::filesystem::path& data_dir) {
  const aws::Environment environment = aws::Environment::of_process();
  return {.job_file = job_file,
          .overrides = options.to_overrides(),
          .models = std::make_shared<job::ModelDirectory>(options.models_file, aws::region_of(environment)),
          .environment = environment,
          .template_by_id = stored_templates(data_dir),
          .spool_dir = spool_dir_of(data_dir),
          .written_to = {}};
}

job::TemplateById stored_templates(const std::filesystem::path& data_dir) {
  return [data_dir](const std::string& id) -> std::optional<job::Document> {
    auto workspace = Workspace::open_existing(data_dir);
    if (!workspace) return std::nullopt;
    const auto item = (*workspace)->loop.run((*workspace)->jobs->get_template(id, std::nullopt));
    if (!item) return std::nullopt;
    auto document = job::parse_document("template " + id + ".json", item->definition);
    if (!document) return std::nullopt;
    return std::move(*document);
  };
}

Result<std::int64_t> checkpoint_interval() {
  const char* text = std::getenv("CHECKPOINT_INTERVAL");
  if (text == nullptr || *text == '\0') return limits::kBatchRecords;
  std::int64_t value = 0;
  const std::string_view digits(text);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (ec != std::errc{} || end != digits.data() + digits.size() || value < 1 || value > limits::kBatchRecordsMax) {
    return fail(ErrorKind::bad_input,
                "found '" + std::string(digits) + "'; an integer of 1 to " + std::to_string(limits::kBatchRecordsMax) +
                    " is allowed (records of a batch)",
                "CHECKPOINT_INTERVAL");
  }
  return value;
}

}  // namespace palette::cli
