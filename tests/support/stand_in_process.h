// A child process that is a server: started without a shell, ended with its owner.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace palette::testing {

class StandInProcess {
 public:
  // Runs words[0] (a path, or looked up in PATH), in a process group of its own, with stdout and stderr in a file. It
  // is killed when the thread that has started it ends. not_found when there is no such program.
  static Result<std::unique_ptr<StandInProcess>> start(std::vector<std::string> words);

  // SIGTERM, and SIGKILL for its group when that does not end it within 5 s. Nothing in a child of the process that has
  // started it. The file is removed.
  ~StandInProcess();
  StandInProcess(const StandInProcess&) = delete;
  StandInProcess& operator=(const StandInProcess&) = delete;

  // What it has printed so far.
  std::string output() const;
  const std::string& output_file() const { return output_file_; }
  bool has_ended();
  // The file is left where it is, for a person to look at.
  void keep_output() { keeps_output_ = true; }

 private:
  StandInProcess(pid_t pid, std::string output_file);

  pid_t pid_, owner_;
  std::string output_file_;
  bool ended_ = false, keeps_output_ = false;
};

// A port of 127.0.0.1 that was free a moment ago.
Result<std::uint16_t> free_port();

// One blocking HTTP/1.1 exchange with 127.0.0.1 on a connection of its own: status line, header and body of the answer
// as they came. unavailable when nobody listens or nothing comes within 10 s.
Result<std::string> raw_exchange(std::uint16_t port, std::string_view method, std::string_view path,
                                 std::string_view body);

}  // namespace palette::testing
