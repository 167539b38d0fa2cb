#include "http/connector.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "http/field_rules.h"
#include "http/wire_parser.h"

namespace palette::http {

async::Task<bool> wait_ready(Transport* transport, Io want, Call* call) {
  const auto before = co_await boost::asio::this_coro::cancellation_state;
  if (call->expired() || before.cancelled() != boost::asio::cancellation_type::none) co_return false;
  call->waits_for(transport);
  const auto [error] = co_await transport->ready(want);
  call->waits_for(static_cast<Transport*>(nullptr));
  co_return !error && !call->expired();
}

async::Task<Result<Transport::Socket>> Connector::open_socket(std::string host, std::uint16_t port, Call* call) {
  constexpr std::int64_t kStagger_ms = 250;  // RFC 8305 section 8
  Result<Resolver::Addresses> addresses = co_await resolver_.addresses(host, call);
  if (!addresses) co_return std::unexpected(addresses.error());
  const std::string peer = host + ":" + std::to_string(port);
  co_return co_await connect_to_any(executor_, std::move(*addresses), port, peer, kStagger_ms, call);
}

async::Task<Result<std::unique_ptr<PooledConnection>>> Connector::connect(Origin* origin, const Proxy* proxy,
                                                                          Call* call) {
  call->enter(Call::Phase::connect);
  Result<Transport::Socket> socket = co_await open_socket(proxy != nullptr ? proxy->host : origin->host,
                                                          proxy != nullptr ? proxy->port : origin->port, call);
  if (!socket) {
    Error error = socket.error();
    if (proxy != nullptr && error.kind == ErrorKind::unavailable) error.message += ", the proxy of the environment";
    co_return std::unexpected(std::move(error));
  }
  auto connection = std::make_unique<PooledConnection>(std::move(*socket));
  if (origin->tls) {
    if (proxy != nullptr) {
      if (Status open = co_await open_tunnel(connection.get(), origin, proxy, call); !open)
        co_return std::unexpected(open.error());
    }
    if (Status done = co_await start_tls(connection.get(), origin, call); !done)
      co_return std::unexpected(done.error());
  }
  co_return connection;
}

namespace {

// RFC 9110 section 9.3.6.
std::string connect_request(const Origin& origin, const Proxy& proxy) {
  const bool six = origin.host.find(':') != std::string::npos;
  const std::string target = (six ? "[" + origin.host + "]:" : origin.host + ":") + std::to_string(origin.port);
  std::string text = "CONNECT " + target + " HTTP/1.1\r\n";
  append_field(text, "Host", target);
  if (!proxy.authorization.empty()) append_field(text, "Proxy-Authorization", proxy.authorization);
  return text + "\r\n";
}

Status tunnel_verdict(int status, const std::string& peer) {
  if (status / 100 == 2) return {};
  if (status == 407)
    return fail(ErrorKind::denied, "the proxy wants a user name and password for " + peer +
                                       "; write them into its address: http://user:password@host:port");
  return fail(status == 403 ? ErrorKind::denied : ErrorKind::unavailable,
              "the proxy does not connect to " + peer + ": status " + std::to_string(status));
}

}  // namespace

async::Task<Status> Connector::open_tunnel(PooledConnection* connection, Origin* origin, const Proxy* proxy,
                                           Call* call) {
  Transport& transport = connection->transport;
  const std::string text = connect_request(*origin, *proxy);
  std::string_view left = text;
  while (!left.empty()) {
    const IoResult sent = transport.write(left);
    if (sent.io == Io::broken)
      co_return std::unexpected(system_error("send", "to the proxy " + proxy->host, sent.error));
    left.remove_prefix(sent.bytes);
    if (sent.io != Io::moved && !co_await wait_ready(&transport, sent.io, call))
      co_return std::unexpected(call->ended());
  }
  WireParser<false> parser(settings_.header_bytes_max, 0);
  parser.skip(true);
  std::string received;
  while (!parser.is_done()) {
    // Byte for byte up to the end of the header: what comes after it belongs to TLS.
    char byte = 0;
    const IoResult got = transport.read({&byte, 1});
    if (got.io == Io::end || got.io == Io::broken)
      co_return fail(ErrorKind::unavailable, "the proxy " + proxy->host + " closed the connection");
    if (got.io != Io::moved) {
      if (!co_await wait_ready(&transport, got.io, call)) co_return std::unexpected(call->ended());
      continue;
    }
    received += byte;
    if (!received.ends_with("\r\n\r\n")) {
      if (received.size() > settings_.header_bytes_max)
        co_return fail(ErrorKind::too_large, "the header of the proxy's answer is larger than the limit");
      continue;
    }
    const Result<std::size_t> used = parser.parse(received);
    if (!used) co_return std::unexpected(used.error());
  }
  co_return tunnel_verdict(parser.status_code, origin->host + ":" + std::to_string(origin->port));
}

async::Task<Status> Connector::start_tls(PooledConnection* connection, Origin* origin, Call* call) {
  if (!tls_) {
    Result<SslContextPointer> context = client_tls_context(settings_.ca_file, settings_.verify_tls);
    if (!context) co_return std::unexpected(context.error());
    tls_ = std::move(*context);
  }
  Result<SslPointer> ssl = client_tls(tls_.get(), origin->host, &origin->session);
  if (!ssl) co_return std::unexpected(ssl.error());
  Transport& transport = connection->transport;
  transport.start_tls(std::move(*ssl));
  for (;;) {
    const IoResult done = transport.handshake();
    if (done.io == Io::moved) co_return Status{};
    if (done.io == Io::end || done.io == Io::broken) {
      origin->session.reset();  // the next attempt starts from nothing
      co_return std::unexpected(
          handshake_error(transport.tls(), origin->host + ":" + std::to_string(origin->port), done.error));
    }
    if (!co_await wait_ready(&transport, done.io, call)) co_return std::unexpected(call->ended());
  }
}

}  // namespace palette::http
