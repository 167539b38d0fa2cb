// A small server that answers as S3 would, told by each test, and an S3 before it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/s3.h"
#include "aws/test_parts.h"

namespace palette::aws {

class S3TestCredentials final : public CredentialProvider {
 public:
  async::Task<Result<Credentials>> get() override { return given(); }
  void expire(const Credentials&) override {}

 private:
  static async::Task<Result<Credentials>> given() {
    Credentials out;
    out.keys = {"AK", "secret-key"};
    out.source = "test";
    co_return out;
  }
};

inline http::ServerReply s3_reply(int status, std::string body = "", http::Headers headers = {}) {
  return {{.status = status, .headers = std::move(headers), .body = std::move(body)}};
}

inline http::ServerReply s3_refusal(int status, const std::string& code, const std::string& more = "") {
  return s3_reply(status, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
                              "</Code><Message>said so</Message>" + more + "</Error>");
}

inline http::ServerReply cut_reply() {
  http::ServerReply reply;
  reply.ending = http::Ending::cut;
  return reply;
}

// What the server does; of a function that is shared, so that a coroutine may outlive nothing it needs.
struct S3Script {
  std::function<http::ServerReply(const http::ServerRequest&)> answer;
  std::vector<http::ServerRequest> requests;
};

inline async::Task<http::ServerReply> answer_by_function(std::shared_ptr<S3Script> script,
                                                         http::ServerRequest request) {
  script->requests.push_back(request);
  co_return script->answer(request);
}

struct S3Bench {
  explicit S3Bench(RetryRules rules = {.base_ms = 0}) : client(loop.context().get_executor(), {}) {
    Result<std::unique_ptr<http::Server>> listening = http::Server::listen(
        loop.context().get_executor(), {},
        [script = script](http::ServerRequest request) { return answer_by_function(script, std::move(request)); });
    if (!listening) throw std::runtime_error(listening.error().text());
    server = std::move(*listening);
    // The server's Date is the true one: what is refused with 403 and no reason must not look like a wrong clock.
    clock.advance(system_clock().now().unix_ms - clock.now().unix_ms);
    script->answer = [this](const http::ServerRequest&) {
      http::ServerReply reply = replies.empty() ? s3_reply(599, "no answer is left") : replies.front();
      if (!replies.empty()) replies.pop_front();
      return reply;
    };
    S3Bucket bucket;
    bucket.name = "box";
    bucket.region = "us-east-1";
    bucket.endpoint = *http::Url::parse("http://127.0.0.1:" + std::to_string(server->port()));
    bucket.is_told = bucket.by_path = true;
    ServiceParts parts;
    parts.http = std::shared_ptr<http::Client>(std::shared_ptr<void>(), &client);
    parts.credentials = std::make_shared<S3TestCredentials>();
    parts.clock = &clock;
    s3 = std::make_unique<S3>(std::move(bucket), std::move(parts), std::move(rules));
  }

  void then(http::ServerReply reply) { replies.push_back(std::move(reply)); }

  template <class T>
  T run(async::Task<T> task) {
    return loop.run(std::move(task));
  }

  const std::vector<http::ServerRequest>& requests() const { return script->requests; }
  std::string header(std::size_t request, std::string_view name) const {
    return std::string(script->requests.at(request).headers.get(name));
  }

  async::EventLoop loop;
  FakeClock clock;
  http::Client client;
  std::shared_ptr<S3Script> script = std::make_shared<S3Script>();
  std::deque<http::ServerReply> replies;  // one after the other, unless script->answer is replaced
  std::unique_ptr<http::Server> server;
  std::unique_ptr<S3> s3;
};

// An S3 on that loop, before a stand-in at `url`. It owns its client.
inline std::shared_ptr<S3> s3_at(async::EventLoop& loop, const std::string& url, const std::string& bucket_name,
                                 RetryRules rules = {.base_ms = 5, .pause_ms_max = 50}) {
  S3Bucket bucket;
  bucket.name = bucket_name;
  bucket.region = "us-east-1";
  bucket.endpoint = *http::Url::parse(url);
  bucket.is_told = bucket.by_path = true;
  ServiceParts parts;
  parts.http = std::make_shared<http::Client>(loop.context().get_executor(), http::ClientSettings{});
  parts.credentials = std::make_shared<S3TestCredentials>();
  parts.clock = &system_clock();
  return std::make_shared<S3>(std::move(bucket), std::move(parts), std::move(rules));
}

// Makes the bucket at a stand-in; throws when it cannot.
inline void make_bucket(async::EventLoop& loop, const std::string& url, const std::string& name) {
  ServiceParts parts;
  parts.http = std::make_shared<http::Client>(loop.context().get_executor(), http::ClientSettings{});
  parts.credentials = std::make_shared<S3TestCredentials>();
  parts.clock = &system_clock();
  Service service({.host_prefix = "s3", .signing_name = "s3", .sdk_id = "S3"}, *http::Url::parse(url), "us-east-1",
                  std::move(parts));
  ServiceRequest request;
  request.method = "PUT";
  request.path = "/" + name;
  const ServiceOutcome made = loop.run(service.call(std::move(request)));
  if (!made) throw std::runtime_error(made.error().error.text());
}

// For messages: "" for a value.
template <class T>
std::string error_text(const Result<T>& result) {
  return result ? "" : std::string(to_string(result.error().kind)) + ": " + result.error().text();
}

}  // namespace palette::aws
