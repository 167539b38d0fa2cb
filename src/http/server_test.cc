#include "http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "async/task_group.h"
#include "async/timer.h"
#include "http/client.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using boost::asio::ip::tcp;
using testing::request_to;
using testing::serve;
using testing::text_reply;

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

Task<tcp::socket> connect_to(std::uint16_t port) {
  tcp::socket socket(co_await boost::asio::this_coro::executor);
  co_await socket.async_connect({boost::asio::ip::address_v4::loopback(), port}, kAwait);
  co_return socket;
}

// Writes the pieces one after the other and gives all that comes back until the server ends the connection.
Task<std::string> talk(std::uint16_t port, std::vector<std::string> pieces) {
  tcp::socket socket = co_await connect_to(port);
  for (const std::string& piece : pieces) {
    const auto [error, size] = co_await boost::asio::async_write(socket, boost::asio::buffer(piece), kAwait);
    if (error) break;  // the server has ended it
    co_await async::sleep_for(10);
  }
  std::string all;
  co_await boost::asio::async_read(socket, boost::asio::dynamic_buffer(all), kAwait);
  co_return all;
}

ServerReply echo(const ServerRequest& request) {
  return text_reply(request.method + " " + request.target + " " + request.body);
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t times = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++times;
  return times;
}

TEST(Server, ReadsRequestsInPiecesAndSeveralFromOne) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  const std::string all = loop.run(talk(
      server->port(), {"GET /1 HT", "TP/1.1\r\nHo", "st: x\r\n\r", "\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\na",
                       "bcPUT /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\nGET /4 HTTP/1.1\r\n"
                       "Connection: close\r\n\r\n"}));
  EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 4U) << all;
  for (const char* body : {"GET /1 ", "POST /2 abc", "PUT /3 de", "GET /4 "}) EXPECT_EQ(count(all, body), 1U) << body;
  EXPECT_EQ(count(all, "Connection: close\r\n"), 1U);
  EXPECT_EQ(count(all, "Date: "), 4U);
}

