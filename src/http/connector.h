// A connection from nothing: name, TCP to the first address that answers, the proxy's tunnel, TLS.
#pragma once

#include <memory>
#include <string>

#include "async/task.h"
#include "http/call.h"
#include "http/connection_pool.h"
#include "http/proxy.h"
#include "http/resolver.h"

namespace palette::http {

class Connector {
 public:
  Connector(boost::asio::any_io_executor executor, const ClientSettings& settings)
      : executor_(executor), settings_(settings), resolver_(executor, settings.dns_ttl_ms, settings.dns_names_max) {}

  // A connection that requests to `origin` can be written to, through `proxy` unless it is null. The call's deadline of
  // connecting holds. Nothing of a request has gone out when it fails.
  async::Task<Result<std::unique_ptr<PooledConnection>>> connect(Origin* origin, const Proxy* proxy, Call* call);

 private:
  async::Task<Result<Transport::Socket>> open_socket(std::string host, std::uint16_t port, Call* call);
  async::Task<Status> open_tunnel(PooledConnection* connection, Origin* origin, const Proxy* proxy, Call* call);
  async::Task<Status> start_tls(PooledConnection* connection, Origin* origin, Call* call);

  boost::asio::any_io_executor executor_;
  const ClientSettings& settings_;
  Resolver resolver_;
  SslContextPointer tls_;  // made at the first use: the system's authorities take milliseconds to read
};

// Waits until the transport is ready; false when the call has ended (cancelled or expired).
async::Task<bool> wait_ready(Transport* transport, Io want, Call* call);

// TCP to the first of the addresses that answers. The next one is tried when one fails, and beside it when it does not
// answer within `stagger_ms` (RFC 8305 section 5). `peer` is for messages.
async::Task<Result<Transport::Socket>> connect_to_any(boost::asio::any_io_executor executor,
                                                      Resolver::Addresses addresses, std::uint16_t port,
                                                      std::string peer, std::int64_t stagger_ms, Call* call);

}  // namespace palette::http
