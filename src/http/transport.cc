#include "http/transport.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace palette::http {
namespace {

constexpr std::size_t kTlsRecordBytes = 16 * 1024;  // RFC 8446 section 5.1

IoResult system_result(int error, Io again) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return {again, 0, 0};
  return {Io::broken, 0, error};
}

}  // namespace

Transport::Transport(Socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;  // a socket the other side has already reset; the next read or write says so
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
}

void Transport::start_tls(SslPointer ssl) {
  ssl_ = std::move(ssl);
  attach_socket(ssl_.get(), socket_.native_handle());
}

IoResult Transport::tls_result(int result) {
  if (result > 0) return {Io::moved, static_cast<std::size_t>(result), 0};
  const int error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Io::want_read, 0, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Io::want_write, 0, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::end, 0, 0};
    case SSL_ERROR_SYSCALL:
      return {Io::broken, 0, error};
    default:
      return {Io::broken, 0, 0};
  }
}

IoResult Transport::handshake() {
  ERR_clear_error();
  errno = 0;
  IoResult result = tls_result(SSL_do_handshake(ssl_.get()));
  result.bytes = 0;
  return result;
}

IoResult Transport::write(std::string_view first, std::string_view second) {
  if (first.empty() && second.empty()) return {};
  if (ssl_) {
    // One record for the two, so that a small request is one packet.
    char record[kTlsRecordBytes];
    std::string_view out = first.empty() ? second : first;
    if (!first.empty() && !second.empty() && first.size() < sizeof record) {
      const std::size_t rest = std::min(second.size(), sizeof record - first.size());
      std::memcpy(record, first.data(), first.size());
      std::memcpy(record + first.size(), second.data(), rest);
      out = std::string_view(record, first.size() + rest);
    }
    ERR_clear_error();
    errno = 0;
    return tls_result(SSL_write(ssl_.get(), out.data(), static_cast<int>(std::min<std::size_t>(out.size(), 1U << 30))));
  }
  iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                     {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = first.empty() ? pieces + 1 : pieces;
  message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
  const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return system_result(errno, Io::want_write);
  return {Io::moved, static_cast<std::size_t>(sent), 0};
}

IoResult Transport::read(std::span<char> into) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int size = static_cast<int>(std::min<std::size_t>(into.size(), 1U << 30));
    const IoResult got = tls_result(SSL_read(ssl_.get(), into.data(), size));
    // A session ticket leaves a write buffer of 16 KiB behind that SSL_MODE_RELEASE_BUFFERS does not see.
    if (got.io == Io::want_read) SSL_free_buffers(ssl_.get());
    return got;
  }
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (got == 0) return {Io::end, 0, 0};
  if (got < 0) return system_result(errno, Io::want_read);
  return {Io::moved, static_cast<std::size_t>(got), 0};
}

bool Transport::holds_bytes() const { return ssl_ && SSL_has_pending(ssl_.get()) != 0; }

IoResult Transport::discard() {
  char piece[kTlsRecordBytes];
  return read(piece);
}

bool Transport::quiet() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
  if (got == 0 || !ssl_) return false;
  // Session tickets come after the handshake and are no data (RFC 8446 section 4.6.1).
  ERR_clear_error();
  const int peeked = SSL_peek(ssl_.get(), &byte, 1);
  return peeked <= 0 && SSL_get_error(ssl_.get(), peeked) == SSL_ERROR_WANT_READ;
}

bool Transport::peer_closed() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

std::size_t Transport::unacknowledged_bytes() {
  int bytes = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

void Transport::cancel() {
  boost::system::error_code ignored;  // fails only for a closed socket, which has no waits
  socket_.cancel(ignored);
}

void Transport::shutdown_send() {
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // sends close_notify; the answer to it is not awaited (RFC 8446 section 6.1)
  }
  boost::system::error_code ignored;  // the other side may have reset the connection: then it has ended anyway
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() {
  ssl_.reset();  // it knows the descriptor by its number, which the system gives to the next socket
  boost::system::error_code ignored;  // close(2) frees the descriptor whatever it says
  socket_.close(ignored);
}

}  // namespace palette::http
