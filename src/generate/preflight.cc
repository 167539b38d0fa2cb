#include "generate/preflight.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "generate/seed_variables.h"

namespace palette::generate {
namespace {

// The folder, or its nearest ancestor that is there, must be a folder that can be written.
void check_writable(const std::filesystem::path& folder, job::Diagnostics& diagnostics) {
  std::error_code ec;
  std::filesystem::path at = std::filesystem::absolute(folder, ec);
  while (!std::filesystem::exists(at, ec) && at.has_parent_path() && at != at.parent_path()) at = at.parent_path();
  const auto complain = [&](const std::string& why) {
    diagnostics.error(folder.string(), job::Mark{0, 0}, "", why + "; name another folder with --data-dir or --out");
  };
  if (!std::filesystem::is_directory(at, ec)) return complain(at.string() + " is not a folder, so nothing can be written there");
  if (::access(at.c_str(), W_OK | X_OK) != 0) complain(at.string() + " cannot be written: " + std::strerror(errno));
}

std::shared_ptr<job::TemplateLibrary> library_beside(const job::JobSpec& spec) {
  return std::make_shared<job::TemplateLibrary>(
      std::filesystem::path(spec.templ.file.empty() ? spec.file : spec.templ.file).parent_path());
}

}  // namespace

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
  for (const auto& folder : input.written_to) check_writable(folder, out.diagnostics);

  if (spec.seed_data.empty()) return out;
  Result<dataset::SeedData> seeds = dataset::SeedData::open(spec.seed_data, input.spool_dir);
  if (!seeds) {
    // A file that is not there is an error of the job file's line that names it.
    if (seeds.error().kind == ErrorKind::not_found && !input.overrides.seed_data) {
      out.diagnostics.error(spec.file, spec.seed_data_mark, "seed_data", "the file " + spec.seed_data + " does not exist");
    } else {
      out.diagnostics.error(seeds.error());
    }
    return out;
  }
  check_seed_variables(spec, compiled, *seeds, out.diagnostics);
  if (!out.diagnostics.ok()) return out;
  job::Identity identity = job::Identity::of(spec, seeds->sha256());
  auto shared = std::make_shared<const dataset::SeedData>(std::move(*seeds));
  out.job.emplace(PreparedJob{std::move(spec), std::move(compiled), std::move(shared), std::move(identity)});
  return out;
}

CheckedTemplate check_template(const std::filesystem::path& file, const job::Overrides& overrides, job::Diagnostics& diagnostics) {
  CheckedTemplate out;
  Result<job::Document> document = job::load_document(file);
  if (!document) {
    diagnostics.error(document.error());
    return out;
  }
  const bool is_job = document->root.find("num_records") != nullptr || document->root.find("seed_data") != nullptr;
  if (is_job) {
    out.spec = job::read_job_spec(*document, overrides, {}, diagnostics);
  } else {
    out.spec.file = file.string();
    out.spec.templ = job::read_template_file(*document, diagnostics);
  }
  const auto library = library_beside(out.spec);
  out.compiled = job::compile_job(out.spec, library, diagnostics);
  out.spec.includes = library->used();
  return out;
}

}  // namespace palette::generate
