#include "cli/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "cli/terminal.h"

namespace palette::cli {

void add_json_option(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "Results as JSON on stdout, for machines");
}

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--data-dir", options.data_dir, "Where jobs and their data are kept")
      ->capture_default_str()
      ->type_name("DIR");
  add_json_option(command, options);
}

void add_place_options(CLI::App& command, CommonOptions& options) {
  add_common_options(command, options);
  command.add_flag("--aws", options.aws, "Jobs in AWS, not those of a data directory (also by PALETTE_STORE=aws)");
}

std::string data_dir_flag(const std::filesystem::path& data_dir) {
  return data_dir == CommonOptions{}.data_dir ? "" : " --data-dir " + data_dir.string();
}

int tell_error(const Error& error) {
  const std::string text = one_line(error.text(), std::string::npos);  // whatever a library says, it stays one line
  std::fprintf(stderr, "%s %s\n", styled(stderr, Style::error, "error:").c_str(), text.c_str());
  return error.kind == ErrorKind::bad_input || error.kind == ErrorKind::not_found ? kBadInput : kFailed;
}

}  // namespace palette::cli
