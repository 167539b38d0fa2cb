#include "http/server.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <ctime>
#include <exception>
#include <list>
#include <utility>

#include "async/timer.h"
#include "http/deadlines.h"
#include "http/server_message.h"
#include "http/transport.h"

namespace palette::http {
namespace {

using async::Task;
using boost::asio::ip::tcp;
using Ready = RequestReader::State;

// One connection, from accept to its end.
struct Connection final : Timed {
  Connection(Transport::Socket socket, const ServerSettings& settings)
      : transport(std::move(socket)), reader(settings) {}

  void on_deadline() override {
    timed_out = true;
    transport.cancel();
  }

  Transport transport;
  RequestReader reader;
  std::string peer;
  bool timed_out = false;
  boost::asio::cancellation_signal signal;  // for what the handler waits for
};

}  // namespace

struct Server::State {
  State(const boost::asio::any_io_executor& executor, ServerSettings its_settings, Handler its_handler)
      : settings(std::move(its_settings)),
        handler(std::move(its_handler)),
        acceptor(executor),
        room(executor),
        sweep(std::make_shared<DeadlineSweep>(executor)) {}

  std::string_view date();
  // Completes with false when the wait has failed, was cancelled or has not ended when it was due.
  Task<bool> wait(Connection* connection, Io want, std::int64_t due_ms);
  Task<bool> write(Connection* connection, std::string_view head, std::string_view body);
  Task<bool> shake_hands(Connection* connection);
  Task<bool> read(Connection* connection);
  Task<ServerReply> answer(ServerRequest request);
  Task<bool> reply(Connection* connection);
  Task<void> linger(Connection* connection);
  Task<void> serve(Connection* connection);
  Task<void> accept(std::shared_ptr<State> self);
  void start(const std::shared_ptr<State>& self, Transport::Socket socket);

  ServerSettings settings;
  Handler handler;
  tcp::acceptor acceptor;
  boost::asio::steady_timer room;  // wakes accept() when a connection has ended
  SslContextPointer tls;
  std::shared_ptr<DeadlineSweep> sweep;
  std::list<Connection> connections;
  std::uint16_t port = 0;
  bool stopped = false;

 private:
  std::time_t date_s_ = 0;
  std::string date_;
};

std::string_view Server::State::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_s_) {
    date_s_ = now;
    date_ = http_date(now);
  }
  return date_;
}

Task<bool> Server::State::wait(Connection* connection, Io want, std::int64_t due_ms) {
  sweep->arm(*connection, due_ms);
  const auto [error] = co_await connection->transport.ready(want);
  sweep->arm(*connection, kNever_ms);
  co_return !error && !connection->timed_out && !stopped;
}

Task<bool> Server::State::write(Connection* connection, std::string_view head, std::string_view body) {
  while (!head.empty() || !body.empty()) {
    const IoResult sent = connection->transport.write(head, body);
    if (sent.io == Io::moved) {
      const std::size_t of_head = std::min(sent.bytes, head.size());
      head.remove_prefix(of_head);
      body.remove_prefix(sent.bytes - of_head);
    } else if (sent.io == Io::end || sent.io == Io::broken) {
      co_return false;
    } else if (!co_await wait(connection, sent.io, due_in(settings.read_ms))) {
      co_return false;
    }
  }
  co_return true;
}

Task<bool> Server::State::shake_hands(Connection* connection) {
  Result<SslPointer> ssl = server_tls(tls.get());
  if (!ssl) co_return false;
  connection->transport.start_tls(std::move(*ssl));
  const std::int64_t due_ms = due_in(settings.read_ms);
  for (;;) {
    const IoResult done = connection->transport.handshake();
    if (done.io == Io::moved) co_return true;
    if (done.io == Io::end || done.io == Io::broken) co_return false;
    if (!co_await wait(connection, done.io, due_ms)) co_return false;
  }
}

// Reads the next request. False: the connection has nothing more to say, or was refused.
Task<bool> Server::State::read(Connection* connection) {
  RequestReader& reader = connection->reader;
  std::int64_t due_ms = due_in(settings.idle_ms);
  bool begun = false;
  for (;;) {
    const Ready state = reader.advance(connection->transport);
    if (state == Ready::complete) co_return true;
    if (state == Ready::ended) co_return false;
    if (state == Ready::continue_) {
      if (!co_await write(connection, "HTTP/1.1 100 Continue\r\n\r\n", {})) co_return false;
      continue;
    }
    if (state == Ready::refused) {
      const ReplyText text = reply_text(reader.refusal(), {.keep_alive = false}, date());
      if (co_await write(connection, text.head, text.body)) co_await linger(connection);
      co_return false;
    }
    // One deadline for the whole request, however slowly it drips.
    if (!begun && reader.begun()) due_ms = due_in(settings.read_ms);
    begun = begun || reader.begun();
    const Io want = state == Ready::want_write ? Io::want_write : Io::want_read;
    if (!co_await wait(connection, want, due_ms)) co_return false;
  }
}

// After a refusal the client may still be sending; closing at once would reset the connection and take the refusal
// from it before it is read (RFC 9112 section 9.6).
Task<void> Server::State::linger(Connection* connection) {
  constexpr std::int64_t kLinger_ms = 2'000;
  connection->transport.shutdown_send();
  const std::int64_t due_ms = due_in(kLinger_ms);
  for (;;) {
    const IoResult got = connection->transport.discard();
    if (got.io == Io::end || got.io == Io::broken || coarse_now_ms() >= due_ms) co_return;
    if (got.io != Io::moved && !co_await wait(connection, got.io, due_ms)) co_return;
  }
}

