// What the command line may say over a job file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "generate/preflight.h"
#include "job/read_spec.h"

namespace CLI {
class App;
}

namespace palette::cli {

struct OverrideOptions {
  std::optional<std::string> model;
  std::optional<std::int64_t> records;
  std::optional<std::string> budget;
  std::vector<std::string> formats;
  std::optional<std::int64_t> concurrency;
  std::filesystem::path models_file;

  job::Overrides to_overrides() const;
};

// --model, --models, --records, --budget, --format, --concurrency.
void add_override_options(CLI::App& command, OverrideOptions& options);

// What preflight() needs of a command that runs, previews or estimates a job.
generate::PreflightInput preflight_input(const std::filesystem::path& job_file, const OverrideOptions& options,
                                         const std::filesystem::path& data_dir);

// Templates of the data directory's Templates table, for `template_id`. Nothing is made.
job::TemplateById stored_templates(const std::filesystem::path& data_dir);

// CHECKPOINT_INTERVAL of the environment, or 50: records of a batch. bad_input when it is out of range.
Result<std::int64_t> checkpoint_interval();

}  // namespace palette::cli
