#include "http/tls.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "http/client.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using testing::Certificates;
using testing::RelayProxy;
using testing::request_to;
using testing::serve;
using testing::text_reply;

ServerSettings with(const Certificates::Files& files) {
  return {.tls_certificate_file = files.certificate, .tls_key_file = files.key};
}

Request tls_request(std::uint16_t port, std::string host = "localhost") {
  Request request = request_to(port, "/", "POST");
  request.url.tls = true;
  request.url.host = std::move(host);
  return request;
}

ServerReply echo(const ServerRequest& request) { return text_reply(request.body); }

TEST(Tls, TakesAServerOfAPrivateAuthorityByNameAndByAddress) {
  Certificates certificates;
  for (const auto& [subject, host] : {std::pair{"localhost", "localhost"}, {"IP:127.0.0.1", "127.0.0.1"}}) {
    EventLoop loop;
    const auto server = serve(loop, echo, with(certificates.make(subject)));
    Client client(loop.context().get_executor(), {.ca_file = certificates.ca_file()});
    Request request = tls_request(server->port(), host);
    request.body = "a secret";
    const Outcome<Response> answer = loop.run(client.send(request));
    ASSERT_TRUE(answer) << answer.error().error.text();
    EXPECT_EQ(answer->body, "a secret");
  }
}

TEST(Tls, CarriesBodiesOfMegabytesBothWays) {
  Certificates certificates;
  EventLoop loop;
  const auto server = serve(loop, echo, with(certificates.make("localhost")));
  Client client(loop.context().get_executor(), {.ca_file = certificates.ca_file()});
  Request request = tls_request(server->port());
  for (std::size_t i = 0; i < 5 * limits::kMiB; ++i) request.body += static_cast<char>('a' + i % 26);
  for (int i = 0; i < 2; ++i) {
    const Outcome<Response> answer = loop.run(client.send(request));
    ASSERT_TRUE(answer) << answer.error().error.text();
    EXPECT_TRUE(answer->body == request.body);
  }
  EXPECT_EQ(client.stats().connections_opened, 1);
}

TEST(Tls, RefusesACertificateThatDoesNotHold) {
  Certificates certificates, others;
  struct {
    const char* name;
    Certificates::Files files;
    const char* says;
  } const table[] = {
      {"another host", certificates.make("other.example"), "ostname mismatch"},
      {"expired", certificates.make("localhost", true), "expired"},
      {"another authority of that name", others.make("localhost"), "signature failure"},
  };
  for (const auto& one : table) {
    EventLoop loop;
    const auto server = serve(loop, echo, with(one.files));
    Client client(loop.context().get_executor(), {.ca_file = certificates.ca_file()});
    const Outcome<Response> answer = loop.run(client.send(tls_request(server->port())));
    ASSERT_FALSE(answer) << one.name;
    EXPECT_EQ(answer.error().error.kind, ErrorKind::denied) << answer.error().error.text();
    EXPECT_NE(answer.error().error.message.find(one.says), std::string::npos) << answer.error().error.text();
    EXPECT_FALSE(answer.error().sent);
    EXPECT_EQ(client.stats().open, 0U);
  }
}

TEST(Tls, FailsPlainlyAgainstAServerWithoutIt) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {});
  const Outcome<Response> answer = loop.run(client.send(tls_request(server->port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::unavailable);
  EXPECT_FALSE(answer.error().sent);
}

TEST(Tls, SaysWhenTheAuthoritiesCannotBeRead) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {.ca_file = "no-such-file.pem"});
  const Outcome<Response> answer = loop.run(client.send(tls_request(server->port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::bad_input);
  EXPECT_NE(answer.error().error.message.find("SSL_CERT_FILE"), std::string::npos);
}

TEST(Tls, ServerSaysWhenItsCertificateCannotBeRead) {
  EventLoop loop;
  const auto server = Server::listen(loop.context().get_executor(),
                                     {.tls_certificate_file = "no-such.pem", .tls_key_file = "no-such.key"}, {});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(server.error().where, "no-such.pem");
}

Task<void> send_one(Client* client, Request request, int* answered) {
  const Outcome<Response> answer = co_await client->send(std::move(request));
  EXPECT_TRUE(answer) << answer.error().error.text();
  *answered += answer.has_value();
}

Task<int> send_side_by_side(Client* client, Request request, int count) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  int answered = 0;
  for (int i = 0; i < count; ++i) group.spawn(send_one(client, request, &answered));
  co_await group.join();
  co_return answered;
}

TEST(Tls, ManyConnectionsAtOnceWaitForTheirTurnToShakeHands) {
  Certificates certificates;
  EventLoop loop;
  const auto server = serve(loop, echo, with(certificates.make("localhost")));
  Client client(loop.context().get_executor(), {.ca_file = certificates.ca_file()});
  EXPECT_EQ(loop.run(send_side_by_side(&client, tls_request(server->port()), 300)), 300);
}

TEST(Tls, GoesThroughAProxysTunnel) {
  Certificates certificates;
  EventLoop loop;
  const auto server = serve(loop, echo, with(certificates.make("service.example")));
  RelayProxy proxy(loop.context(), server->port());
  Client client(loop.context().get_executor(),
                {.ca_file = certificates.ca_file(),
                 .https_proxy = "http://user:pass%20word@127.0.0.1:" + std::to_string(proxy.port())});
  Request request = tls_request(443, "service.example");
  request.body = "through the tunnel";
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(answer->body, "through the tunnel");
  EXPECT_TRUE(proxy.request().starts_with("CONNECT service.example:443 HTTP/1.1\r\nHost: service.example:443\r\n"));
  EXPECT_NE(proxy.request().find("Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"), std::string::npos);
}

}  // namespace
}  // namespace palette::http
