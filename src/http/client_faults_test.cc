// What goes wrong on a connection, told by a server of raw bytes.
#include <gtest/gtest.h>
#include <zlib.h>

#include "async/task_group.h"
#include "async/timer.h"
#include "http/client.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using testing::RawServer;
using testing::request_to;
using testing::Script;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string gzip_answer(const std::string& packed) {
  return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(packed.size()) + "\r\n\r\n" +
         packed;
}

// One request to a server that plays `script`.
Outcome<Response> ask(Script script, Request request = request_to(0), ClientSettings settings = {}) {
  EventLoop loop;
  RawServer server(loop.context(), {std::move(script)});
  Client client(loop.context().get_executor(), std::move(settings));
  request.url.port = server.port();
  return loop.run(client.send(std::move(request)));
}

struct Answered {
  const char* name;
  std::string bytes;
  const char* body;
};

TEST(ClientReads, EveryFormOfABody) {
  const Answered table[] = {
      {"chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Late: 1\r\n\r\n",
       "abcde"},
      {"to the end", "HTTP/1.1 200 OK\r\n\r\nall of it", "all of it"},
      {"after interim answers",
       std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") + kAnswer, "ok"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
      {"gzip", gzip_answer(gzip("unpacked text")), "unpacked text"},
      {"gzip of two members", gzip_answer(gzip("one, ") + gzip("two")), "one, two"},
      {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
  };
  for (const Answered& one : table) {
    const Outcome<Response> answer = ask({{one.bytes}});
    ASSERT_TRUE(answer) << one.name << answer.error().error.text();
    EXPECT_EQ(answer->status, 200) << one.name;
    EXPECT_EQ(answer->body, one.body) << one.name;
    EXPECT_EQ(answer->headers.find("Content-Encoding"), nullptr) << one.name;
    EXPECT_EQ(answer->headers.find("X-Late"), nullptr) << one.name;
  }
}

struct Failing {
  const char* name;
  std::string bytes;
  ErrorKind kind;
  const char* says;
};

TEST(ClientFails, WithTheKindThatFits) {
  const std::string packed = gzip(std::string(50'000, 'a'));
  const Failing table[] = {
      {"no HTTP", "220 mail.example ESMTP\r\n\r\n", ErrorKind::corrupt, "not HTTP/1.1"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", ErrorKind::corrupt,
       "HTTP"},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ErrorKind::corrupt, "HTTP"},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ErrorKind::corrupt, "protocol"},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", ErrorKind::unavailable, "half way"},
      {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", ErrorKind::unavailable,
       "half way"},
      {"half a header", "HTTP/1.1 200 OK\r\nContent-Le", ErrorKind::unavailable, "half way"},
      {"nothing", "", ErrorKind::unavailable, "without an answer"},
      {"large header", "HTTP/1.1 200 OK\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", ErrorKind::too_large, "header"},
      {"endless chunk header", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(9'000, 'x'),
       ErrorKind::too_large, "header"},
      {"large body", "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", ErrorKind::too_large, "body"},
      {"large chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n" + std::string(20'000, 'x'),
       ErrorKind::too_large, "body"},
      {"large body to the end", "HTTP/1.1 200 OK\r\n\r\n" + std::string(20'000, 'x'), ErrorKind::too_large, "body"},
      {"gzip bomb", gzip_answer(packed), ErrorKind::too_large, "unpacks"},
      {"no gzip", gzip_answer("plain text, and not packed"), ErrorKind::corrupt, "gzip"},
      {"half a gzip", gzip_answer(gzip("a text of some words").substr(0, 20)), ErrorKind::corrupt, "gzip"},
  };
  for (const Failing& one : table) {
    Request request = request_to(0);
    request.body_bytes_max = 10'000;
    const Outcome<Response> answer = ask({{one.bytes}}, request, {.header_bytes_max = 8'000});
    ASSERT_FALSE(answer) << one.name;
    EXPECT_EQ(answer.error().error.kind, one.kind) << one.name << answer.error().error.text();
    EXPECT_NE(answer.error().error.message.find(one.says), std::string::npos)
        << one.name << answer.error().error.text();
    EXPECT_TRUE(answer.error().sent) << one.name;
  }
}

TEST(ClientFails, BeforeAnythingIsSentWhenNobodyListens) {
  EventLoop loop;
  std::uint16_t port = 0;
  {
    EventLoop other;
    port = RawServer(other.context(), {{}}).port();
  }
  Client client(loop.context().get_executor(), {});
  const Outcome<Response> answer = loop.run(client.send(request_to(port)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::unavailable);
  EXPECT_FALSE(answer.error().sent);
  EXPECT_EQ(client.stats().open, 0U);
}

TEST(ClientWaits, NoLongerThanTheDeadlines) {
  struct {
    const char* name;
    std::string bytes;
    Deadlines deadlines;
    const char* says;
  } const table[] = {
      {"first byte", "", {.first_byte_ms = 60}, "no answer within 60 ms"},
      {"idle",
       "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
       {.idle_ms = 60},
       "half way: no more of it came within 60 ms"},
      {"total", "", {.total_ms = 60}, "no answer within 60 ms"},
      {"total of a slow body", "HTTP/1.1 200 OK\r\n\r\nhalf", {.total_ms = 60}, "not whole within 60 ms"},
  };
  for (const auto& one : table) {
    Request request = request_to(0);
    request.deadlines = one.deadlines;
    const Outcome<Response> answer = ask({{one.bytes}, Script::After::hang}, request);
    ASSERT_FALSE(answer) << one.name;
    EXPECT_EQ(answer.error().error.kind, ErrorKind::timeout) << one.name;
    EXPECT_NE(answer.error().error.message.find(one.says), std::string::npos) << answer.error().error.text();
    EXPECT_TRUE(answer.error().sent) << one.name;
  }
}

TEST(ClientWaits, NoLongerThanTheDeadlineForAHandshakeOrForRoom) {
  Request request = request_to(0);
  request.url.tls = true;
  request.deadlines.connect_ms = 60;
  Outcome<Response> answer = ask({{}, Script::After::hang}, request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::timeout);
  EXPECT_NE(answer.error().error.message.find("no connection within 60 ms"), std::string::npos);
  EXPECT_FALSE(answer.error().sent);

  request = request_to(0, "/", "POST");  // nobody reads it
  request.body.assign(64 * limits::kMiB, 'x');
  request.deadlines.idle_ms = 60;
  answer = ask({{}, Script::After::hang}, request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::timeout);
  EXPECT_NE(answer.error().error.message.find("could not be sent on within 60 ms"), std::string::npos);
  EXPECT_FALSE(answer.error().sent);
}

Task<Outcome<Response>> ask_twice(Client* client, Request first, Request second) {
  const Outcome<Response> one = co_await client->send(std::move(first));
  EXPECT_TRUE(one) << one.error().error.text();
  co_await async::sleep_for(20);
  co_return co_await client->send(std::move(second));
}

TEST(StaleConnection, IsFoundClosedAndAFreshOneIsUsed) {
  EventLoop loop;
  RawServer server(loop.context(), {{{kAnswer}}, {{kAnswer}}});
  Client client(loop.context().get_executor(), {});
  const Request request = request_to(server.port());
  const Outcome<Response> answer = loop.run(ask_twice(&client, request, request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(client.stats().connections_opened, 2);
  EXPECT_EQ(client.stats().stale_retries, 1);
}

TEST(StaleConnection, IsTriedAgainOnceWhenTheRequestCannotHaveArrived) {
  EventLoop loop;
  // The second request is too large for a server that does not read it: it is cut while it is being sent.
  RawServer server(loop.context(),
                   {{{kAnswer}, Script::After::close_unread}, {{kAnswer}, Script::After::close_unread}});
  Client client(loop.context().get_executor(), {});
  Request large = request_to(server.port(), "/", "POST");
  large.body.assign(32 * limits::kMiB, 'x');
  const Outcome<Response> answer = loop.run(ask_twice(&client, request_to(server.port()), large));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(client.stats().connections_opened, 2);
  EXPECT_EQ(client.stats().stale_retries, 1);
}

// A server that took the whole request may have acted on it, and billed it: that is for the caller to decide.
TEST(StaleConnection, IsNotTriedAgainWhenTheServerHadTheRequest) {
  EventLoop loop;
  RawServer server(loop.context(), {{{kAnswer}, Script::After::read_and_close}, {{kAnswer}}});
  Client client(loop.context().get_executor(), {});
  const Request request = request_to(server.port());
  const Outcome<Response> answer = loop.run(ask_twice(&client, request, request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.kind, ErrorKind::unavailable);
  EXPECT_TRUE(answer.error().sent);
  EXPECT_EQ(client.stats().stale_retries, 0);
}

TEST(ConnectionClose, IsHonoured) {
  EventLoop loop;
  const std::string closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
  RawServer server(loop.context(), {{{closing}, Script::After::hang}, {{kAnswer}}});
  Client client(loop.context().get_executor(), {});
  const Request request = request_to(server.port());
  ASSERT_TRUE(loop.run(ask_twice(&client, request, request)));
  EXPECT_EQ(client.stats().connections_opened, 2);
  EXPECT_EQ(client.stats().stale_retries, 0);
}

TEST(EarlyAnswer, IsTakenThoughTheRequestWasNotReadToItsEnd) {
  EventLoop loop;
  const std::string refusal = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";
  RawServer server(loop.context(), {{{refusal}, Script::After::close_unread}});
  Client client(loop.context().get_executor(), {});
  Request large = request_to(server.port(), "/", "POST");
  large.body.assign(32 * limits::kMiB, 'x');
  const Outcome<Response> answer = loop.run(client.send(large));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(client.stats().open, 0U);
}

Task<void> send_into(Client* client, Request request, Outcome<Response>* answer) {
  *answer = co_await client->send(std::move(request));
}

// Two requests, of which the second waits for the first one's connection; both are cancelled.
Task<bool> cancel_two(Client* client, Request request, Outcome<Response>* one, Outcome<Response>* two) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(send_into(client, request, one));
  group.spawn(send_into(client, request, two));
  co_await async::sleep_for(50);
  EXPECT_EQ(client->stats().open, 1U);
  group.cancel();
  co_await group.join();
  co_return true;
}

TEST(Cancelling, EndsARequestAndItsConnectionAndLeavesTheQueue) {
  EventLoop loop;
  RawServer server(loop.context(), {{{}, Script::After::hang}});
  Client client(loop.context().get_executor(), {.connections_max = 1});
  Outcome<Response> one, two;
  loop.run(cancel_two(&client, request_to(server.port()), &one, &two));
  ASSERT_FALSE(one || two);
  EXPECT_EQ(one.error().error.kind, ErrorKind::cancelled);
  EXPECT_TRUE(one.error().sent);
  EXPECT_EQ(two.error().error.kind, ErrorKind::cancelled);
  EXPECT_FALSE(two.error().sent);
  EXPECT_EQ(client.stats().open, 0U);
}

TEST(Cancelling, LeavesNothingBehindWhenTheLoopEndsFirst) {
  auto loop = std::make_unique<EventLoop>();
  RawServer server(loop->context(), {{{}, Script::After::hang}});
  auto client = std::make_unique<Client>(loop->context().get_executor(), ClientSettings{.connections_max = 1});
  Outcome<Response> answers[3];
  for (Outcome<Response>& answer : answers)
    boost::asio::co_spawn(loop->context(), send_into(client.get(), request_to(server.port()), &answer),
                          [](std::exception_ptr) {});
  loop->run(async::sleep_for(20));
  EXPECT_EQ(client->stats().open, 1U);
  client.reset();
  loop.reset();  // AddressSanitizer sees what is left behind, or used after its end
}

}  // namespace
}  // namespace palette::http
