// The HTTP/1.1 client: keep-alive connections pooled by origin, TLS, proxies, deadlines. One loop, no locks.
//
//   Client client(loop.context().get_executor(), settings);
//   Outcome<Response> answer = co_await client.send({.method = "POST", .url = url, .headers = {…}, .body = body});
//
// Any status is an answer; a Failure is an exchange that did not come to its end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/limits.h"
#include "http/message.h"

namespace palette::http {

// Every wait ends. 0: this wait has no deadline of its own (the total still holds).
struct Deadlines {
  std::int64_t connect_ms = 5'000;      // name, TCP and TLS together
  std::int64_t first_byte_ms = 60'000;  // from the request's last byte to the answer's first
  std::int64_t idle_ms = 30'000;        // between two bytes of the answer, or two writes
  std::int64_t total_ms = 120'000;

  // The same, but the answer is waited for `answer_ms` (0: as it is), and its end half as long again.
  Deadlines with_answer(std::int64_t answer_ms) const {
    Deadlines out = *this;
    if (answer_ms > 0) {
      out.first_byte_ms = answer_ms;
      out.total_ms = connect_ms + answer_ms + answer_ms / 2;
    }
    return out;
  }
};

// Where a body comes from that is not held in memory. `size` is sent as Content-Length.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;
  // The next bytes; empty at the end. Called again from the start after rewind().
  virtual async::Task<Result<std::string>> next() = 0;
  virtual Status rewind() = 0;
};

struct Request {
  std::string method = "GET";
  Url url = {};
  Headers headers = {};  // Host, Content-Length, Connection and Accept-Encoding are the client's own
  std::string body = {};
  std::shared_ptr<BodySource> body_source = {};         // instead of `body`, when set
  std::shared_ptr<const std::string> shared_body = {};  // likewise: a text that its owner keeps too
  Deadlines deadlines = {};
  std::size_t body_bytes_max = 64 * limits::kMiB;  // of the answer, unpacked
  // Of a proxy: Host and Accept-Encoding of `headers` go out as they are, and the answer's body stays as it came.
  bool as_given = false;
};

// `sent`: the other side may have had the whole request, and may have acted on it (and billed it).
// Kinds: unavailable (name, connection, reset, ended half way), timeout, cancelled, too_large, denied (the certificate
// is not trusted, expired, or of another host), corrupt (what came is not HTTP, or not the gzip it says).
struct Failure {
  Error error;
  bool sent = false;
};

template <class T>
using Outcome = std::expected<T, Failure>;

// An answer whose body is read piece by piece. Destroying it before the end closes its connection.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
  // The next bytes, at most 64 KiB or so; empty at the end.
  virtual async::Task<Outcome<std::string>> next() = 0;
};

struct ClientSettings {
  std::size_t connections_max = 16'384;      // open at once, all origins; requests beyond wait
  std::size_t idle_per_origin_max = 16'384;  // kept for reuse
  std::int64_t idle_close_ms = 50'000;       // kept no longer unused
  std::int64_t dns_ttl_ms = 30'000;          // a name's addresses are asked again after that
  std::size_t dns_names_max = 256;
  std::size_t header_bytes_max = 64 * limits::kKiB;
  std::string ca_file = {};  // PEM, beside the system's; empty: SSL_CERT_FILE or the system's
  bool verify_tls = true;    // off only in tests of the client itself
  // As in the environment: HTTP_PROXY, HTTPS_PROXY (http://[user:password@]host:port), NO_PROXY.
  std::string http_proxy = {}, https_proxy = {}, no_proxy = {};
};

// ca_file from AWS_CA_BUNDLE or SSL_CERT_FILE; proxies from http_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY in either
// case (HTTP_PROXY only in lower case: a CGI request could set the other). bad_input for a proxy that is no URL.
Result<ClientSettings> client_settings_from_environment();

class Client {
 public:
  struct Stats {
    std::int64_t connections_opened = 0;
    std::int64_t requests = 0;
    std::int64_t stale_retries = 0;  // a pooled connection was found closed, and a fresh one used
    std::size_t open = 0;            // connections now
  };

  Client(boost::asio::any_io_executor executor, ClientSettings settings);
  ~Client();  // closes what is idle; nothing may be in flight
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The deadlines run from this very call; nothing goes out before the task is awaited.
  async::Task<Outcome<Response>> send(Request request);
  async::Task<Outcome<std::unique_ptr<ResponseStream>>> open(Request request);

  Stats stats() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// Raises the limit of open files as far as the system lets; gives what it is now.
Result<std::uint64_t> raise_file_limit(std::uint64_t wanted);

}  // namespace palette::http
