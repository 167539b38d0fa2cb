// What every subcommand has: the common flags, and how it ends.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace CLI {
class App;
}

namespace palette::cli {

// Open files beside those of calls: the database, objects, journal, event loop, libraries.
inline constexpr int kFilesBesideCalls = 64;

// Exit codes (DESIGN.md section 4).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kBadInput = 2;  // nothing was started
inline constexpr int kBudgetExceeded = 3;

struct CommonOptions {
  std::filesystem::path data_dir = ".plot-palette";
  bool json = false;   // for machines: results on stdout as JSON
  bool quiet = false;  // only errors
  bool aws = false;    // jobs in AWS, not those of data_dir
};

// Each registers its subcommand; the exit code of the one that was asked for goes to `exit_code`.
void add_init(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_preview(CLI::App& app, int& exit_code);
void add_estimate(CLI::App& app, int& exit_code);
void add_jobs(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_submit(CLI::App& app, int& exit_code);
void add_worker(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_cancel(CLI::App& app, int& exit_code);
void add_set(CLI::App& app, int& exit_code);
void add_rm(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_template(CLI::App& app, int& exit_code);
void add_models(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

// Adds --data-dir and --json.
void add_common_options(CLI::App& command, CommonOptions& options);
// And --aws: of the commands that work on jobs wherever they are (workspace.h, open_place).
void add_place_options(CLI::App& command, CommonOptions& options);
void add_json_option(CLI::App& command, CommonOptions& options);

// " --data-dir D" for a command that is shown to the user; empty for the default.
std::string data_dir_flag(const std::filesystem::path& data_dir);

// Tells an error on stderr, one line, and gives the exit code that fits its kind.
int tell_error(const Error& error);

}  // namespace palette::cli