Task<ServerReply> Server::State::answer(ServerRequest request) {
  ServerReply failed;
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& thrown) {
    failed.response.status = 500;
    failed.response.body = "the handler has failed: " + std::string(thrown.what()) + "\n";
  }
  co_return failed;
}

// Answers the request that was read. False: the connection ends here.
Task<bool> Server::State::reply(Connection* connection) {
  RequestReader& reader = connection->reader;
  ServerRequest request = reader.take();
  request.peer = connection->peer;
  request.client_has_left = [connection] { return connection->transport.peer_closed(); };
  ReplyForm form{.to_head = request.method == "HEAD", .keep_alive = reader.keep_alive(), .http_1_0 = reader.http_1_0()};
  ServerReply reply = co_await answer(std::move(request));
  bool delivered = false;
  if (reply.ending != Ending::cut && !stopped && !connection->transport.peer_closed()) {
    form.half = reply.ending == Ending::half;
    const ReplyText text = reply_text(reply.response, form, date());
    delivered = co_await write(connection, text.head, text.body) && reply.ending == Ending::whole;
  }
  if (reply.on_sent) reply.on_sent(delivered);
  co_return delivered&& form.keep_alive && !stopped;
}

Task<void> Server::State::serve(Connection* connection) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (tls && !co_await shake_hands(connection)) co_return;
  while (co_await read(connection)) {
    if (!co_await reply(connection)) break;
  }
}

void Server::State::start(const std::shared_ptr<State>& self, Transport::Socket socket) {
  boost::system::error_code gone;  // reset while it waited to be accepted: the first read says so
  const auto peer = socket.remote_endpoint(gone);
  const auto place = connections.emplace(connections.end(), std::move(socket), settings);
  const bool six = peer.address().is_v6();
  place->peer = (six ? "[" : "") + peer.address().to_string() + (six ? "]:" : ":") + std::to_string(peer.port());
  sweep->add(*place);
  boost::asio::co_spawn(
      acceptor.get_executor(), serve(&*place),
      boost::asio::bind_cancellation_slot(place->signal.slot(), [self, place](std::exception_ptr thrown) {
        self->sweep->remove(*place);
        self->connections.erase(place);
        self->room.cancel();
        if (thrown) std::rethrow_exception(thrown);
      }));
}

Task<void> Server::State::accept(std::shared_ptr<State> self) {
  constexpr std::int64_t kPause_ms = 100;
  while (!stopped && acceptor.is_open()) {
    if (connections.size() >= settings.connections_max) {
      room.expires_at(boost::asio::steady_timer::time_point::max());
      auto ended = room.async_wait(boost::asio::as_tuple(boost::asio::deferred));
      co_await std::move(ended);  // NOLINT(performance-move-const-arg): it wants an rvalue
      continue;
    }
    auto accepting = acceptor.async_accept(boost::asio::as_tuple(boost::asio::deferred));
    auto [error, socket] = co_await std::move(accepting);
    if (!error) {
      start(self, std::move(socket));
    } else if (error != boost::asio::error::operation_aborted && error != boost::asio::error::connection_aborted) {
      // Most likely no file descriptors are left: clients wait in the queue until connections have ended.
      if (const Status slept = co_await async::sleep_for(kPause_ms); !slept) co_return;
    }
  }
}

Result<std::unique_ptr<Server>> Server::listen(boost::asio::any_io_executor executor, ServerSettings settings,
                                               Handler handler) {
  const std::string where = settings.address + ":" + std::to_string(settings.port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(settings.address, error);
  if (error)
    return fail(ErrorKind::bad_input,
                "\"" + settings.address + "\" is no IP address to listen on; write one like 127.0.0.1");
  if (settings.tls_certificate_file.empty() != settings.tls_key_file.empty())
    return fail(ErrorKind::bad_input, "TLS needs a certificate and its key; one of the two files is missing");
  auto state = std::make_shared<State>(executor, std::move(settings), std::move(handler));
  if (!state->settings.tls_key_file.empty()) {
    Result<SslContextPointer> tls =
        server_tls_context(state->settings.tls_certificate_file, state->settings.tls_key_file);
    if (!tls) return std::unexpected(tls.error());
    state->tls = std::move(*tls);
  }
  tcp::acceptor& acceptor = state->acceptor;
  const tcp::endpoint endpoint(address, state->settings.port);
  constexpr int kBacklog = 16'384;  // the system cuts it to net.core.somaxconn
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error)
    return fail(ErrorKind::bad_input,
                "cannot listen on " + where + ": " + error.message() + "; choose another address or port, or port 0");
  state->port = acceptor.local_endpoint(error).port();
  boost::asio::co_spawn(executor, state->accept(state), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  state_->stopped = true;
  stop_accepting();
  // A task that ends at once erases its connection: step on before it is told.
  for (auto connection = state_->connections.begin(); connection != state_->connections.end();) {
    auto current = connection++;
    current->transport.close();
    current->signal.emit(boost::asio::cancellation_type::terminal);
  }
}

std::uint16_t Server::port() const { return state_->port; }

std::size_t Server::connections() const { return state_->connections.size(); }

void Server::stop_accepting() {
  boost::system::error_code ignored;  // closed before
  state_->acceptor.close(ignored);
  state_->room.cancel();
}

}  // namespace palette::http
