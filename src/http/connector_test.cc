#include "http/connector.h"

#include <gtest/gtest.h>

#include "http/testing.h"

namespace palette::http {
namespace {

using async::EventLoop;
using async::Task;
using boost::asio::ip::make_address;

TEST(Addresses, OfTwoFamiliesTakeTurns) {
  const auto a = make_address("10.0.0.1"), b = make_address("10.0.0.2"), c = make_address("10.0.0.3"),
             x = make_address("fd00::1"), y = make_address("fd00::2");
  EXPECT_EQ(by_turns({x, y, a, b, c}), (Resolver::Addresses{x, a, y, b, c}));
  EXPECT_EQ(by_turns({a, b}), (Resolver::Addresses{a, b}));
  EXPECT_EQ(by_turns({}), Resolver::Addresses{});
}

Task<Result<std::string>> connect_in(Resolver::Addresses addresses, std::uint16_t port, std::int64_t stagger_ms) {
  auto executor = co_await boost::asio::this_coro::executor;
  Call call(std::make_shared<DeadlineSweep>(executor), {.connect_ms = 3'000});
  call.enter(Call::Phase::connect);
  Result<Transport::Socket> socket =
      co_await connect_to_any(executor, std::move(addresses), port, "a test", stagger_ms, &call);
  if (!socket) co_return std::unexpected(socket.error());
  co_return socket->remote_endpoint().address().to_string();
}

TEST(Connecting, GoesOnToTheNextAddressWhenOneFails) {
  EventLoop loop;
  testing::RawServer server(loop.context(), {{}});  // listens on 127.0.0.1 alone
  const Result<std::string> reached = loop.run(
      connect_in({make_address("127.0.0.2"), make_address("::1"), make_address("127.0.0.1")}, server.port(), 60'000));
  ASSERT_TRUE(reached) << reached.error().text();
  EXPECT_EQ(*reached, "127.0.0.1");
}

TEST(Connecting, TriesTheNextAddressBesideOneThatDoesNotAnswer) {
  EventLoop loop;
  // A queue of no length that is full: a connect to it hangs.
  boost::asio::ip::tcp::acceptor full(loop.context());
  full.open(boost::asio::ip::tcp::v4());
  full.bind({make_address("127.0.0.3").to_v4(), 0});
  full.listen(0);
  const std::uint16_t port = full.local_endpoint().port();
  boost::asio::ip::tcp::socket fillers[3] = {boost::asio::ip::tcp::socket(loop.context()),
                                             boost::asio::ip::tcp::socket(loop.context()),
                                             boost::asio::ip::tcp::socket(loop.context())};
  for (auto& filler : fillers)
    filler.async_connect({make_address("127.0.0.3"), port}, [](boost::system::error_code) {});
  boost::asio::ip::tcp::acceptor good(loop.context(), {make_address("127.0.0.1"), port});
  const Result<std::string> reached =
      loop.run(connect_in({make_address("127.0.0.3"), make_address("127.0.0.1")}, port, 20));
  ASSERT_TRUE(reached) << reached.error().text();
  EXPECT_EQ(*reached, "127.0.0.1");
}

TEST(Connecting, SaysWhyNoAddressCouldBeReached) {
  EventLoop loop;
  const Result<std::string> reached = loop.run(connect_in({make_address("127.0.0.1")}, 1, 250));
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(reached.error().message, "cannot connect to a test (127.0.0.1: Connection refused)");
}

Task<Result<Resolver::Addresses>> resolve(Resolver* resolver, std::string host) {
  Call call(std::make_shared<DeadlineSweep>(co_await boost::asio::this_coro::executor), {});
  co_return co_await resolver->addresses(std::move(host), &call);
}

TEST(Resolver, AsksOnceAndKeepsNoMoreNamesThanItMay) {
  EventLoop loop;
  Resolver resolver(loop.context().get_executor(), 60'000, 1);
  for (int i = 0; i < 3; ++i) {
    const Result<Resolver::Addresses> found = loop.run(resolve(&resolver, "localhost"));
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_TRUE(found->front().is_loopback());
  }
  EXPECT_EQ(resolver.lookups(), 1);
  EXPECT_EQ(loop.run(resolve(&resolver, "192.0.2.7"))->front().to_string(), "192.0.2.7");
  EXPECT_EQ(loop.run(resolve(&resolver, "fd00::7"))->front().to_string(), "fd00::7");
  EXPECT_EQ(resolver.lookups(), 1);
  ASSERT_TRUE(loop.run(resolve(&resolver, "LOCALHOST")));  // another name to the cache
  EXPECT_EQ(resolver.lookups(), 2);
  EXPECT_EQ(resolver.names(), 1U);
}

TEST(Resolver, AsksAgainWhenTheTimeIsOver) {
  EventLoop loop;
  Resolver resolver(loop.context().get_executor(), 0, 8);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(loop.run(resolve(&resolver, "localhost")));
  EXPECT_EQ(resolver.lookups(), 3);
}

}  // namespace
}  // namespace palette::http
