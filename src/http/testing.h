// For the tests of this folder: a server of raw bytes, certificates, and a loop that runs one task.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/event_loop.h"
#include "async/task.h"
#include "http/client.h"
#include "http/server.h"

namespace palette::http::testing {

// What a raw connection does: one answer to each request (read up to its empty line), then `after`.
struct Script {
  enum class After {
    close,           // at once
    read_and_close,  // one more request is read, and not answered
    close_unread,    // what comes is left unread, so that it fills up, and the connection is reset after 100 ms
    hang,            // nothing more, until the test is over
  };
  std::vector<std::string> answers;
  After after = After::close;
};

// Accepts as many connections as there are scripts, one after the other.
class RawServer {
 public:
  RawServer(boost::asio::io_context& context, std::vector<Script> scripts);

  std::uint16_t port() const { return port_; }
  // What each connection sent, as far as it was read.
  const std::vector<std::string>& received() const { return *received_; }

 private:
  std::uint16_t port_ = 0;
  std::shared_ptr<std::vector<std::string>> received_;
};

// A proxy that takes one CONNECT and relays to `port` on this machine.
class RelayProxy {
 public:
  RelayProxy(boost::asio::io_context& context, std::uint16_t to_port);

  std::uint16_t port() const { return port_; }
  const std::string& request() const { return *request_; }

 private:
  std::uint16_t port_ = 0;
  std::shared_ptr<std::string> request_;
};

// Certificates made anew, in a folder of their own that goes with this object.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  struct Files {
    std::string certificate, key;
  };
  // Signed by our authority for that DNS name or, with "IP:", address.
  Files make(const std::string& subject, bool expired = false);
  const std::string& ca_file() const { return ca_file_; }

 private:
  struct Authority;
  std::unique_ptr<Authority> authority_;
  std::string folder_, ca_file_;
  int made_ = 0;
};

// A server on this machine that answers by a plain function.
std::unique_ptr<Server> serve(async::EventLoop& loop, std::function<ServerReply(const ServerRequest&)> answer,
                              ServerSettings settings = {});

ServerReply text_reply(std::string body, int status = 200);
Request request_to(std::uint16_t port, std::string target = "/", std::string method = "GET");
// Shorter deadlines, for what is expected to time out.
Deadlines quick();

}  // namespace palette::http::testing
