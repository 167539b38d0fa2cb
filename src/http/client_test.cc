#include "http/client.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/timer.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using testing::request_to;
using testing::serve;
using testing::text_reply;

ServerReply echo(const ServerRequest& request) {
  ServerReply reply = text_reply(request.body);
  reply.response.headers.add("X-Method", request.method);
  reply.response.headers.add("X-Target", request.target);
  reply.response.headers.add("X-Host", std::string(request.headers.get("host")));
  return reply;
}

TEST(Client, GivesStatusHeadersAndBody) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {});
  Request request = request_to(server->port(), "/a/b?c=d", "PUT");
  request.body = "some text";
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "some text");
  EXPECT_EQ(answer->headers.get("x-method"), "PUT");
  EXPECT_EQ(answer->headers.get("X-TARGET"), "/a/b?c=d");
  EXPECT_EQ(answer->headers.get("x-host"), "127.0.0.1:" + std::to_string(server->port()));
}

TEST(Client, SendsAndGivesAsItIsGivenForAProxy) {
  EventLoop loop;
  const auto server = serve(loop, [](const ServerRequest& request) {
    ServerReply reply = echo(request);
    reply.response.body = "\x1f\x8b is how gzip begins";
    reply.response.headers.add("Content-Encoding", "gzip");
    reply.response.headers.add("X-Accepts", std::string(request.headers.get("accept-encoding")));
    return reply;
  });
  Client client(loop.context().get_executor(), {});
  Request request = request_to(server->port());
  request.as_given = true;
  request.headers.add("Host", "bucket.s3.example");
  request.headers.add("Accept-Encoding", "identity");
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(answer->body, "\x1f\x8b is how gzip begins");
  EXPECT_EQ(answer->headers.get("content-encoding"), "gzip");
  EXPECT_EQ(answer->headers.get("content-length"), "21");
  EXPECT_EQ(answer->headers.get("x-host"), "bucket.s3.example");
  EXPECT_EQ(answer->headers.get("x-accepts"), "identity");
}

TEST(Client, TakesAnErrorStatusForAnAnswer) {
  EventLoop loop;
  const auto server = serve(loop, [](const ServerRequest&) { return text_reply("slow down", 429); });
  Client client(loop.context().get_executor(), {});
  const Outcome<Response> answer = loop.run(client.send(request_to(server->port())));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 429);
}

Task<Client::Stats> send_many(Client* client, Request request, int times) {
  for (int i = 0; i < times; ++i) {
    const Outcome<Response> answer = co_await client->send(request);
    EXPECT_TRUE(answer) << answer.error().error.text();
  }
  co_return client->stats();
}

TEST(Client, UsesAConnectionAgain) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {});
  const Client::Stats stats = loop.run(send_many(&client, request_to(server->port()), 5));
  EXPECT_EQ(stats.requests, 5);
  EXPECT_EQ(stats.connections_opened, 1);
  EXPECT_EQ(stats.open, 1U);
}

TEST(Client, UsesAConnectionAgainAfterAnswersWithoutABody) {
  for (const auto& [method, status] : {std::pair{"HEAD", 200}, {"GET", 204}, {"GET", 304}}) {
    EventLoop loop;
    const auto server = serve(loop, [s = status](const ServerRequest&) { return text_reply("not for all", s); });
    Client client(loop.context().get_executor(), {});
    const Request request = request_to(server->port(), "/", method);
    const Client::Stats stats = loop.run(send_many(&client, request, 3));
    EXPECT_EQ(stats.connections_opened, 1) << method << status;
    const Outcome<Response> answer = loop.run(client.send(request));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "");
  }
}

TEST(Client, CarriesBodiesOfMegabytesBothWays) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {});
  Request request = request_to(server->port(), "/", "POST");
  for (std::size_t i = 0; i < 9 * limits::kMiB; ++i) request.body += static_cast<char>('a' + i % 26);
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_TRUE(answer->body == request.body);
}

