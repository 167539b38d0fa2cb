#include "generate/preflight.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "generate/seed_variables.h"

namespace palette::generate {
namespace {

// A file with one of these is a job, not a template.
constexpr std::array<std::string_view, 5> kJobOnlyKeys = {"num_records", "seed_data", "seed_data_path", "template_id",
                                                          "columns"};

// The folder, or its nearest ancestor that is there, must be a folder that can be written.
void check_writable(const std::filesystem::path& folder, job::Diagnostics& diagnostics) {
  std::error_code ec;
  std::filesystem::path at = folder;
  while (!at.empty() && !std::filesystem::exists(at, ec) && at != at.parent_path()) at = at.parent_path();
  if (at.empty()) at = ".";
  const std::string what = at == folder ? "this" : at.string();
  const auto complain = [&](const std::string& why) {
    diagnostics.error(folder.string(), job::Mark{0, 0}, "",
                      what + why + "; name another folder with --data-dir or --out");
  };
  if (!std::filesystem::is_directory(at, ec)) return complain(" is a file, so no folder can be made there");
  if (::access(at.c_str(), W_OK | X_OK) != 0) complain(std::string(" cannot be written: ") + std::strerror(errno));
}

// `folder`/dataset.<ext> is replaced by the dataset; a folder of that name cannot be.
void check_no_folder_in_the_way(const std::filesystem::path& folder, const job::JobSpec& spec,
                                job::Diagnostics& diagnostics) {
  if (spec.partition_strategy != job::PartitionStrategy::none) return;
  for (const job::OutputFormat format : spec.output_formats) {
    const std::filesystem::path file = folder / ("dataset." + std::string(job::extension(format)));
    std::error_code ec;
    if (!std::filesystem::is_directory(file, ec)) continue;
    diagnostics.error(
        file.string(), job::Mark{0, 0}, "",
        "this is a folder, where the dataset is to be written; remove it, or name another folder with --out");
  }
}

std::shared_ptr<job::TemplateLibrary> library_beside(const job::JobSpec& spec) {
  return std::make_shared<job::TemplateLibrary>(
      std::filesystem::path(spec.templ.file.empty() ? spec.file : spec.templ.file).parent_path());
}

}  // namespace

std::optional<dataset::SeedData> open_seed_data(const job::JobSpec& spec, bool by_flag,
                                                const std::filesystem::path& spool_dir, job::Diagnostics& diagnostics) {
  std::error_code ec;
  const auto status = std::filesystem::status(spec.seed_data, ec);
  const bool is_folder = std::filesystem::is_directory(status);
  if (is_folder || status.type() == std::filesystem::file_type::not_found) {
    // The line that names it is what is wrong, not the file.
    const std::string message =
        spec.seed_data +
        (is_folder ? " is a folder; a JSON, JSONL, CSV or Parquet file is expected" : " does not exist");
    if (by_flag) {
      diagnostics.error("--seed-data", job::Mark{0, 0}, "", message);
    } else {
      diagnostics.error(spec.file, spec.seed_data_mark, "seed_data", message);
    }
    return std::nullopt;
  }
  Result<dataset::SeedData> seeds = dataset::SeedData::open(spec.seed_data, spool_dir);
  if (seeds) return std::move(*seeds);
  diagnostics.error(seeds.error());
  return std::nullopt;
}

Preflight preflight(const PreflightInput& input) {
  Preflight out;
  Result<job::Document> document = job::load_document(input.job_file);
  if (!document) {
    out.diagnostics.error(document.error());
    return out;
  }
  job::JobSpec spec = job::read_job_spec(*document, input.overrides, input.template_by_id, out.diagnostics);
  const auto library = library_beside(spec);
  job::CompiledJob compiled = job::compile_job(spec, library, out.diagnostics);
  spec.includes = library->used();
  for (const auto& folder : input.written_to) {
    check_writable(folder, out.diagnostics);
    check_no_folder_in_the_way(folder, spec, out.diagnostics);
  }

  if (spec.seed_data.empty()) return out;
  std::optional<dataset::SeedData> seeds =
      open_seed_data(spec, input.overrides.seed_data.has_value(), input.spool_dir, out.diagnostics);
  if (!seeds) return out;
  check_seed_variables(spec, compiled, *seeds, out.diagnostics);
  if (!out.diagnostics.ok()) return out;
  job::Identity identity = job::Identity::of(spec, seeds->sha256());
  auto shared = std::make_shared<const dataset::SeedData>(std::move(*seeds));
  out.job.emplace(PreparedJob{std::move(spec), std::move(compiled), std::move(shared), std::move(identity)});
  return out;
}

CheckedTemplate check_template(const std::filesystem::path& file, const job::Overrides& overrides,
                               job::Diagnostics& diagnostics) {
  CheckedTemplate out;
  Result<job::Document> document = job::load_document(file);
  if (!document) {
    diagnostics.error(document.error());
    return out;
  }
  const bool is_job =
      std::ranges::any_of(kJobOnlyKeys, [&](std::string_view key) { return document->root.find(key) != nullptr; });
  if (is_job) {
    out.spec = job::read_job_spec(*document, overrides, {}, diagnostics);
  } else {
    out.spec.file = file.string();
    out.spec.templ = job::read_template_file(*document, diagnostics);
    job::check_step_models(out.spec.templ, diagnostics);
  }
  const auto library = library_beside(out.spec);
  out.compiled = job::compile_job(out.spec, library, diagnostics);
  out.spec.includes = library->used();
  return out;
}

}  // namespace palette::generate
