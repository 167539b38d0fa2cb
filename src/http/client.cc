#include "http/client.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "http/connection_pool.h"
#include "http/connector.h"
#include "http/exchange.h"

namespace palette::http {

using async::Task;

namespace {

// A request on its way, with all it holds. It stays where it was made. Thousands of them wait at once: of the request
// it keeps what may have to go out a second time, as it goes on the wire.
struct Flight {
  Flight(Request its_request, const Proxy* its_proxy, const std::shared_ptr<DeadlineSweep>& sweep,
         std::size_t header_bytes_max, bool in_pieces)
      : request(std::move(its_request)),
        proxy(its_proxy),
        call(sweep, request.deadlines),
        exchange(request, proxy, header_bytes_max, in_pieces) {
    request.headers = {};
    std::string().swap(request.url.target);
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // Always false, for those who say by it that there is a failure.
  bool fails(const Error& error) {
    failure =
        std::make_unique<Failure>(Failure{error.at(request.method + " " + request.url.origin()), exchange.sent()});
    return false;
  }
  bool has_connection() { return lease && lease->connection() != nullptr; }
  Transport& transport() { return lease->connection()->transport; }
  // Before the wait for the transport: false when the call has ended.
  bool waits(bool is_cancelled) {
    if (is_cancelled || call.expired()) return fails(call.ended());
    call.enter(exchange.phase());
    call.waits_for(&transport());
    return true;
  }
  // After it; likewise.
  bool goes_on(bool was_cancelled) {
    call.waits_for(static_cast<Transport*>(nullptr));
    return was_cancelled || call.expired() ? fails(call.ended()) : true;
  }
  // The answer is whole: the connection is free for the next request, when it can be.
  void land() {
    if (exchange.reusable()) lease->keep();
    lease.reset();
  }

  Request request;
  const Proxy* proxy;
  Call call;
  Exchange exchange;
  std::optional<Lease> lease;
  bool started_over = false;
  std::unique_ptr<Failure> failure;
};

// Gets the next piece of the body from its source. False: it failed.
Task<bool> feed(Flight* flight) {
  flight->call.enter(Call::Phase::send);
  Result<std::string> piece = co_await flight->request.body_source->next();
  if (!piece) co_return flight->fails(piece.error());
  if (piece->empty())
    co_return flight->fails(Error{ErrorKind::bad_input, "the body's source has ended before the size it has told"});
  flight->exchange.give_body(std::move(*piece));
  co_return true;
}

}  // namespace

struct Client::State {
  State(const boost::asio::any_io_executor& executor, ClientSettings its_settings)
      : settings(std::move(its_settings)),
        proxies(ProxyRules::parse(settings.http_proxy, settings.https_proxy, settings.no_proxy)),
        sweep(std::make_shared<DeadlineSweep>(executor)),
        pool(std::make_shared<ConnectionPool>(executor, sweep, settings)),
        connector(executor, settings) {}

  std::unique_ptr<Flight> flight_of(Request request, bool in_pieces);
  bool start_over(Flight& flight);
  bool lease_at_once(Flight& flight);
  Task<bool> connect(Flight* flight);
  Task<bool> fly(Flight* flight);
  static Task<Outcome<Response>> answer(std::shared_ptr<State> state, std::unique_ptr<Flight> flight);
  static Task<Outcome<std::unique_ptr<ResponseStream>>> stream(std::shared_ptr<State> state,
                                                               std::unique_ptr<Flight> flight);

  ClientSettings settings;
  Result<ProxyRules> proxies;
  std::shared_ptr<DeadlineSweep> sweep;
  std::shared_ptr<ConnectionPool> pool;
  Connector connector;
  std::int64_t requests = 0;
  std::int64_t connections_opened = 0;
  std::int64_t stale_retries = 0;
};

namespace {

// An answer that is read in pieces.
class StreamedAnswer final : public ResponseStream {
 public:
  StreamedAnswer(std::shared_ptr<Client::State> state, std::unique_ptr<Flight> flight)
      : state_(std::move(state)),
        flight_(std::move(flight)),
        status_(flight_->exchange.status()),
        content_length_(flight_->exchange.content_length()),
        headers_(flight_->exchange.take_headers()) {}

  int status() const override { return status_; }
  const Headers& headers() const override { return headers_; }
  std::optional<std::uint64_t> content_length() const override { return content_length_; }

  Task<Outcome<std::string>> next() override {
    const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    Outcome<std::string> piece = co_await next_piece();
    co_await boost::asio::this_coro::throw_if_cancelled(throwing);
    co_return piece;
  }

 private:
  Task<Outcome<std::string>> next_piece() {
    constexpr std::size_t kPieceBytesMax = 64 * limits::kKiB;
    if (flight_->failure) co_return std::unexpected(*flight_->failure);
    std::string& body = flight_->exchange.body();
    while (body.empty() && !flight_->exchange.whole()) {
      if (!co_await state_->fly(flight_.get())) {
        flight_->lease.reset();
        co_return std::unexpected(*flight_->failure);  // as will every further call
      }
    }
    if (flight_->exchange.whole() && flight_->lease) flight_->land();
    std::string piece;
    if (body.size() <= kPieceBytesMax) {
      piece.swap(body);
    } else {
      piece = body.substr(0, kPieceBytesMax);
      body.erase(0, kPieceBytesMax);
    }
    co_return piece;
  }

