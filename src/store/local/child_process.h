// Another process, for tests: a fork that runs a function and ends, or is killed.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace palette::store {

class ChildProcess {
 public:
  // Runs `work` (gives the exit status) in a fork. It has none of the parent's threads: `work` makes its own pool and
  // stores.
  template <class Work>
  explicit ChildProcess(Work work) {
    if (::pipe(ready_) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ready_[0]);
      ::_exit(work(*this));
    }
    ::close(ready_[1]);
  }
  ~ChildProcess() {
    if (pid_ > 0) kill_and_wait();
    ::close(ready_[0]);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // In the child: tells the parent that it is so far.
  void tell_ready() { [[maybe_unused]] const auto written = ::write(ready_[1], "r", 1); }
  // In the child: waits for its end by kill -9.
  [[noreturn]] void wait_for_kill() {
    for (;;) ::pause();
  }
  // In the parent: false when the child ended before it was ready.
  bool wait_ready() {
    char byte = 0;
    return ::read(ready_[0], &byte, 1) == 1;
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  int kill_and_wait() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  int ready_[2] = {-1, -1};
  pid_t pid_ = -1;
};

}  // namespace palette::store
