// One connected stream socket, plain or under TLS, without a thread or a buffer of its own: every call does what can be
// done at once and says what must be waited for. While it waits, a connection costs no memory for reading.
//
//   IoResult got = transport.read(buffer);
//   if (got.io == Io::want_read) auto [error] = co_await transport.ready(got.io);
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/tls.h"

namespace palette::http {

enum class Io : std::uint8_t {
  moved,       // bytes went over, or the handshake is done
  want_read,   // wait until there is something to read
  want_write,  // wait until there is room to write
  end,         // the other side has ended its stream in order
  broken,      // reset, or a breach of TLS; `error` is errno, or 0 for one of TLS
};

struct IoResult {
  Io io = Io::moved;
  std::size_t bytes = 0;
  int error = 0;
};

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `socket` is connected. Small messages go out at once (TCP_NODELAY).
  explicit Transport(Socket socket);

  // From now on under TLS; handshake() until it has `moved`.
  void start_tls(SslPointer ssl);
  IoResult handshake();

  // Both pieces as one message as far as there is room; `bytes` counts over the two. An empty message moves 0 bytes.
  // After want_* the same bytes are written again.
  IoResult write(std::string_view first, std::string_view second = {});
  IoResult read(std::span<char> into);
  // Bytes have come out of the socket that no read() has given yet: nothing would announce them.
  bool holds_bytes() const;
  // Reads and forgets.
  IoResult discard();

  // Nothing came and nobody closed: whether a connection that was left alone can be used again.
  bool quiet();
  // The other side has closed its end, or the connection was reset. Looks at the socket alone, not into TLS.
  bool peer_closed();
  // How much of what was written the other side's system has not acknowledged.
  std::size_t unacknowledged_bytes();

  // Completes with an error code; operation_aborted after cancel() and when the task is cancelled.
  auto ready(Io want) {
    const auto direction = want == Io::want_write ? Socket::wait_write : Socket::wait_read;
    return socket_.async_wait(direction, boost::asio::as_tuple(boost::asio::deferred));
  }
  void cancel();
  // Ends our side of the stream in order; the other side may still be read.
  void shutdown_send();
  // Closes it; reads and writes are `broken` from then on.
  void close();

  ssl_st* tls() { return ssl_.get(); }
  Socket& socket() { return socket_; }

 private:
  IoResult tls_result(int result);

  Socket socket_;
  SslPointer ssl_;
};

}  // namespace palette::http
