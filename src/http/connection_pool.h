// Connections kept alive between requests, by origin; a limit on all of them together, and a queue for it that is fair.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/call.h"
#include "http/client.h"
#include "http/transport.h"
#include "http/turns.h"

namespace palette::http {

struct OriginName {
  std::string_view host;
  std::uint16_t port = 0;
  bool tls = false;
  bool operator==(const OriginName&) const = default;
};

struct PooledConnection {
  explicit PooledConnection(Transport::Socket socket) : transport(std::move(socket)) {}

  Transport transport;
  std::int64_t idle_since_ms = 0;
  bool reused = false;  // has carried an exchange before
};

// What is known of one scheme, host and port.
struct Origin {
  explicit Origin(const boost::asio::any_io_executor& executor) : connecting(executor, kConnectingMax) {}

  // Thousands of connections made side by side would overrun the server's queue, and their handshakes would all end
  // late.
  static constexpr std::size_t kConnectingMax = 128;

  Turns connecting;
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
  std::vector<std::unique_ptr<PooledConnection>> idle;  // the longest unused first
  SslSessionPointer session;                            // of the latest connection; null: none to resume
  std::size_t open = 0;                                 // leases and idle connections
};

class ConnectionPool;

// The right to one open connection of an origin, and the connection once there is one. Destroyed, it closes the
// connection and gives the right back.
class Lease {
 public:
  Lease(std::shared_ptr<ConnectionPool> pool, Origin* origin, std::unique_ptr<PooledConnection> connection)
      : pool_(std::move(pool)), origin_(origin), connection_(std::move(connection)) {}
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) = delete;
  ~Lease();

  Origin& origin() { return *origin_; }
  PooledConnection* connection() { return connection_.get(); }
  void connect(std::unique_ptr<PooledConnection> connection) { connection_ = std::move(connection); }
  // Closes the connection and keeps the right to open another.
  void close() { connection_.reset(); }
  // Gives the connection to whoever comes next; the lease is over.
  void keep();

 private:
  std::shared_ptr<ConnectionPool> pool_;  // null: given back, or moved from
  Origin* origin_;
  std::unique_ptr<PooledConnection> connection_;
};

class ConnectionPool final : public Timed, public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(boost::asio::any_io_executor executor, std::shared_ptr<DeadlineSweep> sweep,
                 const ClientSettings& settings);
  ~ConnectionPool();

  // The last connection that came back, else the right to open one; nothing when the limit is reached and others are
  // busy, or wait before us.
  std::optional<Lease> try_lease(const OriginName& name);
  // The same, in turn. Nothing when the call ends before.
  async::Task<std::optional<Lease>> lease(const Url* url, Call* call);

  std::size_t open() const { return open_; }
  // Kept connections that were found closed when their turn came.
  std::int64_t found_closed() const { return found_closed_; }

  void on_deadline() override;

 private:
  friend class Lease;
  struct Waiter;
  struct NameHash {
    std::size_t operator()(const OriginName& name) const {
      return std::hash<std::string_view>()(name.host) * 31 + name.port * 2U + (name.tls ? 1 : 0);
    }
  };

  Origin& origin_of(const OriginName& name);
  std::unique_ptr<PooledConnection> take_idle(Origin& origin);
  bool close_oldest_idle();
  void give_back(Origin& origin, std::unique_ptr<PooledConnection> connection);
  void forget_unused_origins();
  void watch(std::int64_t due_ms);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<DeadlineSweep> sweep_;
  std::size_t connections_max_, idle_per_origin_max_;
  std::int64_t idle_close_ms_;
  // Each name looks into the string of its origin.
  std::unordered_map<OriginName, std::unique_ptr<Origin>, NameHash> origins_;
  std::list<Waiter*> waiters_;
  std::size_t open_ = 0;
  std::size_t idle_ = 0;
  std::int64_t found_closed_ = 0;
  bool watched_ = false;
};

}  // namespace palette::http
