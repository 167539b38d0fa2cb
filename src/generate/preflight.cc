#include "generate/preflight.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "generate/estimate.h"
#include "generate/seed_variables.h"
#include "model/connections.h"

namespace palette::generate {
namespace {

// A file with one of these is a job, not a template.
constexpr std::array<std::string_view, 5> kJobOnlyKeys = {"num_records", "seed_data", "seed_data_path", "template_id",
                                                          "columns"};

constexpr std::int64_t kBudgetSample = 20;

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

job::ModelNames names_in(std::shared_ptr<job::ModelDirectory> models) {
  return [models = std::move(models)](std::string_view name) -> Result<std::string> {
    Result<job::ResolvedModel> model = models->resolve(name);
    if (!model) return std::unexpected(model.error());
    return std::move(model->name);
  };
}

// Each missing key or region is told once.
void check_addresses(const StepModels& step_models, const aws::Environment& environment,
                     job::Diagnostics& diagnostics) {
  std::set<std::string> told;
  for (const auto& models : step_models) {
    for (const job::ResolvedModel& model : models) {
      if (model.parsed.provider == job::Provider::offline || model.parsed.provider == job::Provider::none) continue;
      const auto address = model::address_of(model, environment);
      if (!address && told.insert(address.error().message).second)
        diagnostics.error("environment", job::Mark{0, 0}, "", address.error().message);
    }
  }
}

// A budget that the first record may not fit into would make nothing.
void check_budget(const PreparedJob& job, job::Diagnostics& diagnostics) {
  if (!job.spec.budget_limit) return;
  const Result<Estimate> estimate = estimate_job(job, kBudgetSample);
  if (!estimate || estimate->record_bound <= *job.spec.budget_limit) return;
  diagnostics.error(
      job.spec.file, job::Mark{0, 0}, "budget_limit",
      "$" + job.spec.budget_limit->to_decimal() + " is less than one record may cost, up to $" +
          estimate->record_bound.to_decimal() +
          " (the bytes of its prompts as tokens, and max_tokens of output); raise it, or lower max_tokens");
}

std::optional<dataset::SeedData> open_seed_object(const job::JobSpec& spec, const PreflightInput& input,
                                                  job::Diagnostics& diagnostics) {
  const auto complain = [&](const std::string& message) {
    diagnostics.error(spec.file, spec.seed_data_mark, "seed_data_path", message);
  };
  if (!input.open_seed_key) {
    complain("'" + spec.seed_key +
             "' names an object of the bucket of a job in AWS; on this machine name a file, with seed_data");
    return std::nullopt;
  }
  Result<dataset::SeedData> seeds = input.open_seed_key(spec.seed_key);
  if (seeds) return std::move(*seeds);
  // What is wrong inside of the object is told where it stands there; else the line that names it is wrong.
  if (seeds.error().line > 0)
    diagnostics.error(seeds.error());
  else
    complain(seeds.error().text());
  return std::nullopt;
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

CheckedSpec check_spec(const job::Document& document, const PreflightInput& input) {
  CheckedSpec out;
  const auto models = input.models != nullptr ? input.models : std::make_shared<job::ModelDirectory>("", "");
  if (models->has_user_file()) models->open(out.diagnostics);
  job::Overrides overrides = input.overrides;
  overrides.model_names = names_in(models);
  out.spec = job::read_job_spec(document, overrides, input.template_by_id, out.diagnostics);
  const auto library = library_beside(out.spec);
  out.compiled = job::compile_job(out.spec, library, out.diagnostics);
  out.spec.includes = library->used();
  out.step_models = look_up_models(out.compiled, *models);
  check_step_models(out.spec, out.compiled, out.step_models, out.diagnostics);
  check_addresses(out.step_models, input.environment, out.diagnostics);
  for (const auto& folder : input.written_to) {
    check_writable(folder, out.diagnostics);
    check_no_folder_in_the_way(folder, out.spec, out.diagnostics);
  }
  if (!models->user_text().empty()) out.user_models = {models->user_file_name(), models->user_text()};
  return out;
}

Preflight check_with_seeds(CheckedSpec checked, std::optional<dataset::SeedData> seeds) {
  Preflight out;
  out.diagnostics = std::move(checked.diagnostics);
  out.step_models = checked.step_models;
  if (!seeds) return out;
  check_seed_variables(checked.spec, checked.compiled, *seeds, out.diagnostics);
  if (!out.diagnostics.ok()) return out;
  job::Identity identity = job::Identity::of(checked.spec, seeds->sha256());
  auto shared = std::make_shared<const dataset::SeedData>(std::move(*seeds));
  PreparedJob job{std::move(checked.spec), std::move(checked.compiled), std::move(shared), std::move(identity),
                  std::move(checked.step_models)};
  job.seed_key = job.spec.seed_key;
  job.user_models = std::move(checked.user_models);
  check_budget(job, out.diagnostics);
  if (out.diagnostics.ok()) out.job.emplace(std::move(job));
  return out;
}

Preflight preflight(const PreflightInput& input) {
  const Result<job::Document> document = job::load_document(input.job_file);
  if (!document) {
    Preflight out;
    out.diagnostics.error(document.error());
    return out;
  }
  CheckedSpec checked = check_spec(*document, input);
  std::optional<dataset::SeedData> seeds;
  if (!checked.spec.seed_key.empty()) {
    seeds = open_seed_object(checked.spec, input, checked.diagnostics);
  } else if (!checked.spec.seed_data.empty()) {
    seeds = open_seed_data(checked.spec, input.overrides.seed_data.has_value(), input.spool_dir, checked.diagnostics);
  }
  return check_with_seeds(std::move(checked), std::move(seeds));
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
    job::resolve_step_models(out.spec.templ, overrides.model_names, diagnostics);
  }
  const auto library = library_beside(out.spec);
  out.compiled = job::compile_job(out.spec, library, diagnostics);
  out.spec.includes = library->used();
  return out;
}

}  // namespace palette::generate
