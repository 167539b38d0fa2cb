#include "generate/saved_job.h"

#include "job/plan.h"

namespace palette::generate {
namespace {

std::unexpected<Error> corrupt(const std::string& message) {
  return fail(ErrorKind::corrupt, "the saved job cannot be read: " + message);
}

Result<SavedJob> read_saved(const JsonObject& root, const std::string& where) {
  const auto id = json_string(root, "job_id"), created = json_string(root, "created_at");
  const auto plan = json_int(root, "plan_version");
  const auto identity = json_object(root, "identity"), seed = json_object(root, "seed_data");
  const auto includes = json_object(root, "includes"), spec = json_object(root, "spec");
  const Json* extents = root.if_contains("extents");
  if (!id || !created || !plan || !identity || !seed || !includes || !spec || extents == nullptr ||
      !extents->is_array()) {
    return corrupt("a member is missing");
  }
  if (*plan > job::kPlanVersion)
    return corrupt("it was made by a newer version of plot-palette (plan " + std::to_string(*plan) + ")");
  SavedJob out;
  out.job = JobId{*id};
  const auto time = UtcTime::from_iso(*created);
  auto read_identity = job::Identity::from_json(**identity);
  auto read_extents = job::Extents::from_json(extents->get_array());
  const auto path = json_string(**seed, "path"), sha = json_string(**seed, "sha256");
  if (!time || !read_identity || !read_extents || !path || !sha)
    return corrupt("a member has another form than expected");
  out.created_at = *time;
  out.identity = *read_identity;
  out.extents = *read_extents;
  out.seed_path = *path;
  out.seed_sha256 = *sha;

  std::map<std::string, std::string> texts;
  for (const auto& member : **includes) {
    if (!member.value().is_string()) return corrupt("an include is not a text");
    texts.emplace(member.key(), std::string(member.value().get_string()));
  }
  const Result<job::Document> document = job::parse_document(where, to_json_text(**spec));
  if (!document) return corrupt(document.error().message);
  job::Diagnostics diagnostics;
  PreparedJob& prepared = out.prepared;
  job::Overrides as_saved;  // names of models were made canonical when it was saved
  as_saved.model_names = [](std::string_view name) -> Result<std::string> { return std::string(name); };
  prepared.spec = job::read_job_spec(*document, as_saved, {}, diagnostics);
  prepared.spec.includes = texts;
  prepared.compiled = job::compile_job(prepared.spec, std::make_shared<job::TemplateLibrary>(texts), diagnostics);
  prepared.identity = out.identity;
  if (!diagnostics.ok()) return corrupt(diagnostics.sorted().front().text());
  return out;
}

}  // namespace

async::Task<Status> save_job(store::ObjectStore& objects, JobId job, const PreparedJob& prepared, job::Extents extents,
                             UtcTime created_at) {
  JsonObject root;
  root["job_id"] = job.text;
  root["created_at"] = created_at.to_iso();
  root["plan_version"] = job::kPlanVersion;
  root["identity"] = prepared.identity.to_json();
  JsonObject seed;
  std::error_code ec;
  const auto absolute = std::filesystem::absolute(prepared.spec.seed_data, ec);
  seed["path"] = absolute.lexically_normal().string();
  seed["sha256"] = prepared.seeds->sha256();
  seed["rows"] = prepared.seeds->rows();
  root["seed_data"] = std::move(seed);
  JsonObject includes;
  for (const auto& [id, text] : prepared.spec.includes) includes[id] = text;
  root["includes"] = std::move(includes);
  root["extents"] = extents.to_json();
  root["spec"] = prepared.spec.to_json();
  const Result<std::string> put = co_await objects.put(job::spec_key(job), to_json_text(root) + "\n");
  if (!put) co_return std::unexpected(put.error());
  co_return Status{};
}

async::Task<Result<SavedJob>> load_job(store::ObjectStore& objects, JobId job) {
  const std::string key = job::spec_key(job);
  const Result<store::Object> object = co_await objects.get(key);
  if (!object) co_return std::unexpected(object.error());
  const Result<Json> json = parse_json(object->body);
  if (!json || !json->is_object())
    co_return std::unexpected(corrupt("it is not a JSON object").error().at(objects.location(key)));
  Result<SavedJob> saved = read_saved(json->get_object(), objects.location(key));
  if (!saved) co_return std::unexpected(saved.error().at(objects.location(key)));
  co_return saved;
}

Status open_saved_seeds(SavedJob& saved, const std::filesystem::path& spool_dir) {
  if (saved.prepared.compiled.columns.empty()) return {};
  const std::string advice = "; the job's columns need the rows that it was made from: put the file back";
  Result<dataset::SeedData> seeds = dataset::SeedData::open(saved.seed_path, spool_dir);
  if (!seeds) {
    Error error = seeds.error();
    error.kind = ErrorKind::bad_input;
    error.message += advice;
    return std::unexpected(error);
  }
  if (seeds->sha256() != saved.seed_sha256) {
    return fail(ErrorKind::bad_input, "the seed data has changed since the job was made" + advice, saved.seed_path);
  }
  saved.prepared.seeds = std::make_shared<const dataset::SeedData>(std::move(*seeds));
  return {};
}

}  // namespace palette::generate
