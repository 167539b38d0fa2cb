#include "support/stand_in.h"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "support/stand_in_process.h"

namespace palette::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::milliseconds kLook{20};
constexpr std::string_view kAddress = "http://127.0.0.1:";

struct Running {
  std::unique_ptr<StandInProcess> process;
  std::uint16_t port = 0;
};

// 0: the process has not said yet where it listens.
using FindPort = std::function<std::uint16_t(const StandInProcess&)>;

Error did_not_start(std::string_view name, std::string_view why, StandInProcess& process) {
  constexpr std::size_t kTailBytes = 2'000;
  process.keep_output();
  std::string output = process.output();
  if (output.size() > kTailBytes) output.erase(0, output.size() - kTailBytes);
  return {ErrorKind::unavailable, std::string(name) + " " + std::string(why) +
                                      "; the end of what it printed (all of it is in " + process.output_file() +
                                      "):\n" + output};
}

// Waits until it answers to `path`.
Result<Running> started(std::string_view name, std::string_view path, std::vector<std::string> words,
                        const FindPort& find_port) {
  auto process = StandInProcess::start(std::move(words));
  if (!process) return std::unexpected(process.error());
  Running running{.process = std::move(*process)};
  for (const auto deadline = Clock::now() + kStart; Clock::now() < deadline; std::this_thread::sleep_for(kLook)) {
    // Looked at first: whoever answers on the port of a process that has ended is another one.
    const bool has_ended = running.process->has_ended();
    if (has_ended) return std::unexpected(did_not_start(name, "has ended at once", *running.process));
    if (running.port == 0) running.port = find_port(*running.process);
    if (running.port == 0) continue;
    const auto answer = raw_exchange(running.port, "GET", path, "");
    if (answer && answer->starts_with("HTTP/1.") && !running.process->has_ended()) return running;
  }
  return std::unexpected(did_not_start(name, "has not answered within 60 s", *running.process));
}

// The port that it has printed as part of its address, when the line is whole.
std::uint16_t printed_port(const StandInProcess& process) {
  const std::string output = process.output();
  constexpr std::string_view kOn = "on ";  // "listening on http://…", "Running on http://…"
  const std::size_t at = output.find(std::string(kOn) + std::string(kAddress));
  if (at == std::string::npos) return 0;
  std::uint16_t port = 0;
  const char* const end = output.data() + output.size();
  const auto [rest, error] = std::from_chars(output.data() + at + kOn.size() + kAddress.size(), end, port);
  return error == std::errc() && rest != end ? port : 0;
}

Result<std::shared_ptr<StandIn>> made(Result<Running> running) {
  if (!running) return std::unexpected(running.error());
  return std::make_shared<StandIn>(std::move(running->process), std::string(kAddress) + std::to_string(running->port));
}

std::unexpected<Error> not_installed(std::string_view name, const std::string& missing) {
  return fail(ErrorKind::not_found,
              std::string(name) + " is not installed (there is no " + missing + "); run tools/setup.sh --tests");
}

// It takes no port 0: one that was free is chosen, and another when somebody else was faster. It listens on every
// interface, and has no option for less.
Result<std::shared_ptr<StandIn>> start_dynamodb_local() {
  constexpr std::string_view kName = "DynamoDB Local";
  constexpr int kTriesMax = 3;
  const std::string folder = PALETTE_SOURCE_DIR "/.cache/dynamodb-local";
  if (!std::filesystem::exists(folder)) return not_installed(kName, folder);
  for (int tries = 1;; ++tries) {
    const Result<std::uint16_t> port = free_port();
    if (!port) return std::unexpected(port.error());
    Result<Running> running = started(kName, "/",
                                      {"java", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.library.path=" + folder, "-cp",
                                       folder + "/*", "software.amazon.dynamodb.services.local.main.ServerRunner",
                                       "-inMemory", "-sharedDb", "-disableTelemetry", "-port", std::to_string(*port)},
                                      [&](const StandInProcess&) { return *port; });
    if (!running && running.error().kind == ErrorKind::not_found) return not_installed(kName, "java in PATH");
    if (running || tries == kTriesMax) return made(std::move(running));
  }
}

Result<std::shared_ptr<StandIn>> start_moto() {
  const std::string python = PALETTE_SOURCE_DIR "/.venv/bin/python";
  for (const std::string& needed : {python, std::string(PALETTE_SOURCE_DIR "/.venv/bin/moto_server")}) {
    if (!std::filesystem::exists(needed)) return not_installed("moto", needed);
  }
  return made(started("moto", "/moto-api/", {python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"}, printed_port));
}

}  // namespace

StandIn::StandIn(std::unique_ptr<StandInProcess> process, std::string url)
    : process_(std::move(process)), url_(std::move(url)) {}

StandIn::~StandIn() = default;

Result<std::shared_ptr<StandIn>> StandIn::dynamodb_local() {
  static const Result<std::shared_ptr<StandIn>> shared = start_dynamodb_local();
  return shared;
}

Result<std::shared_ptr<StandIn>> StandIn::moto() {
  static const Result<std::shared_ptr<StandIn>> shared = start_moto();
  return shared;
}

Result<std::shared_ptr<StandIn>> StandIn::fault_proxy(const StandIn& upstream, std::vector<std::string> flags) {
  std::vector<std::string> words{PALETTE_FAULT_PROXY, "--port", "0", "--upstream", upstream.url()};
  for (std::string& flag : flags) words.push_back(std::move(flag));
  return made(started("plot-palette-fault-proxy", "/_proxy/stats", std::move(words), printed_port));
}

Result<std::string> StandIn::ask(std::string_view method, std::string_view path, std::string_view body) const {
  std::uint16_t port = 0;
  std::from_chars(url_.data() + kAddress.size(), url_.data() + url_.size(), port);
  const Result<std::string> answer = raw_exchange(port, method, path, body);
  if (!answer) return answer;
  const std::size_t header_end = answer->find("\r\n\r\n");
  if (!answer->starts_with("HTTP/1.1 200 ") || header_end == std::string::npos)
    return fail(ErrorKind::unavailable, std::string(method) + " " + std::string(path) + " was answered: " + *answer);
  return answer->substr(header_end + 4);
}

}  // namespace palette::testing