TEST(Server, EndsAnOldConnectionUnlessAskedNotTo) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  const std::string all = loop.run(talk(server->port(), {"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                                                         "GET /2 HTTP/1.0\r\n\r\nGET /3 HTTP/1.0\r\n\r\n"}));
  EXPECT_EQ(count(all, "200 OK"), 2U) << all;
}

TEST(Server, RefusesWhatBreaksARuleOrALimit) {
  struct {
    const char* name;
    std::string request;
    const char* status;
  } const table[] = {
      {"no HTTP", "hello there\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"bad length", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"two framings", "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400 Bad Request\r\n"},
      {"unknown coding", "POST / HTTP/1.1\r\nTransfer-Encoding: br\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"long header", "GET / HTTP/1.1\r\nX: " + std::string(3'000, 'x') + "\r\n\r\n",
       "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
      {"long body", "POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'),
       "HTTP/1.1 413 Payload Too Large\r\n"},
      {"long chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + std::string(4'096, 'x'),
       "HTTP/1.1 413 Payload Too Large\r\n"},
  };
  for (const auto& one : table) {
    EventLoop loop;
    const auto server = serve(loop, echo, {.header_bytes_max = 2'000, .body_bytes_max = 3'000});
    const std::string all = loop.run(talk(server->port(), {one.request}));
    EXPECT_TRUE(all.starts_with(one.status)) << one.name << ": " << all;
    EXPECT_EQ(count(all, "Connection: close\r\n"), 1U);
  }
}

TEST(Server, AsksForTheBodyOfAClientThatWaitsForThat) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  const std::string all = loop.run(
      talk(server->port(),
           {"PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n", "body"}));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << all;
  EXPECT_TRUE(all.ends_with("PUT /x body"));
}

TEST(Server, LeavesOutFieldsThatWouldBreakTheMessage) {
  EventLoop loop;
  const auto server = serve(loop, [](const ServerRequest&) {
    ServerReply reply = text_reply("whole");
    reply.response.headers.add("X-Bad", "a\r\nX-Worse: b");
    reply.response.headers.add("Content-Length", "1");
    reply.response.headers.add("Date", "a date of its own");
    return reply;
  });
  const std::string all = loop.run(talk(server->port(), {"GET / HTTP/1.0\r\n\r\n"}));
  EXPECT_EQ(count(all, "X-Worse"), 0U);
  EXPECT_EQ(count(all, "Content-Length: 5\r\n"), 1U);
  EXPECT_EQ(count(all, "Date: a date of its own\r\n"), 1U);
  EXPECT_EQ(count(all, "Date: "), 1U);
}

TEST(Server, TellsHeadTheLengthThatItIsGiven) {
  EventLoop loop;
  const auto server = serve(loop, [](const ServerRequest&) {
    ServerReply reply = text_reply("");
    reply.response.headers.add("Content-Length", "10000000000");
    return reply;
  });
  const std::string all = loop.run(talk(server->port(), {"HEAD / HTTP/1.0\r\n\r\n"}));
  EXPECT_EQ(count(all, "Content-Length: 10000000000\r\n"), 1U);
  EXPECT_EQ(count(all, "Content-Length: "), 1U);
  EXPECT_TRUE(all.ends_with("\r\n\r\n"));
}

TEST(Server, EndsOnPurposeAsItIsTold) {
  for (const Ending ending : {Ending::whole, Ending::cut, Ending::half}) {
    EventLoop loop;
    std::vector<bool> told;
    const auto server = serve(loop, [&told, ending](const ServerRequest&) {
      ServerReply reply = text_reply("0123456789");
      reply.ending = ending;
      reply.on_sent = [&told](bool delivered) { told.push_back(delivered); };
      return reply;
    });
    const std::string all = loop.run(talk(server->port(), {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"}));
    EXPECT_EQ(told, std::vector<bool>{ending == Ending::whole});
    if (ending == Ending::cut) EXPECT_EQ(all, "");
    if (ending == Ending::half) EXPECT_TRUE(all.ends_with("\r\n\r\n01234")) << all;
    if (ending == Ending::half) EXPECT_EQ(count(all, "Content-Length: 10\r\n"), 1U) << all;
    if (ending == Ending::whole) EXPECT_TRUE(all.ends_with("\r\n\r\n0123456789")) << all;
  }
}

Task<ServerReply> answer_later(std::vector<bool>* told, ServerRequest) {
  co_await async::sleep_for(50);
  ServerReply reply = text_reply("too late");
  reply.on_sent = [told](bool delivered) { told->push_back(delivered); };
  co_return reply;
}

Task<bool> ask_and_leave(std::uint16_t port, const std::vector<bool>* told) {
  {
    tcp::socket socket = co_await connect_to(port);
    co_await boost::asio::async_write(socket, boost::asio::buffer("GET / HTTP/1.1\r\n\r\n", 18), kAwait);
    co_await async::sleep_for(10);
  }
  for (int tries = 0; tries < 300 && told->empty(); ++tries) co_await async::sleep_for(10);
  co_return !told->empty();
}

TEST(Server, SaysWhenThePeerWasGone) {
  EventLoop loop;
  std::vector<bool> told;
  const auto server = Server::listen(loop.context().get_executor(), {}, [&told](ServerRequest request) {
    return answer_later(&told, std::move(request));
  });
  ASSERT_TRUE(server);
  ASSERT_TRUE(loop.run(ask_and_leave((*server)->port(), &told)));
  EXPECT_EQ(told, std::vector<bool>{false});
}

Task<ServerReply> throwing(ServerRequest request) {
  if (request.target == "/bad") throw std::runtime_error("a bug");
  co_return text_reply("good");
}

TEST(Server, AnswersWithAnErrorWhenTheHandlerThrows) {
  EventLoop loop;
  const auto server = Server::listen(loop.context().get_executor(), {},
                                     [](ServerRequest request) { return throwing(std::move(request)); });
  Client client(loop.context().get_executor(), {});
  EXPECT_EQ(loop.run(client.send(request_to((*server)->port(), "/bad")))->status, 500);
  EXPECT_EQ(loop.run(client.send(request_to((*server)->port(), "/good")))->status, 200);
  EXPECT_EQ(client.stats().connections_opened, 1);
}

TEST(Server, ClosesWhoeverIsSilentTooLong) {
  EventLoop loop;
  const auto server = serve(loop, echo, {.idle_ms = 60, .read_ms = 60});
  EXPECT_EQ(loop.run(talk(server->port(), {})), "");
  EXPECT_EQ(loop.run(talk(server->port(), {"GET / HTT"})), "");
  std::vector<std::string> drops(20, "X: drop by drop\r\n");  // one each 10 ms
  drops.front() = "GET / HTTP/1.1\r\n";
  drops.back() = "\r\n";
  EXPECT_EQ(loop.run(talk(server->port(), drops)), "");
  const std::string all = loop.run(talk(server->port(), {"GET / HTTP/1.1\r\n\r\n"}));
  EXPECT_EQ(count(all, "200 OK"), 1U);
}

Task<ServerReply> answer_with_peers(int* now, int* most, ServerRequest) {
  *most = std::max(*most, ++*now);
  co_await async::sleep_for(20);
  --*now;
  co_return text_reply("");
}

Task<void> talk_once(std::uint16_t port, int* answered) {
  const std::string all = co_await talk(port, {"GET / HTTP/1.0\r\n\r\n"});
  *answered += all.starts_with("HTTP/1.1 200");
}

Task<int> talk_side_by_side(std::uint16_t port, int times) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  int answered = 0;
  for (int i = 0; i < times; ++i) group.spawn(talk_once(port, &answered));
  co_await group.join();
  co_return answered;
}

TEST(Server, LetsThoseBeyondTheLimitWait) {
  EventLoop loop;
  int now = 0, most = 0;
  const auto server = Server::listen(
      loop.context().get_executor(), {.connections_max = 2},
      [&now, &most](ServerRequest request) { return answer_with_peers(&now, &most, std::move(request)); });
  EXPECT_EQ(loop.run(talk_side_by_side((*server)->port(), 7)), 7);
  EXPECT_EQ(most, 2);
}

Task<std::string> read_until_the_end(std::shared_ptr<std::unique_ptr<Server>> server) {
  tcp::socket socket = co_await connect_to((*server)->port());
  co_await boost::asio::async_write(socket, boost::asio::buffer("GET / HTTP/1.1\r\n\r\n", 18), kAwait);
  co_await async::sleep_for(20);
  EXPECT_EQ((*server)->connections(), 1U);
  server->reset();
  std::string all;
  co_await boost::asio::async_read(socket, boost::asio::dynamic_buffer(all), kAwait);
  co_return all;
}

TEST(Server, ClosesEverythingAtItsEnd) {
  EventLoop loop;
  std::vector<bool> told;
  auto server = std::make_shared<std::unique_ptr<Server>>(
      *Server::listen(loop.context().get_executor(), {},
                      [&told](ServerRequest request) { return answer_later(&told, std::move(request)); }));
  EXPECT_EQ(loop.run(read_until_the_end(server)), "");
  loop.run(async::sleep_for(20));
  EXPECT_EQ(told, std::vector<bool>{false});
}

TEST(Server, SaysWhyItCannotListen) {
  EventLoop loop;
  const auto server = serve(loop, echo);
  const auto again = Server::listen(loop.context().get_executor(), {.port = server->port()}, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::bad_input);
  EXPECT_NE(again.error().message.find(std::to_string(server->port())), std::string::npos);
  const auto nowhere = Server::listen(loop.context().get_executor(), {.address = "nowhere"}, {});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("no IP address"), std::string::npos);
}

}  // namespace
}  // namespace palette::http
