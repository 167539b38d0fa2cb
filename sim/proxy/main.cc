// plot-palette-fault-proxy: stands before a stand-in of DynamoDB or S3 and fails on purpose, as those never do.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>
#include <vector>

#include "async/event_loop.h"
#include "async/signals.h"
#include "async/stop_flag.h"
#include "async/timer.h"
#include "proxy.h"

namespace palette::proxy {
namespace {

constexpr int kFailed = 1, kBadUsage = 2;
constexpr std::uint64_t kFilesWanted = 32'768;

// The command line as it was typed.
struct Options {
  http::ServerSettings server;
  Settings settings;
  std::string upstream;
  std::vector<std::string> faults;
};

int complain(const Error& error, int exit_code) {
  std::fprintf(stderr, "plot-palette-fault-proxy: %s\n", error.text().c_str());
  return exit_code;
}

void add_options(CLI::App& app, Options& options) {
  Behaviour& behaviour = options.settings.behaviour;
  const auto wait = CLI::Range(std::int64_t{0}, kWaitMax_ms);
  app.add_option("--upstream", options.upstream, "Where requests go, such as http://127.0.0.1:8000")->required();
  app.add_option("--port", options.server.port, "Port of 127.0.0.1 (0: any that is free)");
  app.add_option("--seed", options.settings.seed, "Decides on faults and latencies");
  app.add_option("--fault", options.faults,
                 "KIND=RATE, repeatable: 500, 500_after, 503, throttle, conflict, in_progress, cut_before, cut_after, "
                 "half, slow, hang")
      ->allow_extra_args(false);
  app.add_option("--latency-ms", behaviour.latency_ms, "How much longer each answer takes")->check(wait);
  app.add_option("--jitter-ms", behaviour.jitter_ms, "Up to so much longer still, uniformly")->check(wait);
  app.add_option("--slow-ms", behaviour.slow_ms, "How much longer those with the fault `slow` take (1000)")
      ->check(wait);
}

// What CLI11 cannot check by itself.
Status complete(Options& options) {
  options.server.body_bytes_max = kBodyBytesMax;
  Result<http::Url> upstream = http::Url::parse(options.upstream);
  if (!upstream) return std::unexpected(upstream.error().at("--upstream"));
  if (upstream->target != "/")
    return fail(ErrorKind::bad_input, "it must be an origin without a path, such as http://127.0.0.1:8000",
                "--upstream");
  options.settings.upstream = std::move(*upstream);
  for (const std::string& text : options.faults) {
    if (Status read = parse_fault_rate(text, options.settings.behaviour.rates); !read) return read;
  }
  return {};
}

// Serves until the flag is raised; then ends what is in flight, so that nothing of it outlives the client.
async::Task<int> serve_until(std::shared_ptr<async::StopFlag> stop, std::unique_ptr<http::Server> server,
                             const Proxy* proxy) {
  constexpr std::int64_t kHour_ms = 3'600'000, kLook_ms = 5, kPatience_ms = 2'000;
  while (!stop->requested()) {
    // Cancelled is what a signal looks like; the flag says so next.
    if (const Status slept = co_await stop->sleep_for(kHour_ms); !slept) break;
  }
  server.reset();
  for (std::int64_t waited_ms = 0; proxy->in_flight() > 0 && waited_ms < kPatience_ms; waited_ms += kLook_ms) {
    if (const Status slept = co_await async::sleep_for(kLook_ms); !slept) break;
  }
  co_return 0;
}

int serve(Options options) {
  if (const auto files = http::raise_file_limit(kFilesWanted); !files) return complain(files.error(), kFailed);
  async::EventLoop loop;
  http::Client client(loop.context().get_executor(), {});
  Proxy proxy(std::move(options.settings), client);
  const auto stop = std::make_shared<async::StopFlag>();
  const async::StopSignals signals(loop.context(), [stop](int, int) { stop->request(); });
  auto server = http::Server::listen(loop.context().get_executor(), std::move(options.server),
                                     [&](http::ServerRequest request) { return proxy.handle(std::move(request)); });
  if (!server) return complain(server.error(), kBadUsage);
  std::printf("listening on http://127.0.0.1:%u\n", unsigned{(*server)->port()});
  std::fflush(stdout);
  return loop.run(serve_until(stop, std::move(*server), &proxy));
}

int run(int argc, char** argv) {
  CLI::App app("Stands before a stand-in of DynamoDB, S3 or ECS, hands requests on, counts them, and fails on purpose.",
               "plot-palette-fault-proxy");
  app.set_version_flag("--version", "plot-palette-fault-proxy " PALETTE_VERSION, "Print the version and exit");
  app.footer(
      "Example: plot-palette-fault-proxy --upstream http://127.0.0.1:8000 --port 8001 --fault cut_after=0.05\n"
      "Then: AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8001");
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(Error{ErrorKind::bad_input, std::string(error.what()) + "; see plot-palette-fault-proxy --help"},
                    kBadUsage);
  }
  if (const Status read = complete(options); !read) return complain(read.error(), kBadUsage);
  return serve(std::move(options));
}

}  // namespace
}  // namespace palette::proxy

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that leaves is an error of the write
  return palette::proxy::run(argc, argv);
}
