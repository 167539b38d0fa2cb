// plot-palette-sim: a stand-in for Bedrock, OpenAI-compatible servers and the metadata endpoints of ECS and EC2.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>

#include "async/event_loop.h"
#include "async/signals.h"
#include "async/stop_flag.h"
#include "http/client.h"
#include "simulator.h"

namespace palette::sim {
namespace {

constexpr int kFailed = 1, kBadUsage = 2;
constexpr std::uint64_t kFilesWanted = 32'768;

// The command line as it was typed.
struct Options {
  http::ServerSettings server;
  Settings settings;
  std::vector<std::string> faults, credentials;
  std::string latency_tail, prices_file;
};

int complain(const Error& error, int exit_code) {
  std::fprintf(stderr, "plot-palette-sim: %s\n", error.text().c_str());
  return exit_code;
}

void add_behaviour_options(CLI::App& app, Options& options) {
  Behaviour& behaviour = options.settings.behaviour;
  const auto count = CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000'000});
  app.add_option("--latency-ms", behaviour.latency_ms, "How long each answer takes")->check(count);
  app.add_option("--jitter-ms", behaviour.jitter_ms, "Up to so much longer, uniformly")->check(count);
  app.add_option("--latency-tail", options.latency_tail, "SHARE:MS: this share of calls takes MS longer");
  app.add_option("--slow-start-ms", behaviour.slow_start_ms, "The first calls take so much longer")->check(count);
  app.add_option("--slow-start-calls", behaviour.slow_start_calls, "How many those are (100)")->check(count);
  app.add_option("--answer-words", behaviour.answer_words, "Words of each answer (0: between 20 and 60)")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--cache-min-tokens", behaviour.cache_tokens_min, "The shortest prefix that is cached (1024)")
      ->check(count);
  app.add_option("--rpm", behaviour.limits.rpm, "Requests per minute of each model (0: no limit)")->check(count);
  app.add_option("--tpm", behaviour.limits.tpm,
                 "Tokens per minute of each model, reserved as Bedrock does (0: no limit)")
      ->check(count);
  app.add_option("--fault", options.faults,
                 "KIND=RATE, repeatable: throttle, 500, 503, 408, 424, hang, cut, half, "
                 "malformed, empty, error_in_200, not_ready, quota_day, zero_quota")
      ->allow_extra_args(false);
}

void add_options(CLI::App& app, Options& options) {
  Settings& settings = options.settings;
  app.add_option("--port", options.server.port, "Port of 127.0.0.1 (0: any that is free)");
  add_behaviour_options(app, options);
  app.add_option("--seed", settings.seed, "Decides on faults and latencies, not on answers");
  app.add_flag("--verify-signatures", settings.verify_signatures, "Refuse Bedrock calls that are not signed well");
  app.add_option("--credentials", options.credentials, "KEY:SECRET[:SESSION_TOKEN] that signatures may use; repeatable")
      ->allow_extra_args(false);
  app.add_option("--credentials-ttl-s", settings.metadata.credentials_ttl_s,
                 "How long credentials of the container and instance endpoints are good (21600)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  app.add_option("--api-key", settings.api_key, "The bearer token that is accepted, and that OpenAI's paths want");
  app.add_option("--region", settings.metadata.region, "What the metadata endpoints say (us-east-1)");
  app.add_option("--prices", options.prices_file, "A catalogue file whose prices go before the built-in ones");
  app.add_flag("--strict", settings.strict,
               "Refuse what the catalogue says that a model refuses: base ids without "
               "on-demand throughput, parameters, too many max_tokens");
  app.add_option("--tls-cert", options.server.tls_certificate_file, "Serve HTTPS with this certificate (PEM)");
  app.add_option("--tls-key", options.server.tls_key_file, "Its key (PEM)");
}

// What CLI11 cannot check by itself.
Status complete(Options& options) {
  for (const std::string& text : options.faults) {
    if (Status read = parse_fault_rate(text, options.settings.behaviour.rates); !read) return read;
  }
  for (const std::string& text : options.credentials) {
    Result<aws::SigningCredentials> credentials = parse_credentials(text);
    if (!credentials) return std::unexpected(credentials.error());
    options.settings.credentials.push_back(std::move(*credentials));
  }
  if (options.latency_tail.empty()) return {};
  return parse_latency_tail(options.latency_tail, options.settings.behaviour);
}

Result<job::Catalogue> load_catalogue(const std::string& file) {
  Result<job::Catalogue> catalogue = job::Catalogue::built_in();
  if (!catalogue || file.empty()) return catalogue;
  const Result<job::Document> document = job::load_document(file);
  if (!document) return std::unexpected(document.error());
  job::Diagnostics diagnostics;
  catalogue->add(*document, diagnostics);
  if (diagnostics.ok()) return catalogue;
  std::string all;
  for (const job::Diagnostic& diagnostic : diagnostics.sorted()) all += (all.empty() ? "" : "\n") + diagnostic.text();
  return fail(ErrorKind::bad_input, std::move(all));
}

async::Task<int> wait_for_stop(std::shared_ptr<async::StopFlag> stop) {
  constexpr std::int64_t kHour_ms = 3'600'000;
  while (!stop->requested()) {
    // Cancelled is what a signal looks like; the flag says so next.
    if (const Status slept = co_await stop->sleep_for(kHour_ms); !slept) break;
  }
  co_return 0;
}

int serve(Options options, job::Catalogue catalogue) {
  const bool is_tls = !options.server.tls_certificate_file.empty();
  if (const auto files = http::raise_file_limit(kFilesWanted); !files) return complain(files.error(), kFailed);
  Simulator simulator(std::move(options.settings), std::move(catalogue), system_clock());
  async::EventLoop loop;
  const auto stop = std::make_shared<async::StopFlag>();
  const async::StopSignals signals(loop.context(), [stop](int, int) { stop->request(); });
  auto server = http::Server::listen(loop.context().get_executor(), std::move(options.server),
                                     [&](http::ServerRequest request) { return simulator.handle(std::move(request)); });
  if (!server) return complain(server.error(), kBadUsage);
  std::printf("listening on %s://127.0.0.1:%u\n", is_tls ? "https" : "http", unsigned{(*server)->port()});
  std::fflush(stdout);
  return loop.run(wait_for_stop(stop));
}

int run(int argc, char** argv) {
  CLI::App app("A stand-in for AWS Bedrock, OpenAI-compatible servers, and the metadata endpoints of ECS and EC2.",
               "plot-palette-sim");
  app.set_version_flag("--version", "plot-palette-sim " PALETTE_VERSION, "Print the version and exit");
  app.footer(
      "Example: plot-palette-sim --port 8080 --latency-ms 50 --fault throttle=0.1\n"
      "Then: AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:8080 or OPENAI_BASE_URL=http://127.0.0.1:8080/v1");
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(Error{ErrorKind::bad_input, std::string(error.what()) + "; see plot-palette-sim --help"},
                    kBadUsage);
  }
  if (const Status read = complete(options); !read) return complain(read.error(), kBadUsage);
  Result<job::Catalogue> catalogue = load_catalogue(options.prices_file);
  if (!catalogue) return complain(catalogue.error(), kBadUsage);
  return serve(std::move(options), std::move(*catalogue));
}

}  // namespace
}  // namespace palette::sim

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that leaves is an error of the write
  return palette::sim::run(argc, argv);
}
