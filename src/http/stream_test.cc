// Bodies that are not held in memory, either way.
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using testing::RawServer;
using testing::request_to;
using testing::Script;
using testing::serve;
using testing::text_reply;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// `size` bytes are told; `pieces` are given.
class Pieces final : public BodySource {
 public:
  Pieces(std::uint64_t size, std::vector<std::string> pieces) : size_(size), pieces_(std::move(pieces)) {}

  std::uint64_t size() const override { return size_; }
  Task<Result<std::string>> next() override {
    if (next_ == pieces_.size()) co_return "";
    co_return pieces_[next_++];
  }
  Status rewind() override {
    next_ = 0;
    ++rewound;
    return {};
  }

  int rewound = 0;

 private:
  std::uint64_t size_;
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

TEST(BodySource, IsSentPieceByPiece) {
  EventLoop loop;
  const auto server = serve(loop, [](const ServerRequest& request) { return text_reply(request.body); });
  Client client(loop.context().get_executor(), {});
  Request request = request_to(server->port(), "/", "PUT");
  const std::string large(3 * limits::kMiB, 'x');
  request.body_source = std::make_shared<Pieces>(6 + large.size(), std::vector<std::string>{"abc", large, "def"});
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_TRUE(answer->body == "abc" + large + "def");
}

TEST(BodySource, OfAnotherSizeThanItSaysIsAnError) {
  for (const auto& [size, says] : {std::pair{5, "gives more"}, {7, "ended before"}}) {
    EventLoop loop;
    const auto server = serve(loop, [](const ServerRequest& request) { return text_reply(request.body); });
    Client client(loop.context().get_executor(), {});
    Request request = request_to(server->port(), "/", "PUT");
    request.body_source =
        std::make_shared<Pieces>(static_cast<std::uint64_t>(size), std::vector<std::string>{"abc", "def"});
    const Outcome<Response> answer = loop.run(client.send(request));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().error.kind, ErrorKind::bad_input);
    EXPECT_NE(answer.error().error.message.find(says), std::string::npos) << answer.error().error.text();
    EXPECT_FALSE(answer.error().sent);
  }
}

Task<Outcome<Response>> ask_twice(Client* client, Request first, Request second) {
  const Outcome<Response> one = co_await client->send(std::move(first));
  EXPECT_TRUE(one) << one.error().error.text();
  co_return co_await client->send(std::move(second));
}

TEST(BodySource, IsRewoundForAFreshConnection) {
  EventLoop loop;
  RawServer server(loop.context(),
                   {{{kAnswer}, Script::After::close_unread}, {{kAnswer}, Script::After::close_unread}});
  Client client(loop.context().get_executor(), {});
  const auto source =
      std::make_shared<Pieces>(32 * limits::kMiB, std::vector<std::string>(32, std::string(limits::kMiB, 'x')));
  Request request = request_to(server.port(), "/", "PUT");
  request.body_source = source;
  const Outcome<Response> answer = loop.run(ask_twice(&client, request_to(server.port()), request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  EXPECT_EQ(source->rewound, 1);
}

struct Streamed {
  int status = 0;
  std::optional<std::uint64_t> length;
  std::string body;
  std::size_t pieces = 0, largest = 0;
  std::optional<Failure> failure;
};

Task<Streamed> read_all(Client* client, Request request) {
  Streamed all;
  Outcome<std::unique_ptr<ResponseStream>> stream = co_await client->open(std::move(request));
  if (!stream) {
    all.failure = stream.error();
    co_return all;
  }
  all.status = (*stream)->status();
  all.length = (*stream)->content_length();
  for (;;) {
    const Outcome<std::string> piece = co_await (*stream)->next();
    if (!piece) {
      all.failure = piece.error();
      co_return all;
    }
    if (piece->empty()) break;
    ++all.pieces;
    all.largest = std::max(all.largest, piece->size());
    all.body += *piece;
  }
  const Outcome<std::string> after = co_await (*stream)->next();
  EXPECT_TRUE(after && after->empty());
  co_return all;
}

TEST(ResponseStream, GivesTheBodyInPiecesAndTheConnectionBack) {
  EventLoop loop;
  std::string large;
  for (std::size_t i = 0; i < 4 * limits::kMiB; ++i) large += static_cast<char>('a' + i % 26);
  const auto server = serve(loop, [&large](const ServerRequest&) { return text_reply(large); });
  Client client(loop.context().get_executor(), {});
  for (int i = 0; i < 2; ++i) {
    const Streamed all = loop.run(read_all(&client, request_to(server->port())));
    ASSERT_FALSE(all.failure) << all.failure->error.text();
    EXPECT_EQ(all.status, 200);
    EXPECT_EQ(all.length, large.size());
    EXPECT_TRUE(all.body == large);
    EXPECT_GT(all.pieces, 10U);
    EXPECT_LE(all.largest, 64 * limits::kKiB);
  }
  EXPECT_EQ(client.stats().connections_opened, 1);
}

TEST(ResponseStream, GivesAnEmptyBodyAndAChunkedOne) {
  EventLoop loop;
  RawServer server(loop.context(),
                   {{{"HTTP/1.1 204 No Content\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"}}});
  Client client(loop.context().get_executor(), {});
  Streamed all = loop.run(read_all(&client, request_to(server.port())));
  EXPECT_EQ(all.status, 204);
  EXPECT_EQ(all.body, "");
  all = loop.run(read_all(&client, request_to(server.port())));
  EXPECT_FALSE(all.length);
  EXPECT_EQ(all.body, "abc");
  EXPECT_EQ(client.stats().connections_opened, 1);
}

TEST(ResponseStream, FailsWhenTheBodyIsCutOrStallsOrIsTooLarge) {
  struct {
    std::string bytes;
    Script::After after;
    ErrorKind kind;
  } const table[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Script::After::close, ErrorKind::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Script::After::hang, ErrorKind::timeout},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(2'000, 'x'), Script::After::close, ErrorKind::too_large},
  };
  for (const auto& one : table) {
    EventLoop loop;
    RawServer server(loop.context(), {{{one.bytes}, one.after}});
    Client client(loop.context().get_executor(), {});
    Request request = request_to(server.port());
    request.deadlines = testing::quick();
    request.body_bytes_max = 1'000;
    const Streamed all = loop.run(read_all(&client, request));
    ASSERT_TRUE(all.failure);
    EXPECT_EQ(all.failure->error.kind, one.kind) << all.failure->error.text();
    EXPECT_EQ(client.stats().open, 0U);
  }
}

Task<bool> open_and_drop(Client* client, Request request) {
  const Outcome<std::unique_ptr<ResponseStream>> stream = co_await client->open(std::move(request));
  EXPECT_EQ(client->stats().open, 1U);
  co_return stream.has_value();
}

TEST(ResponseStream, ClosesItsConnectionWhenItIsDropped) {
  EventLoop loop;
  RawServer server(loop.context(), {{{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}, Script::After::hang}});
  Client client(loop.context().get_executor(), {});
  EXPECT_TRUE(loop.run(open_and_drop(&client, request_to(server.port()))));
  EXPECT_EQ(client.stats().open, 0U);
}

}  // namespace
}  // namespace palette::http
