#include "generate/saved_job.h"

#include "job/plan.h"

namespace palette::generate {
namespace {

std::unexpected<Error> corrupt(const std::string& message) {
  return fail(ErrorKind::corrupt, "the saved job cannot be read: " + message);
}

Status read_user_models(const JsonObject& root, UserModels& models) {
  if (!root.contains("models")) return {};
  const auto member = json_object(root, "models");
  const auto name = member ? json_string(**member, "file") : std::unexpected(member.error());
  const auto text = member ? json_string(**member, "text") : std::unexpected(member.error());
  if (!name || !text) return corrupt("'models' has another form than expected");
  models = {*name, *text};
  return {};
}

// The models that the steps name, as they are called from `region`.
Status look_up_saved_models(PreparedJob& prepared, const std::string& region) {
  job::ModelDirectory directory("", region);
  if (const UserModels& user = prepared.user_models; !user.text.empty())
    directory = job::ModelDirectory::of_text(user.file_name, user.text, region);
  job::Diagnostics diagnostics;
  if (directory.has_user_file()) directory.open(diagnostics);
  if (!diagnostics.ok()) return corrupt(diagnostics.sorted().front().text());
  prepared.step_models.clear();
  for (const job::CompiledStep& step : prepared.compiled.steps) {
    std::vector<job::ResolvedModel>& models = prepared.step_models.emplace_back();
    for (const std::string& name : step.models) {
      Result<job::ResolvedModel> model = directory.resolve(name);
      if (!model) return std::unexpected(model.error());
      models.push_back(std::move(*model));
    }
  }
  return {};
}

JsonObject seed_to_json(const PreparedJob& prepared) {
  JsonObject seed;
  if (prepared.seed_key.empty()) {
    std::error_code ec;
    seed["path"] = std::filesystem::absolute(prepared.spec.seed_data, ec).lexically_normal().string();
  } else {
    seed["key"] = prepared.seed_key;
  }
  seed["sha256"] = prepared.seeds->sha256();
  seed["rows"] = prepared.seeds->rows();
  return seed;
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
  const auto sha = json_string(**seed, "sha256");
  const auto rows = json_int(**seed, "rows");
  const bool is_object = (*seed)->contains("key");
  const auto place = json_string(**seed, is_object ? "key" : "path");
  if (!time || !read_identity || !read_extents || !place || !sha || !rows)
    return corrupt("a member has another form than expected");
  out.created_at = *time;
  out.identity = *read_identity;
  out.extents = *read_extents;
  (is_object ? out.prepared.seed_key : out.seed_path) = *place;
  out.seed_sha256 = *sha;
  out.seed_rows = static_cast<std::uint64_t>(*rows);
  if (Status read = read_user_models(root, out.prepared.user_models); !read) return std::unexpected(read.error());

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
  root["seed_data"] = seed_to_json(prepared);
  JsonObject includes;
  for (const auto& [id, text] : prepared.spec.includes) includes[id] = text;
  root["includes"] = std::move(includes);
  root["extents"] = extents.to_json();
  if (!prepared.user_models.text.empty())
    root["models"] = {{"file", prepared.user_models.file_name}, {"text", prepared.user_models.text}};
  // A file that was put into the bucket for the job is an object from then on.
  job::JobSpec spec = prepared.spec;
  spec.seed_key = prepared.seed_key;
  root["spec"] = spec.to_json();
  const Result<std::string> put = co_await objects.put(job::spec_key(job), to_json_text(root) + "\n");
  if (!put) co_return std::unexpected(put.error());
  co_return Status{};
}

async::Task<Result<SavedJob>> load_job(store::ObjectStore& objects, JobId job, std::optional<std::string> region) {
  const std::string key = job::spec_key(job);
  const Result<store::Object> object = co_await objects.get(key);
  if (!object) co_return std::unexpected(object.error());
  const Result<Json> json = parse_json(object->body);
  if (!json || !json->is_object())
    co_return std::unexpected(corrupt("it is not a JSON object").error().at(objects.location(key)));
  Result<SavedJob> saved = read_saved(json->get_object(), objects.location(key));
  if (!saved) co_return std::unexpected(saved.error().at(objects.location(key)));
  if (region) {
    Status known = look_up_saved_models(saved->prepared, *region);
    if (!known) co_return std::unexpected(known.error().at(objects.location(key)));
  }
  co_return saved;
}

namespace {

// Seed data that is gone, or is not what it was: the job needs what it was made from.
bool is_the_users_to_mend(ErrorKind kind) {
  return kind == ErrorKind::not_found || kind == ErrorKind::bad_input || kind == ErrorKind::changed;
}

}  // namespace

async::Task<Status> open_saved_seeds(SavedJob* saved, dataset::SeedPlaces places, SeedUse use) {
  PreparedJob& prepared = saved->prepared;
  if (prepared.seeds != nullptr) co_return Status{};
  if (use == SeedUse::columns && prepared.compiled.columns.empty()) co_return Status{};
  const bool is_object = !prepared.seed_key.empty();
  const std::string advice = std::string("; the job") + (use == SeedUse::columns ? "'s columns need" : " needs") +
                             " the rows that it was made from: put the " + (is_object ? "object" : "file") + " back";
  Result<dataset::SeedData> seeds = fail(ErrorKind::internal, "not opened yet");
  if (is_object) {
    seeds = co_await dataset::open_seed_object(places, prepared.seed_key);
  } else {
    const std::filesystem::path file = saved->seed_path;
    seeds =
        co_await places.pool->run([file, folder = places.spool_dir] { return dataset::SeedData::open(file, folder); });
  }
  if (!seeds) {
    Error error = seeds.error();
    if (!is_object || is_the_users_to_mend(error.kind)) {
      error.kind = ErrorKind::bad_input;
      error.message += advice;
    }
    co_return std::unexpected(error);
  }
  if (seeds->sha256() != saved->seed_sha256) {
    co_return fail(ErrorKind::bad_input, "the seed data has changed since the job was made" + advice,
                   is_object ? places.objects->location(prepared.seed_key) : saved->seed_path);
  }
  prepared.seeds = std::make_shared<const dataset::SeedData>(std::move(*seeds));
  co_return Status{};
}

}  // namespace palette::generate
