// One request written and its answer read on one connection: what can be done without waiting. Nothing is held for
// reading before the first byte of the answer is there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/call.h"
#include "http/client.h"
#include "http/proxy.h"
#include "http/transport.h"

namespace palette::http {

class Exchange {
 public:
  enum class Progress : std::uint8_t {
    want_read,
    want_write,
    want_body,  // give_body() the next piece of the source
    piece,      // the header is whole, and body() may have more (only when it is taken in pieces)
    done,
    failed,  // error() says why
  };

  // `request` outlives the exchange; its target and its headers are not needed any more. `in_pieces`: stop at the
  // header and at each piece of the body.
  Exchange(const Request& request, const Proxy* proxy, std::size_t header_bytes_max, bool in_pieces);
  ~Exchange();

  Progress advance(Transport& transport);
  void give_body(std::string piece);
  // Starts over on another connection; the body source has been rewound.
  void restart();

  // Which deadline holds while it waits.
  Call::Phase phase() const;
  // The whole request was taken by the system.
  bool sent() const { return sent_; }
  // Something of an answer has come.
  bool answered() const { return answered_; }
  // After `failed`: the connection ended before anything of an answer came, and the other side cannot have had the
  // whole request.
  bool never_arrived() const { return never_arrived_; }
  // After `done`: another exchange may follow on this connection.
  bool reusable() const;
  const Error& error() const { return *error_; }

  // From the first `piece` or `done` on.
  int status() const;
  Headers take_headers();
  std::optional<std::uint64_t> content_length() const;
  // What has come of the body since it was last taken.
  std::string& body();
  // The whole answer is here (its body may not have been taken yet).
  bool whole() const { return whole_; }

 private:
  struct Answer;
  Progress write(Transport& transport);
  Progress read(Transport& transport);
  Progress take(std::string_view came);
  Progress parse(std::string_view& came);
  Progress ended(Transport& transport, const IoResult& got);
  Progress failed(ErrorKind kind, std::string message);
  Progress finish();

  // Thousands of these wait at once: what is only needed at times is behind a pointer.
  const Request& request_;
  std::size_t header_bytes_max_;
  std::string head_;         // kept until the answer comes: it may have to go out once more
  std::string piece_;        // of the body source; a body that is held stays in the request
  std::size_t written_ = 0;  // of the head with the body that is held, or of the piece
  std::uint64_t source_left_ = 0;
  std::unique_ptr<Answer> answer_;  // from the first byte on
  std::unique_ptr<Error> error_;
  bool in_pieces_;
  bool head_sent_ = false;
  bool sent_ = false;
  bool answered_ = false;
  bool write_broke_ = false;
  bool never_arrived_ = false;
  bool whole_ = false;
};

// The body, unless it comes from a source.
std::string_view held_body(const Request& request);

// bad_input for a method, target or header field that cannot go on the wire.
Status check_request(const Request& request);

// Request line and header. With a proxy the target is in absolute form (RFC 9112 section 3.2.2).
std::string request_head(const Request& request, const Proxy* proxy);

}  // namespace palette::http
