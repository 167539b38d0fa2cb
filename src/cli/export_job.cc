#include "cli/export_job.h"

#include <utility>

#include "dataset/seed_object.h"

namespace palette::cli {
namespace {

Result<generate::PartContext> context_of(const store::JobItem& item) {
  const auto extents = job::Extents::from_json(item.extents);
  if (!extents) return std::unexpected(extents.error());
  const bool is_shared = item.parts_total() > 1;
  return generate::PartContext{item.id,          is_shared ? store::kExportPart : PartNumber{1},
                               AttemptNumber{0}, *extents,
                               item.num_records, item.parts_total()};
}

// "jobs/J/exports/dataset.csv" is dataset.csv, "…/partitioned/date=2026-11-23/records.csv" date=2026-11-23/records.csv.
std::string name_of_copy(std::string_view key, std::string_view prefix) {
  constexpr std::string_view kPartitioned = "partitioned/";
  key.remove_prefix(prefix.size());
  if (key.starts_with(kPartitioned)) key.remove_prefix(kPartitioned.size());
  return std::string(key);
}

}  // namespace

async::Task<Result<generate::ResumeState>> load_made(Workspace* workspace, store::JobItem item,
                                                     std::vector<std::string> step_ids) {
  const Result<generate::PartContext> context = context_of(item);
  if (!context) co_return std::unexpected(context.error());
  const UtcTime now = system_clock().now();
  if (context->parts > 1) co_return co_await generate::load_whole_state(workspace->objects, *context, step_ids, now);
  co_return co_await generate::load_resume_state(workspace->objects, *context, step_ids, now);
}

async::Task<Result<generate::ExportReport>> export_made(Workspace* workspace, store::JobItem item, ExportWish wish) {
  auto saved = co_await generate::load_job(workspace->objects, item.id);
  if (!saved) co_return std::unexpected(saved.error());
  const dataset::SeedPlaces places{&workspace->objects, &workspace->pool, workspace->temp_dir()};
  if (Status opened = co_await generate::open_saved_seeds(&*saved, places, generate::SeedUse::columns); !opened)
    co_return std::unexpected(opened.error());
  const Result<generate::PartContext> context = context_of(item);
  if (!context) co_return std::unexpected(context.error());
  auto state = co_await load_made(workspace, std::move(item), saved->prepared.compiled.step_ids);
  if (!state) co_return std::unexpected(state.error());
  generate::ExportSettings settings;
  settings.formats = wish.formats.empty() ? saved->prepared.spec.output_formats : wish.formats;
  settings.partition = saved->prepared.spec.partition_strategy;
  settings.temp_dir = workspace->temp_dir();
  settings.replace_all = wish.replace_all;
  async::StopFlag stop;
  generate::Exporter exporter(saved->prepared, *context, workspace->objects, workspace->pool, settings, stop);
  co_return co_await exporter.run(std::move(*state));
}

async::Task<Result<std::vector<generate::ExportedFile>>> list_exports(Workspace* workspace, JobId id) {
  const std::string prefix = generate::exports_prefix(id);
  const auto objects = co_await store::list_all(workspace->objects, prefix);
  if (!objects) co_return std::unexpected(objects.error());
  std::vector<generate::ExportedFile> files;
  for (const store::ObjectInfo& info : *objects) {
    generate::ExportedFile file;
    file.key = info.key;
    file.name = name_of_copy(info.key, prefix);
    // What else somebody has put there is no export.
    const auto format = job::output_format_from(std::string_view(file.name).substr(file.name.rfind('.') + 1));
    if (!format) continue;
    file.format = *format;
    files.push_back(std::move(file));
  }
  co_return files;
}

}  // namespace palette::cli
