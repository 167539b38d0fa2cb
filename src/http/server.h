// The HTTP/1.1 server: one coroutine a connection, keep-alive, limits and deadlines. For plot-palette-sim, tests, and
// the Job API.
//
//   Result<std::unique_ptr<Server>> server = Server::listen(executor, {.port = 0}, handler);
//   std::uint16_t port = (*server)->port();
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/limits.h"
#include "http/message.h"

namespace palette::http {

struct ServerRequest {
  std::string method;
  std::string target;  // path and query as they came
  Headers headers;
  std::string body;
  std::string peer;  // "127.0.0.1:40312"
  // Has the client gone meanwhile? For handlers that wait on purpose; good as long as the handler runs.
  std::function<bool()> client_has_left = {};
};

// How the answer goes out; all but `whole` are faults on purpose, for stand-ins.
enum class Ending : std::uint8_t {
  whole,
  cut,   // the connection is closed without a byte
  half,  // the headers say the whole length; half of the body comes, then the connection is closed
};

struct ServerReply {
  Response response;  // Content-Length is the server's own, but for an answer to HEAD that has one
  Ending ending = Ending::whole;
  // Told when the reply has left (false: the peer was gone before, or the ending was not `whole`).
  std::function<void(bool delivered)> on_sent = {};
};

using Handler = std::function<async::Task<ServerReply>(ServerRequest)>;

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                                    // 0: any that is free
  std::string tls_certificate_file = {}, tls_key_file = {};  // PEM; both or none
  std::size_t header_bytes_max = 64 * limits::kKiB;
  std::size_t body_bytes_max = 32 * limits::kMiB;
  std::int64_t idle_ms = 120'000;  // between requests of a connection
  std::int64_t read_ms = 60'000;   // for one request to arrive
  std::size_t connections_max = 20'000;
};

class Server {
 public:
  // bad_input when the address cannot be bound or the certificate cannot be read.
  static Result<std::unique_ptr<Server>> listen(boost::asio::any_io_executor executor, ServerSettings settings,
                                                Handler handler);
  // Closes the listener and every connection. On the loop, or once it runs no more: Asio 1.81's co_spawn keeps a plain
  // pointer to the cancellation signal of each connection until the loop has come to it.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;
  void stop_accepting();

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace palette::http
