// The fault proxy itself: takes a request, asks the upstream, gives its answer back, or fails on purpose.
//
//   Proxy proxy({.upstream = url}, client);
//   auto server = http::Server::listen(executor, {}, [&](http::ServerRequest r) { return proxy.handle(std::move(r));
//   });
//
// Lives on the loop of server and client, and longer than what the server has in flight.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "behaviour.h"
#include "counts.h"
#include "fault.h"
#include "http/client.h"
#include "http/server.h"
#include "operation.h"

namespace palette::proxy {

// Of a request's and of an answer's body.
inline constexpr std::size_t kBodyBytesMax = 64 * limits::kMiB;

struct Settings {
  http::Url upstream;  // its target is not used
  std::uint64_t seed = 1;
  Behaviour behaviour;
};

class Proxy {
 public:
  Proxy(Settings settings, http::Client& client);

  async::Task<http::ServerReply> handle(http::ServerRequest request);
  std::int64_t in_flight() const { return counts_.in_flight(); }

 private:
  struct Visit;
  class Flight;

  Visit admit(http::ServerRequest& request);
  // The answer of the upstream; 502 when none came.
  async::Task<http::Response> ask_upstream(http::ServerRequest request);
  http::ServerReply serve_admin(const http::ServerRequest& request);
  void reset();

  Settings settings_;
  Behaviour behaviour_;  // now; settings_ has that of the start
  http::Client& client_;
  FaultScripts scripts_;
  Counts counts_;
  std::uint64_t sequence_ = 0;  // of requests that were drawn for
};

}  // namespace palette::proxy