  std::shared_ptr<Client::State> state_;
  std::unique_ptr<Flight> flight_;
  int status_;
  std::optional<std::uint64_t> content_length_;
  Headers headers_;
};

}  // namespace

// The way of most requests: true when a kept connection was free.
bool Client::State::lease_at_once(Flight& flight) {
  if (flight.lease) return false;
  const Url& url = flight.request.url;
  if (std::optional<Lease> lease = pool->try_lease({url.host, url.port, url.tls}))
    flight.lease.emplace(std::move(*lease));
  return flight.has_connection();
}

// Gets a lease with a connection that can be written to. False: it failed.
Task<bool> Client::State::connect(Flight* flight) {
  Call& call = flight->call;
  if (!flight->lease) {
    std::optional<Lease> lease = co_await pool->lease(&flight->request.url, &call);
    if (!lease) co_return flight->fails(call.ended());
    flight->lease.emplace(std::move(*lease));
  }
  if (flight->lease->connection() != nullptr) co_return true;
  Origin* const origin = &flight->lease->origin();
  if (!co_await origin->connecting.take(&call)) co_return flight->fails(call.ended());
  const Turns::Turn turn(&origin->connecting);
  Result<std::unique_ptr<PooledConnection>> connection = co_await connector.connect(origin, flight->proxy, &call);
  if (!connection) co_return flight->fails(connection.error());
  ++connections_opened;
  flight->lease->connect(std::move(*connection));
  co_return true;
}

// Until the answer has an end, or a piece; from nothing, when it has just begun. False: it failed.
Task<bool> Client::State::fly(Flight* flight) {
  using Progress = Exchange::Progress;
  for (;;) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    const bool is_cancelled = state.cancelled() != boost::asio::cancellation_type::none;
    if (!flight->has_connection()) {
      if (is_cancelled) co_return flight->fails(flight->call.ended());
      if (!lease_at_once(*flight) && !co_await connect(flight)) co_return false;
    }
    const Progress progress = flight->exchange.advance(flight->transport());
    if (progress == Progress::done || progress == Progress::piece) co_return true;
    if (progress == Progress::failed) {
      if (!start_over(*flight)) co_return false;
    } else if (progress == Progress::want_body) {
      if (!co_await feed(flight)) co_return false;
    } else {
      if (!flight->waits(is_cancelled)) co_return false;
      const Io want = progress == Progress::want_write ? Io::want_write : Io::want_read;
      const auto [error] = co_await flight->transport().ready(want);
      if (!flight->goes_on(error.failed())) co_return false;
    }
  }
}

// After a failure: the kept connection was dead, and the request goes out again on a fresh one, once. False: it did not
// fail by that.
bool Client::State::start_over(Flight& flight) {
  flight.fails(flight.exchange.error());
  const bool is_stale = flight.exchange.never_arrived() && flight.lease->connection()->reused;
  if (!is_stale || flight.started_over) return false;
  ++stale_retries;
  if (flight.request.body_source) {
    if (const Status rewound = flight.request.body_source->rewind(); !rewound) return flight.fails(rewound.error());
  }
  flight.started_over = true;
  flight.failure.reset();
  flight.lease->close();
  flight.exchange.restart();
  return true;
}

// Made before the task that flies it, so that the task's frame does not hold the request too.
std::unique_ptr<Flight> Client::State::flight_of(Request request, bool in_pieces) {
  ++requests;
  const Proxy* const proxy = proxies ? proxies->proxy_for(request.url) : nullptr;
  const Status sound = check_request(request);
  auto flight = std::make_unique<Flight>(std::move(request), proxy, sweep, settings.header_bytes_max, in_pieces);
  if (!proxies) flight->fails(proxies.error());
  if (!sound) flight->fails(sound.error());
  return flight;
}

Task<Outcome<Response>> Client::State::answer(std::shared_ptr<State> state, std::unique_ptr<Flight> flight) {
  // A cancelled wait is a value here; the task that called us is given back as it was.
  const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const bool landed = !flight->failure && co_await state->fly(flight.get());
  co_await boost::asio::this_coro::throw_if_cancelled(throwing);
  if (!landed) co_return std::unexpected(std::move(*flight->failure));
  flight->land();
  Exchange& exchange = flight->exchange;
  co_return Response{exchange.status(), exchange.take_headers(), std::move(exchange.body())};
}

Task<Outcome<std::unique_ptr<ResponseStream>>> Client::State::stream(std::shared_ptr<State> state,
                                                                     std::unique_ptr<Flight> flight) {
  const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const bool landed = !flight->failure && co_await state->fly(flight.get());
  co_await boost::asio::this_coro::throw_if_cancelled(throwing);
  if (!landed) co_return std::unexpected(std::move(*flight->failure));
  co_return std::make_unique<StreamedAnswer>(std::move(state), std::move(flight));
}

Client::Client(boost::asio::any_io_executor executor, ClientSettings settings)
    : state_(std::make_shared<State>(executor, std::move(settings))) {}

Client::~Client() = default;

Task<Outcome<Response>> Client::send(Request request) {
  return State::answer(state_, state_->flight_of(std::move(request), false));
}

Task<Outcome<std::unique_ptr<ResponseStream>>> Client::open(Request request) {
  return State::stream(state_, state_->flight_of(std::move(request), true));
}

Client::Stats Client::stats() const {
  return {state_->connections_opened, state_->requests, state_->stale_retries + state_->pool->found_closed(),
          state_->pool->open()};
}

}  // namespace palette::http
