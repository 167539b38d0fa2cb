#include "worker/job_intake.h"

#include <algorithm>

namespace palette::worker {
namespace {

constexpr std::size_t kComplaintsToldMax = 20;

std::string name_of(const store::JobItem& item) { return "job '" + item.id.text + "'"; }

// The item as a job file says it. Numbers may have come as texts, which the store has read already.
Result<job::Document> document_of(const store::JobItem& item) {
  JsonObject file = item.spec_fields;
  file["name"] = item.name;
  if (item.num_records > 0) file["num_records"] = item.num_records;
  if (item.budget_limit) file["budget_limit"] = item.budget_limit->to_decimal();
  Result<job::Node> root = job::parse_json_node(to_json_text(file));
  if (!root) return fail(ErrorKind::bad_input, "its config cannot be read: " + root.error().message, name_of(item));
  return job::Document{name_of(item), std::move(*root)};
}

// Everything that is wrong, in one message.
Error refusal(const job::Diagnostics& diagnostics, const store::JobItem& item) {
  std::string message;
  std::size_t told = 0, more = 0;
  for (const job::Diagnostic& finding : diagnostics.sorted()) {
    if (finding.severity != job::Diagnostic::Severity::error) continue;
    if (told == kComplaintsToldMax) {
      ++more;
      continue;
    }
    const bool is_of_item = finding.file == name_of(item);
    message += (told++ == 0 ? "" : "; ") + (is_of_item ? finding.what() : finding.where_and_what());
  }
  if (more > 0) message += "; and " + std::to_string(more) + " more";
  return Error{ErrorKind::bad_input, message, name_of(item)};
}

struct TemplateWish {
  std::string id;
  std::optional<std::int64_t> version;
};

// What the item wants of the Templates table; nothing where it says so in no form that the reader will take.
std::optional<TemplateWish> template_wish(const job::Document& document) {
  const job::Node* id = document.root.find("template_id");
  if (id == nullptr || id->kind != job::Node::Kind::string) return std::nullopt;
  TemplateWish wish{id->text, std::nullopt};
  const job::Node* version = document.root.find("template_version");
  if (version != nullptr && version->kind == job::Node::Kind::integer) wish.version = version->integer;
  return wish;
}

// A template of the table as a document; complains when there is none, or none that can be read.
async::Task<Result<std::optional<job::Document>>> stored_template(store::JobStore* jobs, TemplateWish wish,
                                                                  std::string item_name,
                                                                  job::Diagnostics* diagnostics) {
  const Result<store::TemplateItem> stored = co_await jobs->get_template(wish.id, wish.version);
  if (!stored && stored.error().kind == ErrorKind::not_found && wish.version) {
    diagnostics->error(item_name, job::Mark{0, 0}, "template_version",
                       "found " + std::to_string(*wish.version) + ", a version that is not stored");
  }
  if (!stored && stored.error().kind == ErrorKind::not_found) co_return std::nullopt;
  if (!stored) co_return std::unexpected(stored.error());
  const std::string name = "template '" + wish.id + "' version " + std::to_string(stored->version);
  const bool is_json = stored->definition.find_first_not_of(" \t\r\n") == stored->definition.find('{');
  const Result<job::Node> root =
      is_json ? job::parse_json_node(stored->definition) : job::parse_yaml_node(stored->definition);
  if (root) co_return job::Document{name, *root};
  diagnostics->error(root.error().at(name));
  co_return std::nullopt;
}

// Nothing after a complaint.
async::Task<Result<std::optional<dataset::SeedData>>> open_seeds(dataset::SeedPlaces places, std::string key,
                                                                 std::string item_name, job::Diagnostics* diagnostics) {
  Result<dataset::SeedData> seeds = co_await dataset::open_seed_object(places, key);
  if (seeds) co_return std::move(*seeds);
  const ErrorKind kind = seeds.error().kind;
  if (kind != ErrorKind::bad_input && kind != ErrorKind::not_found) co_return std::unexpected(seeds.error());
  diagnostics->error(item_name, job::Mark{0, 0}, "seed_data_path", seeds.error().text());
  co_return std::nullopt;
}

async::Task<Result<generate::SavedJob>> make_job(IntakeParts parts, store::JobItem item) {
  const Result<job::Document> document = document_of(item);
  if (!document) co_return std::unexpected(document.error());
  job::Diagnostics of_template;
  std::optional<job::Document> templ;
  if (const auto wish = template_wish(*document)) {
    auto found = co_await stored_template(parts.jobs, *wish, name_of(item), &of_template);
    if (!found) co_return std::unexpected(found.error());
    templ = std::move(*found);
  }
  generate::PreflightInput input;
  input.models = std::make_shared<job::ModelDirectory>("", parts.region);
  input.environment = parts.environment;
  input.template_by_id = [&templ](const std::string&) { return templ; };
  generate::CheckedSpec checked = generate::check_spec(*document, input);
  for (const job::Diagnostic& finding : of_template.all())
    checked.diagnostics.error(finding.file, finding.mark, finding.field, finding.message);
  if (!checked.spec.seed_data.empty()) {
    checked.diagnostics.error(name_of(item), job::Mark{0, 0}, "seed_data",
                              "names a file, which a worker cannot read; seed_data_path with the key of an object of "
                              "the bucket is expected");
  }
  std::optional<dataset::SeedData> seeds;
  if (!checked.spec.seed_key.empty()) {
    auto opened = co_await open_seeds(parts.seeds, checked.spec.seed_key, name_of(item), &checked.diagnostics);
    if (!opened) co_return std::unexpected(opened.error());
    seeds = std::move(*opened);
  }
  generate::Preflight done = generate::check_with_seeds(std::move(checked), std::move(seeds));
  if (!done.job) co_return std::unexpected(refusal(done.diagnostics, item));

  generate::SavedJob out;
  out.job = item.id;
  out.created_at = item.created_at;
  out.identity = done.job->identity;
  out.seed_sha256 = done.job->seeds->sha256();
  out.seed_rows = done.job->seeds->rows();
  out.prepared = std::move(*done.job);
  Result<job::Extents> extents = item.extents.empty() ? job::Extents::of(out.prepared.spec.num_records, parts.interval)
                                                      : job::Extents::from_json(item.extents);
  if (!extents) co_return std::unexpected(extents.error());
  out.extents = std::move(*extents);
  const Status saved =
      co_await generate::save_job(*parts.seeds.objects, out.job, out.prepared, out.extents, out.created_at);
  if (!saved) co_return std::unexpected(saved.error());
  co_return out;
}

}  // namespace

async::Task<Result<generate::SavedJob>> load_or_make_job(IntakeParts parts, store::JobItem item) {
  Result<generate::SavedJob> saved = co_await generate::load_job(*parts.seeds.objects, item.id, parts.region);
  if (saved || saved.error().kind != ErrorKind::not_found) co_return saved;
  co_return co_await make_job(std::move(parts), std::move(item));
}

}  // namespace palette::worker
