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

// A request on its way, with all it holds. It stays where it was made, and `request` outlives it.
struct Flight {
  Flight(const Request& its_request, const Proxy* its_proxy, const std::shared_ptr<DeadlineSweep>& sweep,
         std::size_t header_bytes_max, bool in_pieces)
      : request(its_request),
        proxy(its_proxy),
        call(sweep, request.deadlines),
        exchange(request, proxy, header_bytes_max, in_pieces) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // Always false, for those who say by it that there is a failure.
  bool fails(const Error& error) {
    failure =
        std::make_unique<Failure>(Failure{error.at(request.method + " " + request.url.origin()), exchange.sent()});
    return false;
  }
  // The answer is whole: the connection is free for the next request, when it can be.
  void land() {
    if (exchange.reusable()) lease->keep();
    lease.reset();
  }

  const Request& request;
  const Proxy* proxy;
  Call call;
  Exchange exchange;
  std::optional<Lease> lease;
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

// Runs the exchange until it has an end, or a piece of the answer. False: it failed.
Task<bool> fly(Flight* flight) {
  using Progress = Exchange::Progress;
  Transport& transport = flight->lease->connection()->transport;
  for (;;) {
    const Progress progress = flight->exchange.advance(transport);
    if (progress == Progress::done || progress == Progress::piece) co_return true;
    if (progress == Progress::failed) co_return flight->fails(flight->exchange.error());
    if (progress == Progress::want_body) {
      if (!co_await feed(flight)) co_return false;
      continue;
    }
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (flight->call.expired() || state.cancelled() != boost::asio::cancellation_type::none)
      co_return flight->fails(flight->call.ended());
    flight->call.enter(flight->exchange.phase());
    flight->call.waits_for(&transport);
    const auto [error] = co_await transport.ready(progress == Progress::want_write ? Io::want_write : Io::want_read);
    flight->call.waits_for(static_cast<Transport*>(nullptr));
    if (error || flight->call.expired()) co_return flight->fails(flight->call.ended());
  }
}

// An answer that is read in pieces.
class StreamedAnswer final : public ResponseStream {
 public:
  StreamedAnswer(std::unique_ptr<Request> request, std::unique_ptr<Flight> flight)
      : request_(std::move(request)),
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
      if (!co_await fly(flight_.get())) {
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

  std::unique_ptr<Request> request_;
  std::unique_ptr<Flight> flight_;
  int status_;
  std::optional<std::uint64_t> content_length_;
  Headers headers_;
};

}  // namespace

struct Client::State {
  State(const boost::asio::any_io_executor& executor, ClientSettings its_settings)
      : settings(std::move(its_settings)),
        proxies(ProxyRules::parse(settings.http_proxy, settings.https_proxy, settings.no_proxy)),
        sweep(std::make_shared<DeadlineSweep>(executor)),
        pool(std::make_shared<ConnectionPool>(executor, sweep, settings)),
        connector(executor, settings) {}

  const Proxy* proxy_for(const Url& url) const { return proxies ? proxies->proxy_for(url) : nullptr; }
  Task<bool> launch(Flight* flight);
  Task<bool> connect(Flight* flight);
  bool start_over(Flight* flight);

  ClientSettings settings;
  Result<ProxyRules> proxies;
  std::shared_ptr<DeadlineSweep> sweep;
  std::shared_ptr<ConnectionPool> pool;
  Connector connector;
  std::int64_t requests = 0;
  std::int64_t connections_opened = 0;
  std::int64_t stale_retries = 0;
};

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

// From nothing to the first piece of the answer, or its end. False: it failed.
Task<bool> Client::State::launch(Flight* flight) {
  ++requests;
  if (!proxies) co_return flight->fails(proxies.error());
  if (const Status sound = check_request(flight->request); !sound) co_return flight->fails(sound.error());
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (state.cancelled() != boost::asio::cancellation_type::none) co_return flight->fails(flight->call.ended());
  const Url& url = flight->request.url;
  if (std::optional<Lease> lease = pool->try_lease({url.host, url.port, url.tls}))
    flight->lease.emplace(std::move(*lease));
  for (bool retried = false;; retried = true) {
    if (!flight->lease || flight->lease->connection() == nullptr) {
      if (!co_await connect(flight)) co_return false;
    }
    if (co_await fly(flight)) co_return true;
    const bool stale = flight->exchange.never_arrived() && flight->lease->connection()->reused;
    if (!stale || retried) co_return false;
    if (!start_over(flight)) co_return false;
  }
}

// The kept connection was dead: the request goes out again on a fresh one.
bool Client::State::start_over(Flight* flight) {
  ++stale_retries;
  if (flight->request.body_source) {
    if (const Status rewound = flight->request.body_source->rewind(); !rewound) return flight->fails(rewound.error());
  }
  flight->failure.reset();
  flight->lease->close();
  flight->exchange.restart();
  return true;
}

Client::Client(boost::asio::any_io_executor executor, ClientSettings settings)
    : state_(std::make_shared<State>(executor, std::move(settings))) {}

Client::~Client() = default;

Task<Outcome<Response>> Client::send(Request request) {
  const std::shared_ptr<State> state = state_;
  // A cancelled wait is a value here; the task that called us is given back as it was.
  const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const Proxy* const proxy = state->proxy_for(request.url);
  Flight flight(request, proxy, state->sweep, state->settings.header_bytes_max, false);
  const bool landed = co_await state->launch(&flight);
  co_await boost::asio::this_coro::throw_if_cancelled(throwing);
  if (!landed) co_return std::unexpected(std::move(*flight.failure));
  flight.land();
  Exchange& exchange = flight.exchange;
  co_return Response{exchange.status(), exchange.take_headers(), std::move(exchange.body())};
}

Task<Outcome<std::unique_ptr<ResponseStream>>> Client::open(Request request) {
  const std::shared_ptr<State> state = state_;
  const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto kept = std::make_unique<Request>(std::move(request));
  auto flight = std::make_unique<Flight>(*kept, state->proxy_for(kept->url), state->sweep,
                                         state->settings.header_bytes_max, true);
  const bool landed = co_await state->launch(flight.get());
  co_await boost::asio::this_coro::throw_if_cancelled(throwing);
  if (!landed) co_return std::unexpected(std::move(*flight->failure));
  co_return std::make_unique<StreamedAnswer>(std::move(kept), std::move(flight));
}

Client::Stats Client::stats() const {
  return {state_->connections_opened, state_->requests, state_->stale_retries + state_->pool->found_closed(),
          state_->pool->open()};
}

}  // namespace palette::http
