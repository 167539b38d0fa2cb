// What the tests of this folder share: a clock that stands still, a home folder, and a real server that answers as
// told.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/event_loop.h"
#include "aws/credential_sources.h"
#include "base/ids.h"
#include "http/client.h"
#include "http/server.h"

namespace palette::aws {

inline constexpr std::int64_t kMinuteMs = 60'000;
inline const UtcTime kNoon = *UtcTime::from_iso("2026-11-24T12:00:00Z");

class FakeClock final : public Clock {
 public:
  UtcTime now() const override { return now_; }
  std::int64_t monotonic_ms() const override { return now_.unix_ms; }
  void advance(std::int64_t duration_ms) { now_.unix_ms += duration_ms; }

 private:
  UtcTime now_ = kNoon;
};

// A folder that is gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("palette-aws-" + random_hex_id())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::string write(const std::string& name, std::string_view text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.native();
  }

 private:
  std::filesystem::path path_;
};

// The answers of a fake endpoint; the last one is given again and again.
struct Script {
  std::deque<http::ServerReply> replies;
  std::vector<http::ServerRequest> requests;
};

inline async::Task<http::ServerReply> answer_by(std::shared_ptr<Script> script, http::ServerRequest request) {
  script->requests.push_back(std::move(request));
  http::ServerReply reply = script->replies.empty()
                                ? http::ServerReply{{.status = 599, .headers = {}, .body = "no answer is left"}}
                                : script->replies.front();
  if (script->replies.size() > 1) script->replies.pop_front();
  co_return reply;
}

// A loop, a client, and a real server beside it.
class World {
 public:
  World() : client(loop.context().get_executor(), {}) {
    Result<std::unique_ptr<http::Server>> listening = http::Server::listen(
        loop.context().get_executor(), {},
        [script = script](http::ServerRequest request) { return answer_by(script, std::move(request)); });
    if (!listening) throw std::runtime_error(listening.error().text());
    server = std::move(*listening);
    environment.home = home.path();
    // No test may reach for the machine's own metadata service.
    environment.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  void answer(int status, std::string body, http::Headers headers = {}) {
    script->replies.push_back({{.status = status, .headers = std::move(headers), .body = std::move(body)}});
  }
  void cut() {
    http::ServerReply reply;
    reply.ending = http::Ending::cut;
    script->replies.push_back(std::move(reply));
  }

  const std::vector<http::ServerRequest>& requests() const { return script->requests; }

  SourceParts parts() {
    SourceParts out;
    out.environment = std::make_shared<const Environment>(environment);
    out.http = &client;
    out.clock = &clock;
    out.pause = [pauses = pauses](std::int64_t duration_ms) {
      pauses->push_back(duration_ms);
      return async::sleep_for(0);
    };
    out.random_bits = [] { return std::uint64_t{0}; };
    return out;
  }

  template <class T>
  T run(async::Task<T> task) {
    return loop.run(std::move(task));
  }

  async::EventLoop loop;
  FakeClock clock;
  http::Client client;
  TemporaryFolder home;
  Environment environment;
  std::shared_ptr<Script> script = std::make_shared<Script>();
  std::shared_ptr<std::vector<std::int64_t>> pauses = std::make_shared<std::vector<std::int64_t>>();
  std::unique_ptr<http::Server> server;
};

}  // namespace palette::aws
