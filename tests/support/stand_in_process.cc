#include "support/stand_in_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace palette::testing {
namespace {

constexpr std::chrono::milliseconds kLook{10};
constexpr std::chrono::seconds kPatience{5};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void set(int fd) { fd_ = fd; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// In the child, between fork and exec: only what is safe in a copy of a process with threads. Does not return.
[[noreturn]] void become(char* const* words, int output, int failure_pipe, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it has died before it could be watched
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(words[0], words);
  const int failed = errno;
  // Nobody reads it when the parent has gone; there is nothing else to do with it then.
  [[maybe_unused]] const ssize_t told = ::write(failure_pipe, &failed, sizeof failed);
  ::_exit(127);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Error no_answer(std::uint16_t port, std::string_view what, int errno_value) {
  Error error = system_error(what, "127.0.0.1:" + std::to_string(port), errno_value);
  error.kind = ErrorKind::unavailable;
  return error;
}

}  // namespace

StandInProcess::StandInProcess(pid_t pid, std::string output_file)
    : pid_(pid), owner_(::getpid()), output_file_(std::move(output_file)) {}

Result<std::unique_ptr<StandInProcess>> StandInProcess::start(std::vector<std::string> words) {
  std::string file = (std::filesystem::temp_directory_path() / "palette-stand-in-XXXXXX").string();
  const Descriptor output(::mkostemp(file.data(), O_CLOEXEC));
  if (output.get() < 0) return std::unexpected(system_error("mkostemp", file, errno));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(system_error("pipe2", words[0], errno));
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(system_error("fork", words[0], errno));
  if (pid == 0) become(pointers.data(), output.get(), write_end.get(), parent);
  auto process = std::unique_ptr<StandInProcess>(new StandInProcess(pid, std::move(file)));
  write_end.close();
  int failed = 0;  // what exec said; the pipe ends without a word when it went well
  if (::read(read_end.get(), &failed, sizeof failed) != sizeof failed) return process;
  Error error = system_error("start", words[0], failed);
  if (failed == ENOENT) error.kind = ErrorKind::not_found;
  return std::unexpected(std::move(error));
}

bool StandInProcess::has_ended() {
  if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
  return ended_;
}

StandInProcess::~StandInProcess() {
  if (::getpid() != owner_) return;  // a copy, in a child of ours that ends like this process
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  if (!has_ended()) ::kill(pid_, SIGTERM);
  while (!has_ended() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kLook);
  if (!ended_) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code gone;  // whoever removed it before us did our work
  if (!keeps_output_) std::filesystem::remove(output_file_, gone);
}

std::string StandInProcess::output() const {
  std::ifstream file(output_file_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<std::uint16_t> free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return std::unexpected(no_answer(0, "socket", errno));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::unexpected(no_answer(0, "bind", errno));
  return ntohs(address.sin_port);
}

Result<std::string> raw_exchange(std::uint16_t port, std::string_view method, std::string_view path,
                                 std::string_view body) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return std::unexpected(no_answer(port, "socket", errno));
  constexpr timeval kWait{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kWait, sizeof kWait);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kWait, sizeof kWait);
  const sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(no_answer(port, "connect", errno));
  std::string request =
      std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
      "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  for (std::string_view rest = request; !rest.empty();) {
    const ssize_t sent = ::send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return std::unexpected(no_answer(port, "send", errno));
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  for (char piece[16 * 1024];;) {
    const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
    if (got < 0) return std::unexpected(no_answer(port, "recv", errno));
    if (got == 0) break;
    answer.append(piece, static_cast<std::size_t>(got));
  }
  if (answer.empty()) return std::unexpected(no_answer(port, "recv", ECONNRESET));
  return answer;
}

}  // namespace palette::testing
