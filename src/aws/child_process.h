// Runs another program and takes what it prints, within a time and a size.
//
//   Result<std::vector<std::string>> words = split_command("tool --account 'my dev'");
//   Result<ProcessOutput> output = co_await run_process(*words, environment, {});
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "aws/environment.h"
#include "base/limits.h"
#include "base/result.h"

namespace palette::aws {

// The words of a command line, as a POSIX shell splits them (quotes and backslashes; nothing is expanded). bad_input
// for an open quote and for no word at all.
Result<std::vector<std::string>> split_command(std::string_view text);

struct ProcessLimits {
  std::int64_t timeout_ms = 60'000;
  std::size_t output_bytes_max = 256 * limits::kKiB;
};

struct ProcessOutput {
  int exit_code = 0;  // 128 + its number when a signal ended it
  std::string out;
  std::string error_text;  // what it wrote to stderr, the first 4 KiB
};

// Runs `words[0]` (looked up in PATH) without a shell, in a process group of its own, with the variables of
// `environment` and nothing on its stdin. bad_input when it cannot be started; timeout, too_large and cancelled after
// its whole group was killed.
async::Task<Result<ProcessOutput>> run_process(std::vector<std::string> words,
                                               std::shared_ptr<const Environment> environment, ProcessLimits bounds);

}  // namespace palette::aws
