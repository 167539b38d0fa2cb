// Connecting to one of several addresses.
#include <chrono>
#include <optional>

#include "http/connector.h"

namespace palette::http {
namespace {

using boost::asio::ip::tcp;

// Shared with the completions of connects that have lost.
struct Race {
  explicit Race(const boost::asio::any_io_executor& executor) : event(executor) {}

  std::vector<std::unique_ptr<tcp::socket>> sockets;
  boost::asio::steady_timer event;
  std::optional<std::size_t> winner;
  std::size_t running = 0;
  std::string failure;
};

void start_attempt(const std::shared_ptr<Race>& race, const boost::asio::ip::address& address, std::uint16_t port) {
  const tcp::endpoint endpoint(address, port);
  const std::size_t number = race->sockets.size();
  race->sockets.push_back(std::make_unique<tcp::socket>(race->event.get_executor()));
  boost::system::error_code error;
  race->sockets.back()->open(endpoint.protocol(), error);
  if (error) {
    const bool files = error == boost::asio::error::no_descriptors;
    race->failure = address.to_string() + ": " + error.message() +
                    (files ? "; raise the limit of open files (ulimit -n) or lower the concurrency" : "");
    return;
  }
  ++race->running;
  race->sockets.back()->async_connect(endpoint, [race, number, address](boost::system::error_code failed) {
    --race->running;
    if (failed && failed != boost::asio::error::operation_aborted)
      race->failure = address.to_string() + ": " + failed.message();
    if (!failed && !race->winner) race->winner = number;
    race->event.cancel();
  });
}

void stop(Race& race) {
  for (const auto& socket : race.sockets) {
    boost::system::error_code ignored;  // of a socket that is dropped
    socket->close(ignored);
  }
}

}  // namespace

async::Task<Result<tcp::socket>> connect_to_any(boost::asio::any_io_executor executor, Resolver::Addresses addresses,
                                                std::uint16_t port, std::string peer, std::int64_t stagger_ms,
                                                Call* call) {
  const auto race = std::make_shared<Race>(executor);
  std::size_t next = 0;
  while (!race->winner) {
    while (race->running == 0 && next < addresses.size()) start_attempt(race, addresses[next++], port);
    if (race->running == 0)
      co_return fail(ErrorKind::unavailable, "cannot connect to " + peer + " (" + race->failure + ")");
    using Timer = boost::asio::steady_timer;
    const bool more = next < addresses.size();
    race->event.expires_at(more ? Timer::clock_type::now() + std::chrono::milliseconds(stagger_ms)
                                : Timer::time_point::max());
    const auto due = race->event.expiry();
    const std::size_t running = race->running;
    if (!co_await wait_for_event(call, &race->event)) {
      stop(*race);
      co_return std::unexpected(call->ended());
    }
    const bool no_answer_yet = !race->winner && race->running == running && Timer::clock_type::now() >= due;
    if (more && no_answer_yet) start_attempt(race, addresses[next++], port);
  }
  tcp::socket socket = std::move(*race->sockets[*race->winner]);
  stop(*race);
  co_return socket;
}

}  // namespace palette::http
