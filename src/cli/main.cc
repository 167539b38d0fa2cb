// The program: one subcommand a file.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>

#include "cli/command.h"

int main(int argc, char** argv) {
  // A reader that goes away (head, less) is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Plot Palette makes synthetic datasets with language models: seed data and templates in, JSONL, Parquet and CSV out.",
               "plot-palette");
  app.set_version_flag("--version", std::string("plot-palette ") + PALETTE_VERSION);
  app.require_subcommand(1);
  app.fallthrough(false);
  app.footer("Start with: plot-palette init && plot-palette run job.yaml");
  int exit_code = palette::cli::kDone;
  palette::cli::add_init(app, exit_code);
  palette::cli::add_run(app, exit_code);
  palette::cli::add_preview(app, exit_code);
  palette::cli::add_jobs(app, exit_code);
  palette::cli::add_show(app, exit_code);
  palette::cli::add_rm(app, exit_code);
  palette::cli::add_export(app, exit_code);
  palette::cli::add_template(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);  // --help, --version
    if (asked_for) return app.exit(error);
    std::fprintf(stderr, "error: %s; see %s --help\n", error.what(), argv[0]);
    return palette::cli::kBadInput;
  }
  return exit_code;
}