TEST(Client, RefusesWhatWouldBreakTheMessage) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {});
  Request request = request_to(server->port());
  request.headers.add("X-Name", "value\r\nX-Other: 1");
  Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::bad_input);
  EXPECT_NE(answer.error().error.message.find("\"X-Name\""), std::string::npos);
  answer = loop.run(client.send(request_to(server->port(), "/a b")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::bad_input);
  EXPECT_FALSE(answer.error().sent);
}

// Counts how many requests are with the server at once.
struct Gauge {
  int now = 0, most = 0;
};

Task<ServerReply> answer_slowly(Gauge* gauge, ServerRequest request) {
  gauge->most = std::max(gauge->most, ++gauge->now);
  co_await async::sleep_for(5);
  --gauge->now;
  co_return text_reply(request.target);
}

Task<void> send_one(Client* client, Request request, std::vector<std::string>* order) {
  const Outcome<Response> answer = co_await client->send(std::move(request));
  EXPECT_TRUE(answer) << answer.error().error.text();
  if (answer) order->push_back(answer->body);
}

Task<bool> send_side_by_side(Client* client, std::vector<std::uint16_t> ports, int count,
                             std::vector<std::string>* order) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  for (int i = 0; i < count; ++i)
    group.spawn(send_one(client, request_to(ports[static_cast<std::size_t>(i) % ports.size()], "/" + std::to_string(i)),
                         order));
  co_await group.join();
  co_return true;
}

TEST(Client, KeepsTheLimitOfConnectionsAndTheOrderOfThoseWhoWait) {
  EventLoop loop;
  Gauge gauge;
  const auto handler = [&gauge](ServerRequest request) { return answer_slowly(&gauge, std::move(request)); };
  const auto one = Server::listen(loop.context().get_executor(), {}, handler);
  const auto two = Server::listen(loop.context().get_executor(), {}, handler);
  ASSERT_TRUE(one && two);
  Client client(loop.context().get_executor(), {.connections_max = 3});
  std::vector<std::string> order;
  loop.run(send_side_by_side(&client, {(*one)->port(), (*two)->port()}, 12, &order));
  EXPECT_LE(gauge.most, 3);
  EXPECT_GE(gauge.most, 2);
  EXPECT_LE(client.stats().open, 3U);
  ASSERT_EQ(order.size(), 12U);
  // Three at a time, so nobody is overtaken by more than two.
  for (int i = 0; i < 12; ++i) {
    const int place = static_cast<int>(std::ranges::find(order, "/" + std::to_string(i)) - order.begin());
    EXPECT_LE(std::abs(place - i), 2) << i;
  }
}

Task<bool> wait_until_open(Client* client, std::size_t open) {
  for (int tries = 0; tries < 500 && client->stats().open != open; ++tries) co_await async::sleep_for(10);
  co_return client->stats().open == open;
}

TEST(Client, ClosesWhatIsUnused) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  Client client(loop.context().get_executor(), {.idle_close_ms = 60});
  std::vector<std::string> order;
  loop.run(send_side_by_side(&client, {server->port()}, 4, &order));
  EXPECT_EQ(client.stats().open, 4U);
  EXPECT_TRUE(loop.run(wait_until_open(&client, 0)));
  EXPECT_EQ(loop.run(send_many(&client, request_to(server->port()), 1)).open, 1U);
}

TEST(Client, KeepsNoMoreUnusedThanItMay) {
  EventLoop loop;
  Gauge gauge;
  const auto server = Server::listen(loop.context().get_executor(), {}, [&gauge](ServerRequest request) {
    return answer_slowly(&gauge, std::move(request));
  });
  Client client(loop.context().get_executor(), {.idle_per_origin_max = 2});
  std::vector<std::string> order;
  loop.run(send_side_by_side(&client, {(*server)->port()}, 6, &order));
  EXPECT_EQ(gauge.most, 6);
  EXPECT_EQ(client.stats().open, 2U);
}

TEST(FileLimit, IsAtLeastWhatItWas) {
  const Result<std::uint64_t> now = raise_file_limit(64);
  ASSERT_TRUE(now);
  const Result<std::uint64_t> raised = raise_file_limit(*now + 1);
  ASSERT_TRUE(raised);
  EXPECT_GE(*raised, *now);
}

}  // namespace
}  // namespace palette::http
