// plot-palette export JOB_ID: the dataset again, in other formats or elsewhere, from what was made; nothing is
// generated.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/export_job.h"
#include "cli/terminal.h"
#include "cli/workspace.h"

namespace palette::cli {
namespace {

struct ExportOptions {
  CommonOptions common;
  std::string id;
  std::vector<std::string> formats;
  std::filesystem::path out_dir;
  std::filesystem::path download;
};

async::Task<Result<generate::ExportReport>> export_job(Workspace* workspace, const ExportOptions* options,
                                                       std::vector<job::OutputFormat> formats) {
  auto item = co_await find_job(workspace, JobId{options->id});
  if (!item) co_return std::unexpected(item.error());
  ExportWish wish;
  wish.formats = std::move(formats);
  auto report = co_await export_made(workspace, std::move(*item), std::move(wish));
  if (!report || options->out_dir.empty()) co_return report;
  const Status copied =
      co_await generate::copy_exports(workspace->objects, workspace->pool, report->files, options->out_dir);
  if (!copied) co_return std::unexpected(copied.error());
  co_return report;
}

// The files as the job's own export has left them.
async::Task<Result<generate::ExportReport>> download(Workspace* workspace, const ExportOptions* options) {
  const auto item = co_await find_job(workspace, JobId{options->id});
  if (!item) co_return std::unexpected(item.error());
  auto files = co_await list_exports(workspace, item->id);
  if (!files) co_return std::unexpected(files.error());
  if (files->empty()) {
    co_return fail(ErrorKind::not_found, "the job " + item->id.text + " has no dataset yet; it is " +
                                             std::string(job::to_string(item->status)) +
                                             ". plot-palette export without --download makes one of what there is");
  }
  const Status copied = co_await generate::copy_exports(workspace->objects, workspace->pool, *files, options->download);
  if (!copied) co_return std::unexpected(copied.error());
  co_return generate::ExportReport{std::move(*files), item->records_generated, {}};
}

Result<std::vector<job::OutputFormat>> read_formats(const std::vector<std::string>& names) {
  std::vector<job::OutputFormat> formats;
  for (const std::string& name : names) {
    const auto format = job::output_format_from(name);
    if (!format)
      return fail(ErrorKind::bad_input, "found '" + name + "'; allowed are jsonl, parquet and csv", "--format");
    if (std::find(formats.begin(), formats.end(), *format) == formats.end()) formats.push_back(*format);
  }
  return formats;
}

void print_report(const ExportOptions& options, const Workspace& workspace, const generate::ExportReport& report) {
  const bool downloads = !options.download.empty();
  const std::filesystem::path& folder = downloads ? options.download : options.out_dir;
  const auto place_of = [&](const generate::ExportedFile& file) {
    return folder.empty() ? workspace.objects.location(file.key) : (folder / file.name).string();
  };
  if (options.common.json) {
    JsonObject out;
    out["job_id"] = options.id;
    out["records"] = report.records;
    JsonArray files, copies;
    for (const auto& file : report.files) files.emplace_back(workspace.objects.location(file.key));
    out["files"] = std::move(files);
    if (downloads) {
      for (const auto& file : report.files) copies.emplace_back(place_of(file));
      out["copies"] = std::move(copies);
    }
    std::printf("%s\n", to_json_text(out).c_str());
    return;
  }
  std::printf("%s %s of %s.\n", downloads ? "Downloaded" : "Exported", counted(report.records, "record").c_str(),
              options.id.c_str());
  for (const auto& file : report.files) std::printf("  %s\n", place_of(file).c_str());
}

int run_export(const ExportOptions& options) {
  const auto formats = read_formats(options.formats);
  if (!formats) return tell_error(formats.error());
  const bool downloads = !options.download.empty();
  if (downloads && (!options.formats.empty() || !options.out_dir.empty())) {
    return tell_error(
        Error{ErrorKind::bad_input,
              "--download copies the files that are there: it goes with neither --format nor --out, which "
              "make new ones"});
  }
  auto workspace = open_place(options.common);
  if (!workspace) return tell_error(workspace.error());
  const auto report = (*workspace)
                          ->loop.run(downloads ? download(workspace->get(), &options)
                                               : export_job(workspace->get(), &options, *formats));
  if (!report) return tell_error(report.error());
  for (const std::string& note : report->notes)
    std::fprintf(stderr, "%s %s\n", styled(stderr, Style::warning, "warning:").c_str(), note.c_str());
  print_report(options, **workspace, *report);
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
  command->add_option("--download", options->download, "Only copies the files of the job's own export to DIR")
      ->type_name("DIR");
  add_place_options(*command, options->common);
  command->footer("Example:\n  plot-palette export countries-qa-1a2b3c4d --format parquet,csv --out dataset");
  command->callback([options, &exit_code] { exit_code = run_export(*options); });
}

}  // namespace palette::cli
