// One request read, one reply written, on the server's side of a connection: what can be done without waiting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"
#include "http/transport.h"

namespace palette::http {

class RequestReader {
 public:
  enum class State : std::uint8_t {
    want_read,
    want_write,  // of TLS
    complete,
    ended,     // the connection has ended; no answer is owed
    refused,   // the request breaks a rule or a limit: refusal() says which
    continue_  // the client waits for "100 Continue" before it sends the body
  };

  explicit RequestReader(const ServerSettings& settings);
  ~RequestReader();

  // Reads and parses what has come. After `complete` take() comes before the next advance().
  State advance(Transport& transport);
  ServerRequest take();

  // The request in hand has begun to arrive.
  bool begun() const;
  // How the taken or refused request wants the connection treated.
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  const Response& refusal() const { return refusal_; }

 private:
  struct Parsing;
  State take(std::string_view came);
  State parse(std::string_view& came);
  State refuse(const Error& error);

  const ServerSettings& settings_;
  std::unique_ptr<Parsing> parsing_;  // only while a request arrives: a connection that waits holds nothing
  std::string unparsed_;
  Response refusal_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
};

// The reply as text: the header, and how much of the body follows it.
struct ReplyText {
  std::string head;
  std::string_view body;
};

struct ReplyForm {
  bool to_head = false;  // of a HEAD request: no body
  bool keep_alive = true;
  bool http_1_0 = false;
  bool half = false;  // half of the body only
};

// `date` is an IMF-fixdate. Fields that would break the message (a line break in them) are left out.
ReplyText reply_text(const Response& response, ReplyForm form, std::string_view date);

// The time as HTTP writes it, e.g. "Tue, 15 Nov 1994 08:12:31 GMT" (RFC 9110 section 5.6.7).
std::string http_date(std::int64_t unix_s);

}  // namespace palette::http
