// plot-palette export JOB_ID: the dataset again, in other formats or elsewhere, from what was made; nothing is
// generated.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/exporter.h"
#include "generate/saved_job.h"

namespace palette::cli {
namespace {

struct ExportOptions {
  CommonOptions common;
  std::string id;
  std::vector<std::string> formats;
  std::filesystem::path out_dir;
};

async::Task<Result<generate::ExportReport>> export_job(Workspace* workspace, const ExportOptions* options,
                                                       std::vector<job::OutputFormat> formats) {
  const JobId id{options->id};
  auto item = co_await workspace->jobs->get_job(id);
  if (!item) {
    Error error = item.error();
    if (error.kind == ErrorKind::not_found)
      error.message = "there is no job '" + id.text + "'; plot-palette jobs lists them";
    co_return std::unexpected(error);
  }
  auto saved = co_await generate::load_job(workspace->objects, id);
  if (!saved) co_return std::unexpected(saved.error());
  if (Status opened = generate::open_saved_seeds(*saved, workspace->temp_dir()); !opened)
    co_return std::unexpected(opened.error());
  auto extents = job::Extents::from_json(item->extents);
  if (!extents) co_return std::unexpected(extents.error());
  const generate::PartContext context{id, PartNumber{1}, AttemptNumber{1}, *extents, item->num_records};
  auto state = co_await generate::load_resume_state(workspace->objects, context, saved->prepared.compiled.step_ids,
                                                    system_clock().now());
  if (!state) co_return std::unexpected(state.error());

  generate::ExportSettings settings;
  settings.formats = formats.empty() ? saved->prepared.spec.output_formats : formats;
  settings.partition = saved->prepared.spec.partition_strategy;
  settings.temp_dir = workspace->temp_dir();
  settings.replace_all = false;
  async::StopFlag stop;
  generate::Exporter exporter(saved->prepared, context, workspace->objects, workspace->pool, settings, stop);
  auto report = co_await exporter.run(std::move(*state));
  if (!report || options->out_dir.empty()) co_return report;
  const Status copied =
      co_await generate::copy_exports(workspace->objects, workspace->pool, report->files, options->out_dir);
  if (!copied) co_return std::unexpected(copied.error());
  co_return report;
}

int run_export(const ExportOptions& options) {
  std::vector<job::OutputFormat> formats;
  for (const std::string& name : options.formats) {
    const auto format = job::output_format_from(name);
    if (!format)
      return tell_error(
          Error{ErrorKind::bad_input, "found '" + name + "'; allowed are jsonl, parquet and csv", "--format"});
    if (std::find(formats.begin(), formats.end(), *format) == formats.end()) formats.push_back(*format);
  }
  auto workspace = Workspace::open_existing(options.common.data_dir);
  if (!workspace) return tell_error(workspace.error());
  const auto report = (*workspace)->loop.run(export_job(workspace->get(), &options, formats));
  if (!report) return tell_error(report.error());
  for (const std::string& note : report->notes)
    std::fprintf(stderr, "%s %s\n", styled(stderr, Style::warning, "warning:").c_str(), note.c_str());
  if (options.common.json) {
    JsonObject out;
    out["job_id"] = options.id;
    out["records"] = report->records;
    JsonArray files;
    for (const auto& file : report->files) files.emplace_back((*workspace)->objects.location(file.key));
    out["files"] = std::move(files);
    std::printf("%s\n", to_json_text(out).c_str());
    return kDone;
  }
  std::printf("Exported %s of %s.\n", counted(report->records, "record").c_str(), options.id.c_str());
  for (const auto& file : report->files) {
    std::printf("  %s\n", options.out_dir.empty() ? (*workspace)->objects.location(file.key).c_str()
                                                  : (options.out_dir / file.name).c_str());
  }
  return kDone;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a job's dataset again, in other formats or elsewhere");
  command->add_option("JOB_ID", options->id, "As `jobs` lists it")->type_name("")->required();
  command->add_option("--format", options->formats, "jsonl, parquet, csv, separated by commas; else as the job says")
      ->delimiter(',');
  command->add_option("--out", options->out_dir, "Also writes DIR/dataset.<ext>")->type_name("DIR");
  add_common_options(*command, options->common);
  command->footer("Example:\n  plot-palette export countries-qa-1a2b3c4d --format parquet,csv --out dataset");
  command->callback([options, &exit_code] { exit_code = run_export(*options); });
}

}  // namespace palette::cli
