// The program: one subcommand a file.
#include <malloc.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>

#include "cli/command.h"
#include "cli/usage_error.h"

namespace {

// Large buffers (batches, row groups) come and go on several threads. Given back to the system at once they leave no
// holes, and the peak does not grow with the number of records (bench/README.md has the figures); glibc would raise the
// threshold to 32 MiB by itself.
void keep_memory_flat() {
  ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 512 * 1024);
  ::mallopt(M_ARENA_MAX, 2);
}

}  // namespace

namespace {

// Every command says what it is.
void set_version(CLI::App& command) {
  command.set_version_flag("--version", "plot-palette " PALETTE_VERSION, "Print the version and exit");
  command.set_help_flag("-h,--help", "Print this help and exit");
  for (CLI::App* sub : command.get_subcommands({})) set_version(*sub);
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory_flat();
  // A reader that goes away (head, less) is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(
      "Plot Palette makes synthetic datasets with language models: seed data and templates in, JSONL, Parquet and CSV "
      "out.",
      "plot-palette");
  app.require_subcommand(1);
  app.fallthrough(false);
  app.footer("Start with: plot-palette init && plot-palette run job.yaml");
  int exit_code = palette::cli::kDone;
  palette::cli::add_init(app, exit_code);
  palette::cli::add_run(app, exit_code);
  palette::cli::add_preview(app, exit_code);
  palette::cli::add_estimate(app, exit_code);
  palette::cli::add_jobs(app, exit_code);
  palette::cli::add_show(app, exit_code);
  palette::cli::add_submit(app, exit_code);
  palette::cli::add_worker(app, exit_code);
  palette::cli::add_watch(app, exit_code);
  palette::cli::add_cancel(app, exit_code);
  palette::cli::add_set(app, exit_code);
  palette::cli::add_rm(app, exit_code);
  palette::cli::add_export(app, exit_code);
  palette::cli::add_template(app, exit_code);
  palette::cli::add_models(app, exit_code);
  palette::cli::add_doctor(app, exit_code);
  set_version(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);  // --help, --version
    if (asked_for) return app.exit(error);
    return palette::cli::tell_usage_error(app, error.what(), {argv + 1, argv + argc});
  }
  return exit_code;
}
