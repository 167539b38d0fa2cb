#include "aws/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>

#include "async/task_group.h"

namespace palette::aws {
namespace {

using Descriptor = boost::asio::posix::stream_descriptor;

constexpr std::size_t kErrorTextBytesMax = 4 * limits::kKiB;

// A child that was started. Whatever happens to the task that waits, it does not outlive this.
struct Child {
  explicit Child(boost::asio::any_io_executor executor)
      : out(executor), error_text(executor), ended(executor), deadline(executor) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  // The whole group: what it started would hold the pipes open.
  void kill_group() const {
    if (pid > 0) ::kill(-pid, SIGKILL);
  }

  // Kills what is left and takes its status.
  int end() {
    if (pid <= 0) return 0;
    kill_group();
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t pid = 0;
  Descriptor out, error_text;
  Descriptor ended;  // its pidfd, readable when it has ended
  boost::asio::steady_timer deadline;
  bool timed_out = false;
};

struct SpawnSettings {
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// Both ends of a pipe; the one for the child is closed here.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  ~Pipe() {
    for (const int fd : ends) {
      if (fd >= 0) ::close(fd);
    }
  }
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  int take_read_end() { return std::exchange(ends[0], -1); }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// An own group, default signals, nothing blocked; stdin from nowhere, and no descriptor of ours but the two pipes.
void fill(SpawnSettings& settings, const Pipe& out, const Pipe& error_text) {
  ::posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.actions, out.ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.actions, error_text.ends[1], STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  sigset_t signals;
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &signals);
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&settings.attributes, &signals);
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

Status start(Child& child, std::vector<std::string> words, const Environment& environment) {
  Pipe out, error_text;
  if (!out.open() || !error_text.open()) return std::unexpected(system_error("pipe", words[0], errno));
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment.variables) variables.push_back(name + "=" + value);
  SpawnSettings settings;
  fill(settings, out, error_text);
  const int failed = ::posix_spawnp(&child.pid, words[0].c_str(), &settings.actions, &settings.attributes,
                                    pointers(words).data(), pointers(variables).data());
  if (failed != 0) {
    child.pid = 0;
    Error error = system_error("start", words[0], failed);
    error.kind = ErrorKind::bad_input;
    return std::unexpected(std::move(error));
  }
  // glibc 2.36 declares pidfd_open in a header that C++ cannot use (it lacks extern "C").
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
  if (pidfd < 0) return std::unexpected(system_error("pidfd_open", words[0], errno));
  child.ended.assign(pidfd);
  child.out.assign(out.take_read_end());
  child.error_text.assign(error_text.take_read_end());
  return {};
}

// Reads to the end; what is beyond `bytes_max` is dropped. The bytes that came in all.
async::Task<std::size_t> read_all(std::shared_ptr<Child> child, Descriptor Child::* pipe, std::string* text,
                                  std::size_t bytes_max) {
  std::array<char, 8 * limits::kKiB> buffer;
  std::size_t total = 0;
  for (;;) {
    const auto [error, count] =
        co_await ((*child).*pipe)
            .async_read_some(boost::asio::buffer(buffer), boost::asio::as_tuple(boost::asio::use_awaitable));
    total += count;
    text->append(buffer.data(), std::min(count, bytes_max - text->size()));
    if (error) co_return total;  // the end, or the wait was given up: the caller knows which
    if (total > bytes_max && pipe == &Child::out) co_return total;
  }
}

async::Task<void> read_error_text(std::shared_ptr<Child> child, std::string* text) {
  co_await read_all(child, &Child::error_text, text, kErrorTextBytesMax);
}

// What the child wrote to stderr before it ended, and nobody has read yet.
void read_rest(Child& child, std::string& text) {
  boost::system::error_code error;
  child.error_text.non_blocking(true, error);
  std::array<char, kErrorTextBytesMax> buffer;
  while (!error && text.size() < kErrorTextBytesMax) {
    const std::size_t count = child.error_text.read_some(boost::asio::buffer(buffer), error);
    text.append(buffer.data(), std::min(count, kErrorTextBytesMax - text.size()));
  }
}

void arm(std::shared_ptr<Child> child, std::int64_t timeout_ms) {
  child->deadline.expires_after(std::chrono::milliseconds(timeout_ms));
  child->deadline.async_wait([weak = std::weak_ptr(child)](boost::system::error_code error) {
    const auto alive = weak.lock();
    if (error || !alive) return;
    alive->timed_out = true;
    alive->kill_group();
    alive->out.cancel();  // what has left the group may hold the pipe open
  });
}

}  // namespace

async::Task<Result<ProcessOutput>> run_process(std::vector<std::string> words,
                                               std::shared_ptr<const Environment> environment, ProcessLimits bounds) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto child = std::make_shared<Child>(executor);
  const std::string name = words[0];
  if (const Status started = start(*child, std::move(words), *environment); !started) {
    co_return std::unexpected(started.error());
  }
  arm(child, bounds.timeout_ms);
  ProcessOutput output;
  async::TaskGroup readers(executor);
  readers.spawn(read_error_text(child, &output.error_text));
  const std::size_t bytes = co_await read_all(child, &Child::out, &output.out, bounds.output_bytes_max);
  const bool too_large = bytes > bounds.output_bytes_max;
  if (too_large) child->kill_group();
  const auto cancelled = (co_await boost::asio::this_coro::cancellation_state).cancelled();
  if (cancelled == boost::asio::cancellation_type::none) {
    // It closed its stdout; its end follows, or the deadline's kill.
    co_await child->ended.async_wait(Descriptor::wait_read, boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  const bool given_up =
      (co_await boost::asio::this_coro::cancellation_state).cancelled() != boost::asio::cancellation_type::none;
  output.exit_code = child->end();
  child->deadline.cancel();
  readers.cancel();  // what has left the group may hold the pipe open
  co_await readers.join();
  read_rest(*child, output.error_text);
  if (given_up) co_return fail(ErrorKind::cancelled, "the task was cancelled", name);
  if (child->timed_out) {
    co_return fail(ErrorKind::timeout,
                   "the program did not end within " + std::to_string(bounds.timeout_ms) +
                       " ms and was killed; it must answer without asking anybody",
                   name);
  }
  if (too_large) {
    co_return fail(ErrorKind::too_large,
                   "the program printed more than " + std::to_string(bounds.output_bytes_max) + " bytes and was killed",
                   name);
  }
  co_return output;
}

}  // namespace palette::aws
